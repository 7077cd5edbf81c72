"""Sends requests to GitHub with PyGithub, which is loaded by the first one."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cml.errors import PublishError
from cml.forges.api import PER_PAGE, TIMEOUT, Request
from cml.forges.waiting import Answer

if TYPE_CHECKING:
    from github.Requester import Requester

_TOKEN_LINE = "env: repo_token: ${{ github.token }}"  # noqa: S105 - an expression of the workflow
_TEMPORARY = (302, 303, 307, 308)  # PyGithub follows 301 itself, and only on its own host
_HOPS = 3
_NEXT = re.compile(r'<([^>]*)>[^,<]*;\s*rel="?next"?')


class Transport:
    """A connection to GitHub's REST API. The token goes nowhere but to the host of `url`."""

    name = "GitHub"

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._token = token

    def send(self, request: Request) -> Answer:
        """Send a request once, and again where its host says it has moved there."""
        answer = self._sent(request)
        for _ in range(_HOPS):
            place = answer.headers.get("location", "")
            if answer.status not in _TEMPORARY or not self._is_here(place):
                break
            # The target's query holds ours.
            answer = self._sent(replace(request, path=place, query={}))
        return answer

    def _sent(self, request: Request) -> Answer:
        try:
            status, headers, text = self._requester.requestJson(
                request.method, request.path, dict(request.query), input=request.body
            )
        except RuntimeError as error:  # PyGithub's way to refuse a redirection
            return Answer(status=301, text=str(error))
        return Answer(status=status, headers=headers, text=text)

    def _is_here(self, place: str) -> bool:
        target, here = urlsplit(place), urlsplit(self._url)
        return bool(place) and (target.scheme, target.netloc) in {("", ""), here[:2]}

    @cached_property
    def _requester(self) -> Requester:
        if not self._token:
            raise PublishError(
                "there is no token to tell GitHub with", hint=f"Add to the step: `{_TOKEN_LINE}`."
            )
        parts = urlsplit(self._url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{self._url!r} is no address of an API")
        import github

        # No retry and no pause of PyGithub's own: `waiting` sees to both.
        options: dict[str, Any] = {"retry": None, "seconds_between_writes": None, "lazy": True}
        return github.Github(
            auth=github.Auth.Token(self._token),
            base_url=self._url.rstrip("/"),
            timeout=TIMEOUT,
            user_agent="cml-run",
            per_page=PER_PAGE,
            seconds_between_requests=None,
            **options,
        ).requester

    def following(self, request: Request, answer: Answer) -> Request | None:
        """Return the request for the page that the answer links to; only its path is used."""
        link = _NEXT.search(answer.headers.get("link", ""))
        return replace(request, path=link[1], query={}) if link else None

    def advice(self, request: Request, answer: Answer) -> str:
        """Return what to do about a refusal, down to the line to add."""
        if "not permitted to create" in answer.text:
            return (
                "Tick Settings > Actions > General > Allow GitHub Actions to create and approve "
                "pull requests."
            )
        lines = f"`permissions: {request.grant}`"
        match answer.status:
            case 401:
                return f"The token is wrong or has expired. Set in the step `{_TOKEN_LINE}`."
            case 403:
                return (
                    f"Add to the job: {lines}. A pull request from a fork gets a token that may "
                    "only read: publish its bundle with `cml-run post` in a second workflow."
                )
            case 404:
                return f"Look whether it exists, and add to the job: {lines}."
            case 301 | 302 | 303 | 307 | 308:
                return "Set GITHUB_API_URL to the address that answers."
            case _:
                return (
                    "Look at what GitHub says; the bundle stays, and `cml-run post` publishes it."
                )
