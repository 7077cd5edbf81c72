"""GitLab, on gitlab.com or on a server of one's own, as a forge."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from cml.ci.values import number
from cml.errors import PublishError
from cml.forges import sticky
from cml.forges.api import Api, Refused, Request, cut, get, plain
from cml.forges.gitlab import programs, runners, uploads
from cml.forges.gitlab.merges import Merges, own_project
from cml.forges.gitlab.notes import LIMIT, Discussions, Notes, Owner, place_of
from cml.forges.gitlab.runners import Runners
from cml.forges.gitlab.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.forges.base import (
        Hosted,
        Program,
        PullRequest,
        Registration,
        Runner,
        RunnerRequest,
        State,
        Status,
        Subject,
    )
    from cml.forges.waiting import Patience
    from cml.record import Context

_STATES: dict[State, str] = {
    "pending": "running",
    "success": "success",
    "failure": "failed",
    "error": "failed",
}
_SHORT = 255  # characters of a status's description


class GitLab:
    """One project on GitLab; see `base` for what its methods promise."""

    comment_limit = LIMIT - sticky.MARKER_ROOM
    describes_tags = True
    oldest_runner = runners.OLDEST

    def __init__(
        self,
        context: Context,
        environ: Mapping[str, str],
        token: str | None,
        *,
        patience: Patience,
    ) -> None:
        transport = Transport(environ, token)
        self._server = transport.server
        self._api = Api(transport, token=token, patience=patience)
        self._owner = Owner(self._api)
        self._context = context
        self._environ = environ

    def pull_requests(self, branch: str) -> list[PullRequest]:
        """Return the open merge requests whose source is this branch of this project."""
        return self._merges.of_branch(branch)

    def pull_requests_of(self, sha: str) -> list[PullRequest]:
        """Return the open merge requests whose head is this commit, those from forks too."""
        return self._merges.of_commit(sha)

    def propose(self, *, head: str, base: str, title: str, body: str) -> str:
        """Open a merge request between two branches, or bring the open one up to date."""
        return self._merges.propose(head=head, base=base, title=title, body=body)

    def comment(self, subject: Subject, *, name: str, body: str) -> str:
        """Put a note in place of our earlier one of that name, or make it."""
        project = self._target if subject.kind == "pull request" else self._project
        kind = Discussions if subject.kind == "commit" else Notes
        place = place_of(subject, f"{self._server}/{project}", _root(project))
        return sticky.keep(kind(self._api, place, self._owner), name=name, body=body)

    def status(self, status: Status) -> str | None:
        """Set a commit status, within the pipeline of this job where it is about its commit."""
        body = {
            "state": _STATES[status.state],
            "name": cut(status.name, _SHORT),
            "description": cut(status.title, _SHORT),
            "target_url": status.url,
            **self._pipeline(status.sha),
        }
        request = Request(
            method="POST",
            path=f"{_root(self._project)}/statuses/{status.sha}",
            doing=f"set the status {status.name}",
            grant="Developer",
            body={key: value for key, value in body.items() if value is not None},
        )
        try:
            self._api.item(request)
        except Refused as refusal:
            if refusal.status != HTTPStatus.BAD_REQUEST or "transition" not in refusal.said.lower():
                raise  # else it stands there already
        return status.url

    def release(self, *, tag: str, title: str, body: str) -> str:
        """Describe a tag by a release, in place of an earlier description."""
        content = {"name": plain(title), "description": plain(body)}
        request = Request(
            method="POST",
            path=f"{_root(self._project)}/releases",
            doing=f"describe the tag {tag} by a release",
            grant="Developer",
            body={**content, "tag_name": tag},
        )
        try:
            item = self._api.item(request)
        except Refused as refusal:
            if refusal.status != HTTPStatus.CONFLICT:
                raise
            path = f"{request.path}/{quote(tag, safe='')}"
            item = self._api.item(replace(request, method="PUT", path=path, body=content))
        return get(item, "_links.self", str)

    def host(
        self,
        pictures: Mapping[str, bytes],
        *,
        inline: bool,  # noqa: ARG002 - an upload is always shown
        push: Callable[[Mapping[str, bytes]], str | None],  # noqa: ARG002 - nothing is pushed
    ) -> dict[str, Hosted]:
        """Upload pictures to the project whose notes show them."""
        page = f"{self._server}/{self._target}"
        return uploads.host(self._api, _root(self._target), pictures, project=page)

    def runs_strangers_code(self, organisation: str | None) -> bool:  # noqa: ARG002 - never
        """Return False: a fork's pipeline runs in the fork, with the fork's runners.

        Only a member can run it in the parent project, and is warned before.
        https://docs.gitlab.com/ci/pipelines/merge_request_pipelines/
        """
        return False

    def register_runner(self, wanted: RunnerRequest) -> Registration:
        """Announce a runner, which its own token is answered for."""
        return self._runners(wanted.organisation).register(wanted)

    def find_runner(self, registration: Registration, organisation: str | None) -> Runner | None:
        """Return how a runner stands, None where GitLab knows none."""
        return self._runners(organisation).find(registration)

    def remove_runner(self, registration: Registration, organisation: str | None) -> None:
        """Take a runner off the list, if it is there."""
        self._runners(organisation).remove(registration)

    def runner_program(self, *, system: str, machine: str) -> Program:
        """Return the newest runner program; raises PublishError where there is no checksum."""
        return programs.newest(self._environ, system=system, machine=machine)

    def _runners(self, group: str | None) -> Runners:
        owner = group or self._target
        return Runners(self._api, owner, of_group=group is not None, server=self._server)

    def _pipeline(self, sha: str) -> dict[str, object]:
        """Say which pipeline a status joins; without, GitLab makes one for each ref."""
        pipeline = number(self._environ.get("CI_PIPELINE_ID"))
        if pipeline is None or sha != self._environ.get("CI_COMMIT_SHA"):
            return {"ref": self._context.branch}
        # The ref of a merge request's pipeline is neither its branch nor told by a variable.
        of_merge_request = "CI_MERGE_REQUEST_IID" in self._environ
        ref = None if of_merge_request else self._environ.get("CI_COMMIT_REF_NAME")
        return {"pipeline_id": pipeline, "ref": ref}

    @cached_property
    def _project(self) -> str:
        """The project that the job belongs to, a fork's where it is the fork's pipeline."""
        return self._environ.get("CI_PROJECT_PATH") or self._target

    @cached_property
    def _target(self) -> str:
        """The project that the merge request is for."""
        # At a shell the context knows of none, and people name it as a job would.
        found = self._context.repository or self._environ.get("CI_PROJECT_PATH")
        if not found:
            raise PublishError(
                "which project this is on GitLab is not known",
                hint="Set CI_PROJECT_PATH to `group/name`.",
            )
        return found

    @cached_property
    def _merges(self) -> Merges:
        return Merges(self._api, _root(self._target), source=own_project(self._environ))


def _root(project: str) -> str:
    return f"/projects/{quote(project, safe='')}"
