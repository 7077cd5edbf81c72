"""A GitHub of our own for tests, with one repository and its state.

    forge = GitHub()                                   # github.com; the API at the server's root
    forge = GitHub(prefix="/ghe", enterprise=True)     # GitHub Enterprise: the API at /api/v3
    forge.token                                        # a job's GITHUB_TOKEN: an app's, `ghs_...`
    forge.person                                       # a person's token, `ghp_...`
    forge.fork_token                                   # of a pull request from a fork: only reads
    forge.permissions = {"contents": "read"}           # what the workflow grants to GITHUB_TOKEN
    forge.private = True
    forge.add_pull(head="b", sha=SHA, fork="eve/r")    # -> number; base, state, shas (older heads)
    forge.add_issue()                                  # -> number
    forge.add_comment(7, body, author="ada")           # as if another had written it
    forge.move(7, sha)                                 # a push to the pull request
    forge.comments[7], forge.commit_comments[sha]      # what stands there, oldest first
    forge.statuses, forge.check_runs, forge.releases, forge.pulls  # lists of the API's own objects
    forge.shown(sha)                                   # {name: state}, as people see them

As the real one does it: comments come oldest first; `head` without an owner is no filter at all;
`commits/SHA/pulls` also lists pull requests that are closed or have moved on, and none from forks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import forge_contract
import forge_github_shapes as shapes
from forge_base import Forge
from forge_faults import Answer
from forge_github_comments import Comments
from forge_github_jobs import Jobs
from forge_github_pulls import Pulls
from forge_github_results import Results
from forge_github_runners import Runners
from forge_http import Refusal, Request, links, paged

SCOPES = ("checks", "contents", "issues", "pull-requests", "statuses")
# What a request to a path below the repository needs; one of several is enough.
NEEDS = (
    (r"/issues/comments|/issues/\d+/comments", ("issues", "pull-requests")),
    (r"/issues", ("issues",)),
    (r"/check-runs", ("checks",)),
    (r"/status(es)?(/|$)", ("statuses",)),
    (r"/pulls", ("pull-requests",)),
    (r"/comments|/releases|/commits|/git/", ("contents",)),
)


@dataclass(eq=False)
class GitHub(Jobs, Comments, Pulls, Results, Runners, Forge):
    """GitHub, or GitHub Enterprise."""

    repository: str = "o/r"
    enterprise: bool = False
    private: bool = False
    token: str = "ghs_" + "fakeTokenOfTheJob000000000000000000"
    fork_token: str = "ghs_" + "fakeTokenOfAFork00000000000000000000"
    person: str = "ghp_" + "fakeTokenOfAPerson00000000000000000"
    permissions: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SCOPES, "write"))
    may_propose: bool = True
    """The setting 'Allow GitHub Actions to create and approve pull requests'."""

    @property
    def api_path(self) -> str:
        return "/api/v3" if self.enterprise else ""

    @property
    def contract(self) -> forge_contract.Contract:
        return forge_contract.load("github")

    def canonical(self, path: str) -> str:
        """Take the addresses in links to other pages, which know the repository by its number."""
        return re.sub(r"^/repositories/1(?=/|$)", f"/repos/{self.repository}", path)

    def repo(self, path: str | None = None) -> dict[str, Any]:
        path = path or self.repository
        number = 1 if path == self.repository else 2
        return shapes.repository(self.server, self.api, path, number, private=self.private)

    def user(self, login: str) -> dict[str, Any]:
        return shapes.user(self.server, self.api, login)

    def login(self, request: Request) -> str:
        return "ada" if request.token == self.person else shapes.BOT

    def admit(self, request: Request, path: str) -> None:
        if "user-agent" not in request.headers:
            raise Refusal(403, "Request forbidden by administrative rules.")
        if request.token not in {self.token, self.fork_token, self.person, None}:
            raise Refusal(401, "Bad credentials")
        if request.token is None and (self.private or request.method != "GET"):
            hidden = request.method == "GET"
            raise Refusal(404, "Not Found") if hidden else Refusal(401, "Requires authentication")
        inside = path.startswith("/repos/") and path.removeprefix(f"/repos/{self.repository}")
        if path.startswith("/repos/") and inside == path:
            raise Refusal(404, "Not Found")
        if inside and request.token == self.token:
            self._grant(request, inside, self.permissions)
        if inside and request.token == self.fork_token:
            self._grant(request, inside, dict.fromkeys(SCOPES, "read"))

    def _grant(self, request: Request, path: str, given: dict[str, str]) -> None:
        """Look whether the workflow gave its token what this needs."""
        if request.method == "GET" and not self.private:
            return
        names = next((names for pattern, names in NEEDS if re.match(pattern, path)), ())
        enough = {"write"} if request.method != "GET" else {"read", "write"}
        if names and not any(given.get(name) in enough for name in names):
            verb = "read" if request.method == "GET" else "write"
            wanted = "; ".join(f"{name.replace('-', '_')}={verb}" for name in names)
            raise Refusal(
                403,
                "Resource not accessible by integration",
                X_Accepted_GitHub_Permissions=wanted,
            )

    def page(self, request: Request, items: list[Any], key: str | None = None) -> Answer:
        """Answer with a page of a list, 30 items unless told; `key` names it in an object."""
        shown, page, last, _ = paged(request, items, 30)
        path = request.path.replace(f"/repos/{self.repository}/", "/repositories/1/")
        pages = {}
        if page < last:
            pages = {"next": page + 1, "last": last}
        if page > 1:
            pages |= {"prev": page - 1, "first": 1}
        headers = {"Link": links(request, self.api + path, pages)} if pages else {}
        body = {"total_count": len(items), key: shown} if key else shown
        return Answer(200, body, headers)
