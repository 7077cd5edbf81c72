"""GitHub, on github.com or on a server of one's own, as a forge."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from cml.errors import PublishError
from cml.forges import sticky
from cml.forges.api import Api, Refused, Request, get, plain
from cml.forges.base import Hosted
from cml.forges.github import job, runners
from cml.forges.github.comments import LIMIT, Owner, Thread
from cml.forges.github.pulls import Pulls
from cml.forges.github.runners import Runners
from cml.forges.github.statuses import Statuses
from cml.forges.github.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.forges.base import (
        Program,
        PullRequest,
        Registration,
        Runner,
        RunnerRequest,
        Status,
        Subject,
    )
    from cml.forges.waiting import Patience
    from cml.record import Context, Record

_URL = "https://api.github.com"
_SERVER = "https://github.com"
_APP = "ghs_"  # how the tokens of apps begin, GITHUB_TOKEN among them


class GitHub:
    """One repository on GitHub; see `base` for what its methods promise."""

    comment_limit = LIMIT - sticky.MARKER_ROOM
    describes_tags = False
    oldest_runner = runners.OLDEST

    def __init__(
        self,
        context: Context,
        environ: Mapping[str, str],
        token: str | None,
        *,
        private: bool,
        patience: Patience,
    ) -> None:
        transport = Transport(environ.get("GITHUB_API_URL") or _URL, token)
        self._api = Api(transport, token=token, patience=patience)
        self._owner = Owner(self._api, app=(token or "").startswith(_APP))
        self._context = context
        self._environ = environ
        self._private = private

    def pull_requests(self, branch: str) -> list[PullRequest]:
        """Return the open pull requests whose head is this branch of this repository."""
        return self._pulls.of_branch(branch)

    def pull_requests_of(self, sha: str) -> list[PullRequest]:
        """Return the open pull requests whose head is this commit, those from forks too."""
        return self._pulls.of_commit(sha)

    def propose(self, *, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request between two branches, or bring the open one up to date."""
        return self._pulls.propose(head=head, base=base, title=title, body=body)

    def comment(self, subject: Subject, *, name: str, body: str) -> str:
        """Put a comment in place of our earlier one of that name, or make it."""
        thread = Thread(self._api, self._root, subject, self._owner)
        return sticky.keep(thread, name=name, body=body)

    def status(self, status: Status) -> str | None:
        """Set a check run, or a commit status where the token may set no check runs."""
        return self._statuses.set(status)

    def release(self, *, tag: str, title: str, body: str) -> str:
        """Describe a tag by a prerelease, in place of an earlier description."""
        path = f"{self._root}/releases"
        content = {"name": plain(title), "body": plain(body)}
        request = Request(
            method="POST",
            path=path,
            doing=f"describe the tag {tag} by a release",
            grant="contents: write",
            body={**content, "tag_name": tag, "prerelease": True},
        )
        try:
            return get(self._api.item(request), "html_url", str)
        except Refused as refusal:
            if "already_exists" not in refusal.said:
                raise
        tagged = f"{path}/tags/{quote(tag, safe='')}"
        found = self._api.item(replace(request, method="GET", path=tagged, body=None))
        there = f"{path}/{get(found, 'id', int)}"
        change = replace(request, method="PATCH", path=there, body=content)
        return get(self._api.item(change), "html_url", str)

    def host(
        self,
        pictures: Mapping[str, bytes],
        *,
        inline: bool,
        push: Callable[[Mapping[str, bytes]], str | None],
    ) -> dict[str, Hosted]:
        """Link to pictures in a commit: GitHub takes no uploads from jobs."""
        sha = push(pictures) if pictures else None
        if sha is None:
            return {}
        folder = f"{self._server}/{self._repository}/raw/{sha}"
        shown = inline or not self._private
        return {name: Hosted(url=f"{folder}/{quote(name)}", shown=shown) for name in pictures}

    def show(
        self, record: Record, render: Callable[[int], str], *, outputs: Mapping[str, str]
    ) -> None:
        """Write the report, outputs and annotations of the job."""
        job.summarize(self._environ, render)
        job.put_out(self._environ, outputs)
        job.annotate(record)

    def runs_strangers_code(self, organisation: str | None) -> bool:
        """Tell whether anybody can send a pull request: whether the repository is public."""
        if organisation:
            return True
        request = Request(
            method="GET",
            path=self._root,
            doing="tell whether the repository is public",
            grant="metadata: read",
        )
        return not get(self._api.item(request), "private", bool)

    def register_runner(self, wanted: RunnerRequest) -> Registration:
        """Announce a runner: for one job, or to register itself where it is to be persistent."""
        return self._runners(wanted.organisation).register(wanted)

    def find_runner(self, registration: Registration, organisation: str | None) -> Runner | None:
        """Return how a runner stands, None where GitHub lists none."""
        return self._runners(organisation).find(registration)

    def remove_runner(self, registration: Registration, organisation: str | None) -> None:
        """Take a runner off the list, if it is there; refused while a job runs on it."""
        self._runners(organisation).remove(registration)

    def runner_program(self, *, system: str, machine: str) -> Program:
        """Return the newest runner program; raises PublishError where there is no checksum."""
        return self._runners(None).program(system=system, machine=machine)

    def _runners(self, organisation: str | None) -> Runners:
        owner = organisation or self._repository
        of_organisation = organisation is not None
        return Runners(self._api, owner, of_organisation=of_organisation, server=self._server)

    @property
    def _server(self) -> str:
        return (self._environ.get("GITHUB_SERVER_URL") or _SERVER).rstrip("/")

    @cached_property
    def _repository(self) -> str:
        # At a shell the context knows of none, and people name it as a job would.
        found = self._context.repository or self._environ.get("GITHUB_REPOSITORY")
        if not found:
            raise PublishError(
                "which repository this is on GitHub is not known",
                hint="Set GITHUB_REPOSITORY to `owner/name`.",
            )
        return found

    @cached_property
    def _root(self) -> str:
        return f"/repos/{self._repository}"

    @cached_property
    def _pulls(self) -> Pulls:
        return Pulls(self._api, self._repository)

    @cached_property
    def _statuses(self) -> Statuses:
        return Statuses(self._api, self._root)
