"""How long to wait before a forge is asked again; knows headers, no vendor and no library."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger("cml")

MOST = 300.0
"""The most seconds that one process waits for its forge, all pauses together."""

UNTOLD = 60.0
"""Seconds to wait where nothing is said about it, as GitHub asks."""

_TRIES = 4
_LIMIT_WORDS = ("rate limit", "abuse detection")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a forge said; `headers` by their names in lower case.

    A `status` of 0 stands for no answer at all, `text` then for the reason, and `cause`.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    cause: Exception | None = None

    @property
    def fine(self) -> bool:
        """Whether this is what was asked for."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def limited(self) -> bool:
        """Whether this is a refusal because of too many requests, ours or other people's."""
        if self.status != HTTPStatus.FORBIDDEN:
            return self.status == HTTPStatus.TOO_MANY_REQUESTS
        said = self.text.lower()
        return (
            "retry-after" in self.headers
            or self.headers.get("x-ratelimit-remaining") == "0"
            or any(words in said for words in _LIMIT_WORDS)
        )


class Patience:
    """Waits, but only so long in all. `pause` does the waiting, `left` counts the seconds."""

    def __init__(
        self, pause: Callable[[float], object] = time.sleep, *, most: float = MOST
    ) -> None:
        self._pause = pause
        self.left = most

    def wait(self, seconds: float, why: str) -> bool:
        """Wait, saying so; return False where that would be too long."""
        if seconds > self.left:
            return False
        self.left -= seconds
        log.info("%s: waiting %.0f seconds before the next try", why, seconds)
        self._pause(seconds)
        return True


def pause(answer: Answer, tries: int) -> float | None:
    """Return the seconds to wait before the same request is sent again.

    Args:
        answer: what came back.
        tries: how often the request has been sent, at least 1.

    Returns:
        None where the answer will stay what it is, or enough was tried.
    """
    if answer.limited:
        told = seconds_told(answer)
        return UNTOLD * tries if told is None else told
    if tries >= _TRIES or 0 < answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    told = seconds_told(answer)
    return 2.0 ** (tries - 1) if told is None else told


def seconds_told(answer: Answer) -> float | None:
    """Read how long the forge wants to be left alone; at least a second, so that no try is lost.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
    """
    now = _epoch(answer.headers.get("date", "")) or time.time()
    after = answer.headers.get("retry-after", "")
    until = now + int(after) if after.isascii() and after.isdigit() else _epoch(after)
    if until is None and answer.limited:
        until = _reset(answer.headers)
    return None if until is None else max(1.0, until - now)


def _reset(headers: Mapping[str, str]) -> float | None:
    """The second after the one in which the count starts anew; None where some are left."""
    for prefix in ("x-ratelimit", "ratelimit"):
        reset = headers.get(f"{prefix}-reset", "")
        if headers.get(f"{prefix}-remaining", "0") == "0" and reset.isascii() and reset.isdigit():
            return int(reset) + 1.0
    return None


def _epoch(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
