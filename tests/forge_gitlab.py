"""A GitLab of our own for tests, with one project and its state.

    forge = GitLab()                                   # gitlab.com, a nested group
    forge = GitLab(prefix="/git", repository="g/r")    # self-managed below a path
    forge.token                                        # a project access token, `glpat-...`
    forge.scopes = {"read_api"}; forge.role = "reporter"  # what it may do
    forge.job_token                                    # a job's CI_JOB_TOKEN: may only do releases
    forge.private = True
    forge.add_pull(head="b", sha=SHA, fork="eve/r")    # -> iid; base, state, shas (older heads)
    forge.add_issue()                                  # -> iid, of one sequence with the former
    forge.add_comment(7, body, author="ada")           # as if another had written it; system=True
    forge.move(7, sha)                                 # a push to the merge request
    forge.comments[7], forge.commit_comments(sha)      # what stands there, oldest first
    forge.statuses, forge.releases, forge.pulls        # lists of the API's own objects
    forge.uploads                                      # {"/uploads/HASH/name.png": bytes}
    forge.shown(sha)                                   # {name: state}, as people see them

As the real one does it: notes come newest first, system notes among them; merge requests of all
states are listed unless told, those from forks too; a status cannot be set to what it is already.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import forge_contract
from forge_base import Forge
from forge_faults import Answer
from forge_gitlab_jobs import Jobs
from forge_gitlab_merges import Merges
from forge_gitlab_notes import Notes
from forge_gitlab_results import Results
from forge_gitlab_runners import Runners
from forge_http import Refusal, Request, links, paged

ROLES = ["guest", "reporter", "developer", "maintainer"]
UNAUTHORIZED = Refusal(401, "401 Unauthorized")


def _needed(path: str) -> str:
    """Return the role that it takes to write there."""
    if re.match(r"/(user/)?runners(/|$)", path):
        return "maintainer"
    last = path.rpartition("/")[2]
    return "reporter" if last in {"notes", "uploads", "comments"} else "developer"


@dataclass(eq=False)
class GitLab(Jobs, Notes, Merges, Results, Runners, Forge):
    """gitlab.com, or a self-managed GitLab."""

    contract_path: ClassVar[str] = "/api/v4"
    repository: str = "g/sub/r"
    number: int = 4711
    private: bool = False
    token: str = "glpat-" + "fakeTokenOfTheProject"
    job_token: str = "glcbt-" + "fakeTokenOfTheJob"
    scopes: set[str] = field(default_factory=lambda: {"api"})
    role: str = "maintainer"

    @property
    def api_path(self) -> str:
        return "/api/v4"

    @property
    def contract(self) -> forge_contract.Contract:
        return forge_contract.load("gitlab")

    @property
    def page_url(self) -> str:
        return f"{self.server}/{self.repository}"

    def user(self, login: str) -> dict[str, Any]:
        return {
            "id": 1 + sum(login.encode()),
            "username": login,
            "name": login,
            "state": "active",
            "locked": False,
            "avatar_url": None,
            "web_url": f"{self.server}/{login}",
        }

    def login(self, request: Request) -> str:
        by_token = f"project_{self.number}_bot_1a2b3c"
        return by_token if request.token == self.token else "ada"

    def admit(self, request: Request, path: str) -> None:
        write, parts = request.method != "GET", path.split("/")
        known = self._known(request, path)
        if path.startswith("/projects/"):
            project = request.where.removeprefix("/projects/")
            ours = any(
                f"{project}/".startswith(f"{name}/") for name in (self.repository, str(self.number))
            )
            if not ours or (self.private and not known):
                raise Refusal(404, "404 Project Not Found")
        private = path.startswith(("/user", "/runners", "/groups")) or "statuses" in parts
        if not known and (write or private):
            raise UNAUTHORIZED
        if known and request.token == self.token:
            self._enough(write=write, role=_needed(path))

    def _known(self, request: Request, path: str) -> bool:
        """Tell whether somebody asks; a job's token is nobody where it is of no use."""
        if request.headers.get("job-token"):
            if request.token != self.job_token:
                raise UNAUTHORIZED
            return "/releases" in path
        if request.token not in {self.token, None}:
            raise UNAUTHORIZED
        return request.token is not None

    def _enough(self, *, write: bool, role: str) -> None:
        """Look at the token's scopes, and at the role of the bot that it stands for."""
        if not self.scopes & ({"api"} if write else {"api", "read_api"}):
            raise Refusal(
                403,
                {
                    "error": "insufficient_scope",
                    "error_description": "The request requires higher privileges than provided"
                    " by the access token.",
                    "scope": "api" if write else "api read_api",
                },
            )
        if (write or role == "maintainer") and ROLES.index(self.role) < ROLES.index(role):
            raise Refusal(403, "403 Forbidden")

    def page(self, request: Request, items: list[Any]) -> Answer:
        """Answer with a page of a list, 20 items unless told."""
        shown, page, last, size = paged(request, items, 20)
        beside = {"prev": page - 1 if page > 1 else None, "next": page + 1 if page < last else None}
        pages = {name: at for name, at in beside.items() if at} | {"first": 1, "last": last}
        return Answer(
            200,
            shown,
            {
                "Link": links(request, self.api + request.path, pages),
                "X-Next-Page": str(beside["next"] or ""),
                "X-Page": str(page),
                "X-Per-Page": str(size),
                "X-Prev-Page": str(beside["prev"] or ""),
                "X-Total": str(len(items)),
                "X-Total-Pages": str(last),
            },
        )
