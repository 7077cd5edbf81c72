"""What is GitLab's own in asking it: its address, its tokens, its pages, its advice."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cml.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.api import Request
    from cml.forges.gitlab.session import Connection
    from cml.forges.waiting import Answer

_API = "/api/v4"
_SERVER = "https://gitlab.com"
_ADVICE = (
    "Make a project access token with the scope `api` (Settings > Access tokens), and give it to "
    "the job as the masked CI/CD variable repo_token"
)


class Transport:
    """A connection to GitLab's REST API. The token goes nowhere but to the host of `server`."""

    name = "GitLab"

    def __init__(self, environ: Mapping[str, str], token: str | None) -> None:
        self.server = server(environ)
        self._token = token
        self._job = token is not None and token == environ.get("CI_JOB_TOKEN")

    def send(self, request: Request) -> Answer:
        """Send a request once."""
        return self._connection.send(request)

    @cached_property
    def _connection(self) -> Connection:
        if not self._token:
            raise PublishError("there is no token to tell GitLab with", hint=f"{_ADVICE}.")
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{self.server!r} is no address of a server")
        from cml.forges.gitlab.session import Connection

        return Connection(self.server, self._token, job=self._job)

    def following(self, request: Request, answer: Answer) -> Request | None:
        """Return the request for the next page; a link could lead to another host."""
        page = answer.headers.get("x-next-page", "")
        return replace(request, query={**request.query, "page": page}) if page else None

    def advice(self, request: Request, answer: Answer) -> str:
        """Return what to do about a refusal, down to the line to add."""
        instead = " instead of CI_JOB_TOKEN, which may not" if self._job else ""
        match answer.status:
            case 401:
                return f"{_ADVICE}{instead}: this one is wrong, or has expired."
            case 403:
                return f"{_ADVICE}{instead}. It needs the role of a {request.grant}."
            case 404:
                return f"Look whether it exists. {_ADVICE}{instead}: without one it is hidden."
            case 301 | 302 | 303 | 307 | 308:
                return "Set CI_SERVER_URL and CI_API_V4_URL to the address that answers."
            case _:
                return (
                    "Look at what GitLab says; the bundle stays, and `cml-run post` publishes it."
                )


def server(environ: Mapping[str, str]) -> str:
    """Return the address of the server, its sub-path included."""
    api = environ.get("CI_API_V4_URL", "").rstrip("/")
    found = api.removesuffix(_API) if api.endswith(_API) else environ.get("CI_SERVER_URL")
    return (found or _SERVER).rstrip("/")
