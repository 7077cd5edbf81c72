"""Asks a forge: waits, tries again, and says in our words what was refused; knows no vendor."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from cml.ci.values import look
from cml.errors import PublishError
from cml.forges import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cml.forges.waiting import Answer, Patience

T = TypeVar("T")
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]

TIMEOUT = 30
"""Seconds that one request may take to be answered."""

PER_PAGE = 100

_NOT_ALLOWED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
_SAID_LIMIT = 300
_POST_LATER = "Run `cml-run post` {when}: the bundle holds all that it needs."
_WRONG_ADDRESS = (
    "Look whether a proxy stands between, and whether the API's address is right: GITHUB_API_URL "
    "on GitHub, CI_API_V4_URL on GitLab."
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. `doing` ends the sentence "could not ...", `grant` is what it takes."""

    method: Method
    path: str
    doing: str
    grant: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    upload: tuple[str, bytes] | None = None


class Vendor(Protocol):
    """What differs between forges when they are asked."""

    name: str

    def send(self, request: Request) -> Answer:
        """Send a request once; OSError where no answer came."""

    def following(self, request: Request, answer: Answer) -> Request | None:
        """Return the request for the next page of a list, None after the last."""

    def advice(self, request: Request, answer: Answer) -> str:
        """Return what to do about a refusal, down to the line to add."""


class Refused(PublishError):  # noqa: N818 - the forge is right to refuse
    """The forge said no; `status` is the one of HTTP, 0 where no answer came."""

    def __init__(self, message: str, *, status: int, said: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.said = said


class Api:
    """A forge that can be asked, for the length of a run."""

    def __init__(self, vendor: Vendor, *, token: str | None, patience: Patience) -> None:
        self._vendor = vendor
        self._token = token
        self._patience = patience

    def ask(self, request: Request) -> Any:
        """Return the JSON of the answer; None where it is empty.

        Raises:
            Refused: the forge refused, could not be reached, or answered with something else.
        """
        return self._content(request, self._answer(request))

    def item(self, request: Request) -> dict[str, Any]:
        """Return the JSON object that the forge answers with; raises as :meth:`ask`."""
        content = self.ask(request)
        self._expect(dict, request, content)
        return cast("dict[str, Any]", content)

    def pages(self, request: Request, *, key: str | None = None) -> Iterator[list[dict[str, Any]]]:
        """Yield a list page by page, asking for each when it is wanted; raises as :meth:`ask`.

        Args:
            request: the request for the first page.
            key: what the list is called in the object that holds it; None where it stands alone.
        """
        following: Request | None = replace(request, query={**request.query, "per_page": PER_PAGE})
        while following:
            answer = self._answer(following)
            content = self._content(request, answer)
            found = content if key is None else look(content, key)
            self._expect(list, request, found)
            yield cast("list[dict[str, Any]]", found)
            following = self._vendor.following(following, answer)

    def _answer(self, request: Request) -> Answer:
        tries = 1
        while True:
            answer = self._sent(request)
            if answer.fine:
                return answer
            seconds = waiting.pause(answer, tries)
            if seconds is None or not self._patience.wait(seconds, self._trouble(answer)):
                raise self._refused(request, answer) from answer.cause
            tries += 1

    def _sent(self, request: Request) -> Answer:
        try:
            return self._vendor.send(request)
        except ValueError as error:  # of requests, about an address or a header that cannot be sent
            sound = (self._token or "").isascii() and (self._token or "").isprintable()
            reason = str(error) if sound else "the token has characters that no token has"
            raise self._impossible(request, reason) from error
        except OSError as error:
            return waiting.Answer(status=0, text=_root(error), cause=error)

    def _content(self, request: Request, answer: Answer) -> Any:
        if not answer.text:
            return None
        try:
            return json.loads(answer.text)
        except ValueError as error:
            kind = answer.headers.get("content-type", "something").partition(";")[0]
            raise self._impossible(request, f"it answered with {kind}, not JSON") from error

    def _expect(self, kind: type, request: Request, content: object) -> None:
        if not isinstance(content, kind):
            raise self._impossible(request, "its answer has another form than documented")

    def _impossible(self, request: Request, reason: str) -> Refused:
        return Refused(
            self._clean(f"could not {request.doing} on {self._vendor.name}: {reason}"),
            status=0,
            said=reason,
            hint=_WRONG_ADDRESS,
        )

    def _trouble(self, answer: Answer) -> str:
        if answer.limited:
            return f"{self._vendor.name} limits our requests"
        if answer.status == 0:
            return f"{self._vendor.name} could not be reached"
        return f"{self._vendor.name} answered {answer.status}"

    def _refused(self, request: Request, answer: Answer) -> Refused:
        said = self._clean(_said(answer.text)).removeprefix(f"{answer.status} ")
        reason = f"{self._trouble(answer)}: {said}" if said else self._trouble(answer)
        return Refused(
            self._clean(f"could not {request.doing}: {reason}"),
            status=429 if answer.limited else answer.status,
            said=said,
            hint=self._hint(request, answer),
        )

    def _hint(self, request: Request, answer: Answer) -> str:
        if answer.limited:
            told = waiting.seconds_told(answer)
            seconds = waiting.UNTOLD if told is None else told
            when = datetime.now(timezone.utc) + timedelta(seconds=seconds)
            return _POST_LATER.format(when=f"after {when:%Y-%m-%d %H:%M:%S} UTC")
        if answer.status == 0 or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _POST_LATER.format(when="later")
        return self._vendor.advice(request, answer)

    def _clean(self, text: str) -> str:
        """Return one short line without the token, whoever put it there."""
        if self._token:
            text = text.replace(self._token, "***")
        line = " ".join(text.split())
        return line if len(line) <= _SAID_LIMIT else f"{line[:_SAID_LIMIT]}…"


@contextmanager
def advising(grant: str) -> Iterator[None]:
    """Say what to do where something else than telling results was refused.

    Args:
        grant: what to do about a token that may not.
    """
    try:
        yield
    except PublishError as error:
        status = error.status if isinstance(error, Refused) else HTTPStatus.UNAUTHORIZED
        if status in _NOT_ALLOWED:
            error.hint = grant
        elif status == 0 or status >= HTTPStatus.TOO_MANY_REQUESTS:
            error.hint = "Try again later."
        raise


def get(item: object, path: str, kind: type[T]) -> T:
    """Return what must stand at a dotted path of an answer.

    Raises:
        PublishError: it is missing, or of another kind.
    """
    value = look(item, path)
    if not isinstance(value, kind):
        raise PublishError(f"the forge's answer has no {path}", hint=_WRONG_ADDRESS)
    return value


def plain(text: str) -> str:
    """Return text that can be encoded: bytes of a file name that are no UTF-8 get spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def cut(text: str, most: int) -> str:
    """Return one line of at most so many characters."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _root(error: BaseException) -> str:
    """Return what the operating system said, below the words of the libraries."""
    inner: BaseException | None = error
    while inner and not isinstance(inner, PublishError):  # what was refused before is no reason
        error, inner = inner, inner.__cause__ or inner.__context__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _said(text: str) -> str:
    """Return what a forge says in a refusal: the texts of a JSON object, else nothing of a page."""
    try:
        content = json.loads(text)
    except ValueError:
        return "" if "<" in text else text
    keys = ("message", "error", "error_description", "errors")
    parts = [content[key] for key in keys if content.get(key)] if isinstance(content, dict) else []
    return "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts)
