"""The runners of a project or a group on GitLab."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cml.ci.values import text
from cml.errors import PublishError
from cml.forges.api import Refused, Request, advising, get
from cml.forges.base import Registration, Runner

if TYPE_CHECKING:
    from cml.forges.api import Api
    from cml.forges.base import RunnerRequest

OLDEST = "15.10.0"
"""The first that takes a runner's own token: https://docs.gitlab.com/runner/register/."""

_GRANT = (
    "Give a token with the scope `api` of somebody with the role of {role} as repo_token: a "
    "project, group or personal access token. A job's CI_JOB_TOKEN may not do this."
)


class Runners:
    """The runners of one project or group.

    Args:
        owner: its full path.
        of_group: whether that is a group.
        server: the address of the server, which the program is told.
    """

    def __init__(self, api: Api, owner: str, *, of_group: bool, server: str) -> None:
        self._api = api
        self._owner = owner
        self._kind = "group" if of_group else "project"
        self._server = server
        self._grant = _GRANT.format(role="an Owner" if of_group else "a Maintainer")

    def register(self, wanted: RunnerRequest) -> Registration:
        """Make a runner, whose own token the program is started with; GitLab knows no one-job kind.

        https://docs.gitlab.com/api/users/#create-a-runner-linked-to-a-user
        """
        body = {
            "runner_type": f"{self._kind}_type",
            f"{self._kind}_id": self._number(),
            "description": wanted.name,
            "tag_list": list(wanted.labels),
            "run_untagged": False,
            "locked": True,  # to its project: nobody can lend it to another one, such as a fork
        }
        doing = f"register the runner {wanted.name} of {self._owner}"
        item = self._item(replace(self._request("/user/runners", doing), method="POST", body=body))
        return Registration(
            id=get(item, "id", int),
            name=wanted.name,
            url=self._server,
            kind="authentication",
            credential=get(item, "token", str),
        )

    def find(self, registration: Registration) -> Runner | None:
        """Return how a runner stands: busy is what GitLab says of its jobs."""
        path = _path(registration)
        try:
            item = self._item(self._request(path, f"look for the runner {registration.name}"))
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        # Newer servers tell it of jobs that are being cancelled, too.
        busy = text(item, "job_execution_status") == "active" or self._is_running(path)
        return Runner(
            id=get(item, "id", int),
            name=registration.name,
            online=text(item, "status") == "online",
            busy=busy,
        )

    def remove(self, registration: Registration) -> None:
        """Take a runner off the list."""
        request = self._request(_path(registration), f"remove the runner {registration.name}")
        try:
            with advising(self._grant):
                self._api.ask(replace(request, method="DELETE"))
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise

    def _is_running(self, path: str) -> bool:
        request = self._request(f"{path}/jobs", "tell whether a job runs", status="running")
        with advising(self._grant):
            return any(self._api.pages(request))

    def _number(self) -> int:
        path = f"/{self._kind}s/{quote(self._owner, safe='')}"
        return get(self._item(self._request(path, f"look for {self._owner}")), "id", int)

    def _item(self, request: Request) -> dict[str, Any]:
        with advising(self._grant):
            return self._api.item(request)

    def _request(self, path: str, doing: str, **query: str) -> Request:
        return Request(method="GET", path=path, doing=doing, grant="Maintainer", query=query)


def _path(registration: Registration) -> str:
    if registration.id is None:
        raise PublishError(f"the number of the runner {registration.name} is not known")
    return f"/runners/{registration.id}"
