"""A forge of ours and the fake one that it talks to, for the contract that both vendors keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from forge_github import GitHub
from forge_gitlab import GitLab

from cml import forges
from cml.forges.base import Forge, Subject
from cml.forges.waiting import Patience
from cml.record import Context

if TYPE_CHECKING:
    from collections.abc import Callable

SHA = "a" * 40
OTHER = "b" * 40


@dataclass
class Told:
    """One vendor: its fake, where its comments live, and forges of ours opened on it."""

    vendor: str
    fake: Any
    pauses: list[float] = field(default_factory=list)

    def open(self, token: str | None = None, *, private: bool = False, **environ: str) -> Any:
        """Open our forge as a job of its own would; nothing is waited for, only written down."""
        known = {"GITHUB_API_URL": self.fake.api, "GITHUB_SERVER_URL": self.fake.server}
        if self.vendor == "gitlab":
            known = {"CI_API_V4_URL": self.fake.api, "CI_SERVER_URL": self.fake.server}
        return self.opened(token or self.fake.token, {**known, **environ}, private=private)

    def opened(self, token: str | None, environ: dict[str, str], *, private: bool = False) -> Any:
        context = Context(forge=self.vendor, repository=self.fake.repository, branch="main")  # type: ignore[arg-type]
        patience = Patience(self.pauses.append)
        forge: Forge | None = forges.open_forge(
            context, environ, token, private=private, patience=patience
        )
        assert forge
        return forge

    @property
    def owner(self) -> str:
        """The token of somebody who administers the repository."""
        token: str = self.fake.person if self.vendor == "github" else self.fake.token
        return token

    @property
    def us(self) -> str:
        """The login behind the token."""
        return "github-actions[bot]" if self.vendor == "github" else "project_4711_bot_1a2b3c"

    @property
    def writing(self) -> str:
        """Matches the path that comments are written to."""
        return r"/(comments|notes|discussions)$"

    @property
    def editing(self) -> str:
        """Matches the path of one comment."""
        return r"/(comments|notes)/\d+$"

    @property
    def edit(self) -> str:
        return "PATCH" if self.vendor == "github" else "PUT"

    def pull(self, **facts: Any) -> Subject:
        return pull_request(self.fake.add_pull(**{"head": "b", "sha": SHA, **facts}))

    def bodies(self, subject: Subject) -> list[str]:
        return [note["body"] for note in self.notes(subject)]

    def notes(self, subject: Subject) -> list[dict[str, Any]]:
        if subject.kind != "commit":
            return list(self.fake.comments[int(subject.id)])
        if self.vendor == "github":
            return list(self.fake.commit_comments.get(subject.id, []))
        return list(self.fake.commit_comments(subject.id))

    def before_writing(self, act: Callable[[], object], *, method: str = "POST") -> None:
        """Do something between our look at the comments and our writing."""
        path = self.writing if method == "POST" else self.editing
        self.fake.before(method, path, act)


def pull_request(number: int) -> Subject:
    return Subject(kind="pull request", id=str(number))


@pytest.fixture(params=["github", "gitlab"])
def told(request: pytest.FixtureRequest, serving: Callable[[Any], Any]) -> Told:
    fake = GitHub() if request.param == "github" else GitLab()
    serving(fake)
    return Told(request.param, fake)


@pytest.fixture
def on_github(serving: Callable[[Any], Any]) -> Told:
    return Told("github", serving(GitHub()))


@pytest.fixture
def on_gitlab(serving: Callable[[Any], Any]) -> Told:
    return Told("gitlab", serving(GitLab()))
