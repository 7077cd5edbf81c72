"""The fake GitHub's pull requests, issues, repository and people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import forge_github_shapes as shapes
from forge_faults import Answer
from forge_github_comments import REPO, invalid
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_github import GitHub

UNKNOWN = "0" * 40


@dataclass(eq=False)
class Pulls:
    """State and routes of pull requests."""

    pulls: list[dict[str, Any]] = field(default_factory=list, init=False)
    branches: dict[str, str] = field(default_factory=dict, init=False)
    """The heads of branches, as far as tests told them, for pull requests that are made."""

    _shas: dict[int, list[str]] = field(default_factory=dict, init=False)

    def add_issue(self: GitHub) -> int:
        number = len(self.comments) + 1
        self.comments[number] = []
        return number

    def add_pull(  # noqa: PLR0913 - all of them by name
        self: GitHub,
        *,
        head: str,
        sha: str,
        base: str = "main",
        fork: str | None = None,
        state: str = "open",
        shas: tuple[str, ...] = (),
        title: str = "A change",
        body: str | None = None,
        author: str = "ada",
    ) -> int:
        """Open a pull request; `fork` is the repository of its head, `shas` its older commits."""
        number, made = self.add_issue(), self.now()
        self._shas[number] = [*shas, sha]
        tip = self.branches.get(base, UNKNOWN)
        self.pulls.append(
            shapes.pull(
                self.repo(),
                number,
                state=state,
                title=title,
                body=body,
                user=self.user(author),
                created_at=made,
                updated_at=made,
                head=self._side(fork or self.repository, head, sha),
                base=self._side(self.repository, base, tip),
            )
        )
        return number

    def move(self: GitHub, number: int, sha: str) -> None:
        """Push another commit to a pull request."""
        self.pull(number)["head"]["sha"] = sha
        self._shas[number].append(sha)

    def pull(self: GitHub, number: int) -> dict[str, Any]:
        for pull in self.pulls:
            if pull["number"] == number:
                return pull
        raise Refusal(404, "Not Found")

    def _side(self: GitHub, repository: str, branch: str, sha: str) -> dict[str, Any]:
        owner = repository.split("/", maxsplit=1)[0]
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self.user(owner),
            "repo": self.repo(repository),
        }

    @route("GET", f"{REPO}/pulls")
    def list_pulls(self: GitHub, request: Request, *_: str) -> Answer:
        query = request.query
        state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base")
        found = [
            pull
            for pull in self.pulls
            if state in {"all", pull["state"]}
            # The real one takes a head without an owner for no filter.
            and (":" not in head or pull["head"]["label"] == head)
            and (base is None or pull["base"]["ref"] == base)
        ]
        key = {"updated": "updated_at"}.get(query.get("sort", "created"), "created_at")
        newest = query.get("direction", "desc" if key == "created_at" else "asc") == "desc"
        return self.page(request, sorted(found, key=lambda pull: pull[key], reverse=newest))

    @route("POST", f"{REPO}/pulls")
    def create_pull(self: GitHub, request: Request, *_: str) -> Answer:
        if request.token != self.person and not self.may_propose:
            text = "GitHub Actions is not permitted to create or approve pull requests."
            raise Refusal(403, text)
        wanted = request.json
        owner, _, head = wanted["head"].rpartition(":")
        label = f"{owner or self.repository.split('/')[0]}:{head}"
        for pull in self.pulls:
            same = (pull["head"]["label"], pull["base"]["ref"]) == (label, wanted["base"])
            if same and pull["state"] == "open":
                text = f"A pull request already exists for {label}."
                raise invalid("PullRequest", "head", "custom", text)
        if self.branches and head not in self.branches:
            raise invalid("PullRequest", "head", "invalid")
        number = self.add_pull(
            head=head,
            sha=self.branches.get(head, UNKNOWN),
            base=wanted["base"],
            title=wanted["title"],
            body=wanted.get("body"),
            author=self.login(request),
        )
        return Answer(201, {**self.pull(number), **shapes.pull_details()})

    @route("GET", f"{REPO}/pulls/{{number}}")
    @route("PATCH", f"{REPO}/pulls/{{number}}")
    def one_pull(self: GitHub, request: Request, *path: str) -> Answer:
        pull = self.pull(int(path[-1]))
        if request.method == "PATCH":
            wanted = request.json
            pull.update({k: v for k, v in wanted.items() if k in {"title", "body", "state"}})
            pull["base"]["ref"] = wanted.get("base", pull["base"]["ref"])
            pull["updated_at"] = self.now()
        return Answer(200, {**pull, **shapes.pull_details()})

    @route("GET", f"{REPO}/commits/{{sha}}/pulls")
    def pulls_of_commit(self: GitHub, request: Request, *path: str) -> Answer:
        """List what the commit is in; commits of forks are no commits of this repository."""
        own = [pull for pull in self.pulls if pull["head"]["repo"]["id"] == 1]
        return self.page(request, [p for p in own if path[-1] in self._shas[p["number"]]])

    @route("GET", f"{REPO}")
    def get_repository(self: GitHub, *_: object) -> Answer:
        return Answer(200, self.repo())

    @route("GET", "/user")
    def get_user(self: GitHub, request: Request) -> Answer:
        if request.token in {self.token, self.fork_token}:
            raise Refusal(403, "Resource not accessible by integration")
        if request.token is None:
            raise Refusal(401, "Requires authentication")
        return Answer(200, shapes.account(self.server, self.api, "ada", self.now()))
