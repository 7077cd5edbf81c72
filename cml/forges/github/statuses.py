"""What stands beside a commit on GitHub: check runs, and commit statuses where these may not be."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from cml.ci.values import text
from cml.forges.api import Refused, Request, cut, get, plain

if TYPE_CHECKING:
    from cml.forges.api import Api
    from cml.forges.base import Status

_TITLE = 255  # characters, of a name too
_SUMMARY = 65_535  # characters
_DESCRIPTION = 140
_GRANT = "checks: write` or `permissions: statuses: write"


class Statuses:
    """The statuses of one repository; remembers what this process has made."""

    def __init__(self, api: Api, root: str) -> None:
        self._api = api
        self._root = root
        self._runs: dict[tuple[str, str], int] = {}
        self._may_check = True

    def set(self, status: Status) -> str | None:
        """Set a status; only an app's token may make check runs."""
        if self._may_check:
            try:
                return self._check_run(status)
            except Refused as refusal:
                if refusal.status != HTTPStatus.FORBIDDEN:
                    raise
                self._may_check = False
        return self._commit_status(status)

    def _check_run(self, status: Status) -> str | None:
        run = self._runs.get((status.sha, status.name))
        path = f"{self._root}/check-runs"
        body = _run(status)
        request = Request(
            method="POST",
            path=path,
            doing=f"set the check {status.name}",
            grant=_GRANT,
            body={"name": cut(status.name, _TITLE), "head_sha": status.sha, **body},
        )
        if run is not None:
            request = replace(request, method="PATCH", path=f"{path}/{run}", body=body)
        item = self._api.item(request)
        self._runs[status.sha, status.name] = get(item, "id", int)
        return text(item, "html_url")

    def _commit_status(self, status: Status) -> str | None:
        body = {
            "state": status.state,
            "context": cut(status.name, _TITLE),
            "description": cut(status.title, _DESCRIPTION),
            "target_url": status.url,
        }
        request = Request(
            method="POST",
            path=f"{self._root}/statuses/{status.sha}",
            doing=f"set the status {status.name}",
            grant=_GRANT,
            body={key: value for key, value in body.items() if value is not None},
        )
        self._api.item(request)
        return status.url


def _run(status: Status) -> dict[str, Any]:
    """Put a status into the words of a check run, which knows no `error`."""
    title = f"Error: {status.title}" if status.state == "error" else status.title
    body: dict[str, Any] = {
        "status": "completed",
        "output": {"title": cut(title, _TITLE), "summary": _summary(status)},
    }
    if status.url:
        body["details_url"] = status.url
    if status.state == "pending":
        return {**body, "status": "in_progress"}
    return {**body, "conclusion": "success" if status.state == "success" else "failure"}


def _summary(status: Status) -> str:
    """Return what fits, whole lines of it."""
    summary = plain(status.summary or status.title)
    return summary if len(summary) <= _SUMMARY else summary[:_SUMMARY].rpartition("\n")[0]
