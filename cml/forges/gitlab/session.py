"""Sends requests to GitLab with python-gitlab; imported by the first one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import gitlab
import requests

from cml.forges.api import TIMEOUT, Request
from cml.forges.waiting import Answer


class _Session(requests.Session):
    """A session whose token stays with its host: requests drops no header but Authorization."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None or resp.request.method != "GET":  # any other would turn into a GET
            return None
        place, here = urlsplit(target), urlsplit(resp.url)
        return target if (place.scheme, place.netloc) in {("", ""), here[:2]} else None


class Connection:
    """A connection to a GitLab server's REST API."""

    def __init__(self, server: str, token: str, *, job: bool) -> None:
        self._last = Answer(status=0)
        session = _Session()
        session.hooks["response"].append(self._remember)
        self._gitlab = gitlab.Gitlab(
            server,
            timeout=TIMEOUT,
            user_agent="cml-run",
            session=session,
            job_token=token if job else None,
            private_token=None if job else token,
        )

    def send(self, request: Request) -> Answer:
        """Send a request once; `waiting` sees to the pauses, so none of python-gitlab's own."""
        options: dict[str, Any] = {}
        if request.upload:
            name, content = request.upload
            options["files"] = {"file": (name, content, "application/octet-stream")}
        try:
            self._gitlab.http_request(
                request.method.lower(),
                request.path,
                query_data=dict(request.query),
                post_data=None if request.body is None else dict(request.body),
                obey_rate_limit=False,
                max_retries=0,
                **options,
            )
        except gitlab.GitlabError as error:
            if self._last.fine:
                raise OSError(str(error)) from error
        return self._last

    def _remember(self, response: requests.Response, **_: Any) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._last = Answer(status=response.status_code, headers=headers, text=response.text)
