"""Faults that a fake forge commits on demand."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

MESSAGES = {
    400: "Bad Request",
    401: "Bad credentials",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    422: "Validation Failed",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Answer:
    """What goes back to the client; `body` is JSON, or bytes to be sent as they are."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Fault:
    """An answer that says nothing about the request, None for a dropped connection.

    With `handled`, what was asked for has been done all the same.
    """

    answer: Answer | None
    handled: bool = False


def status(code: int, message: str | None = None, **headers: str) -> Fault:
    """An error; `Retry_After="1"` and the like become headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(Answer(code, {"message": message or MESSAGES.get(code, "")}, named))


def too_many(retry_after: int = 0) -> Fault:
    """GitLab's limit: plain text."""
    headers = {"Retry-After": str(retry_after), "Content-Type": "text/plain"}
    return Fault(Answer(429, b"Retry later\n", headers))


def primary_limit(seconds: float = 0, code: int = 403) -> Fault:
    """GitHub's hourly limit, which ends in so many seconds."""
    return status(
        code,
        "API rate limit exceeded for installation ID 1.",
        X_RateLimit_Limit="1000",
        X_RateLimit_Remaining="0",
        X_RateLimit_Reset=str(int(time.time() + seconds)),
    )


def secondary_limit(retry_after: int | None = None, code: int = 403) -> Fault:
    """GitHub's limit for too much at once, which may say how long to wait."""
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    return status(code, message, X_RateLimit_Remaining="990", **headers)


def dropped() -> Fault:
    """The connection ends before the request is handled."""
    return Fault(None)


def dropped_after() -> Fault:
    """The connection ends after the request was handled: to ask again may do it twice."""
    return Fault(None, handled=True)


def not_json(code: int = 200) -> Fault:
    """A proxy's page in place of the forge's answer."""
    headers = {"Content-Type": "text/html"}
    return Fault(Answer(code, b"<html><body>Please sign in</body></html>", headers))
