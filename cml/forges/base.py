"""What every forge promises, in the words of the house; no vendor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.record import Record

State = Literal["pending", "success", "failure", "error"]
Kind = Literal["pull request", "commit", "issue"]


def marker(name: str) -> str:
    """Return the first line of a comment of ours, which people do not see.

    Args:
        name: the comment's name; `config` has seen to it that it holds no `<` and no `>`.
    """
    return f"<!-- cml-run: {name.replace('--', '-&#45;')} -->"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a comment is about: `id` is the number of a pull request or issue, or a full sha."""

    kind: Kind
    id: str


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """An open pull request (GitLab: merge request); `sha` is its head, `author` an account."""

    number: int
    sha: str
    author: str | None
    target: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """What stands beside a commit, under a name of its own.

    `title` is one line of plain text, cut by the adapter to what its forge takes. `summary` is
    Markdown, shown where the forge has a place for it. `url` leads to the run.
    """

    sha: str
    name: str
    state: State
    title: str
    summary: str = ""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """A picture that people can reach; `shown` tells whether comments can embed it."""

    url: str
    shown: bool


class Forge(Protocol):
    """One repository of a code host, for the length of a run.

    Every method raises PublishError where the forge refuses or cannot be reached, with the line to
    add in its hint. Each has waited and tried again before that, as long as it was worth it.
    """

    comment_limit: int
    """The most that a comment may measure, in bytes of UTF-8, the marker left out."""

    describes_tags: bool
    """Whether people here expect a release on a tag of results without having asked for one."""

    def pull_requests(self, branch: str) -> list[PullRequest]:
        """Return the open pull requests whose head is this branch of this repository."""

    def pull_requests_of(self, sha: str) -> list[PullRequest]:
        """Return the open pull requests whose head is this commit, those from forks too."""

    def comment(self, subject: Subject, *, name: str, body: str) -> str:
        """Put a comment in place of our earlier one of that name, or make it; return its address.

        Where two jobs have made one at the same time, only the older one stays.
        """

    def status(self, status: Status) -> str | None:
        """Set a status, in place of an earlier one of that name; return its address, if any."""

    def release(self, *, tag: str, title: str, body: str) -> str:
        """Describe a tag by a release, in place of an earlier description; return its address."""

    def propose(self, *, head: str, base: str, title: str, body: str) -> str:
        """Open a pull request between two branches, or bring the open one up to date."""


@runtime_checkable
class ImageHost(Protocol):
    """A forge that can show pictures in its comments."""

    def host(
        self,
        pictures: Mapping[str, bytes],
        *,
        inline: bool,
        push: Callable[[Mapping[str, bytes]], str | None],
    ) -> dict[str, Hosted]:
        """Put pictures where readers of the repository can see them, and nobody else.

        Args:
            pictures: file names, each with the picture's bytes.
            inline: take it that readers see embedded pictures, even where that is not sure.
            push: commits the files to the repository, outside its branches; returns the sha, or
                None where nothing may be pushed. For a forge that takes no uploads.

        Returns:
            The address of each picture; one that could not be hosted is left out.
        """


@runtime_checkable
class JobPage(Protocol):
    """A forge whose jobs have a page of their own for the results, without asking its API."""

    def show(
        self, record: Record, render: Callable[[int], str], *, outputs: Mapping[str, str]
    ) -> None:
        """Write the report (`render` takes the most bytes), outputs and annotations of the job."""


@dataclass(frozen=True, kw_only=True)
class RunnerRequest:
    """A runner to be.

    `labels` (GitLab: tags) say what it is good for. With `organisation` (GitLab: a group's full
    path) it serves all of that, else the one repository. A `persistent` one takes job after job
    until it is removed; any other takes one, where the forge can promise that. `group` is the
    number of GitHub's runner group.
    """

    name: str
    labels: tuple[str, ...]
    organisation: str | None = None
    persistent: bool = False
    group: int = 1


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a runner program is started with, once.

    `id` is the forge's number of the runner; None as long as the program has to register itself.
    `url` is what it serves. `credential` is secret: a just-in-time configuration, a registration
    token, or a runner's own authentication token.
    """

    id: int | None
    name: str
    url: str
    kind: Literal["just-in-time", "registration", "authentication"]
    credential: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner as the forge sees it at this moment; `busy` while a job of the forge runs on it."""

    id: int
    name: str
    online: bool
    busy: bool


@dataclass(frozen=True, kw_only=True)
class Program:
    """The newest release of a forge's runner program: its address and its SHA-256 as hex digits."""

    version: str
    url: str
    sha256: str


@runtime_checkable
class RunnerHost(Protocol):
    """A forge that gives jobs to machines of one's own; raises as :class:`Forge` does."""

    oldest_runner: str
    """The oldest version of the runner program that this forge gives jobs to."""

    def runs_strangers_code(self, organisation: str | None) -> bool:
        """Tell whether people without any right here can make a job run, by a fork's pull request.

        Where that cannot be told, as of an organisation with many repositories, it is taken as so.
        """

    def register_runner(self, wanted: RunnerRequest) -> Registration:
        """Announce a runner; its secret is answered once and kept by nobody else."""

    def find_runner(self, registration: Registration, organisation: str | None) -> Runner | None:
        """Return how a runner stands; None where the forge knows none (any more, or not yet)."""

    def remove_runner(self, registration: Registration, organisation: str | None) -> None:
        """Take a runner off the forge's list; one that is gone already is no failure."""

    def runner_program(self, *, system: str, machine: str) -> Program:
        """Return the newest runner program.

        Args:
            system: as `platform.system()` says: `Linux`, `Darwin`.
            machine: as `platform.machine()` says: `x86_64`, `aarch64`, `arm64`.
        """
