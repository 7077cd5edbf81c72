"""The fake GitLab's merge requests, project, people and uploads."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_faults import Answer
from forge_gitlab_notes import COMMIT, PROJECT
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_gitlab import GitLab

UNKNOWN = "0" * 40
FORK = 9999


@dataclass(eq=False)
class Merges:
    """State and routes of merge requests."""

    pulls: list[dict[str, Any]] = field(default_factory=list, init=False)
    branches: dict[str, str] = field(default_factory=dict, init=False)
    """The heads of branches, as far as tests told them, for merge requests that are made."""

    uploads: dict[str, bytes] = field(default_factory=dict, init=False)
    _shas: dict[int, list[str]] = field(default_factory=dict, init=False)

    def add_pull(  # noqa: PLR0913 - all of them by name
        self: GitLab,
        *,
        head: str,
        sha: str,
        base: str = "main",
        fork: str | None = None,
        state: str = "opened",
        shas: tuple[str, ...] = (),
        title: str = "A change",
        body: str | None = None,
        author: str = "ada",
    ) -> int:
        """Open a merge request; `fork` is the project of its head, `shas` its older commits."""
        number, made = self.add_issue(), self.now()
        self._kinds[number], self._shas[number] = "merge_requests", [*shas, sha]
        self.pulls.append(
            {
                "id": 100_000 + number,
                "iid": number,
                "project_id": self.number,
                "title": title,
                "description": body,
                "state": {"open": "opened"}.get(state, state),
                "created_at": made,
                "updated_at": made,
                "merged_at": None,
                "closed_at": None,
                "source_branch": head,
                "target_branch": base,
                "source_project_id": FORK if fork else self.number,
                "target_project_id": self.number,
                "sha": sha,
                "author": self.user(author),
                "assignees": [],
                "assignee": None,
                "reviewers": [],
                "labels": [],
                "draft": False,
                "user_notes_count": 0,
                "upvotes": 0,
                "downvotes": 0,
                "milestone": None,
                "merge_status": "can_be_merged",
                "detailed_merge_status": "mergeable",
                "merge_commit_sha": None,
                "references": {
                    "short": f"!{number}",
                    "relative": f"!{number}",
                    "full": f"{self.repository}!{number}",
                },
                "web_url": f"{self.page_url}/-/merge_requests/{number}",
                "has_conflicts": False,
            }
        )
        return number

    def move(self: GitLab, number: int, sha: str) -> None:
        """Push another commit to a merge request, which leaves a system note."""
        self.pull(number)["sha"] = sha
        self._shas[number].append(sha)
        self.add_comment(number, "added 1 commit", system=True)

    def pull(self: GitLab, number: int) -> dict[str, Any]:
        for pull in self.pulls:
            if pull["iid"] == number:
                return pull
        raise Refusal(404, "404 Not found")

    @route("GET", f"{PROJECT}/merge_requests")
    def list_merges(self: GitLab, request: Request, _: str) -> Answer:
        wanted = {
            name: request.query[name]
            for name in ("source_branch", "target_branch", "source_project_id", "state")
            if request.query.get(name, "all") != "all"
        }
        found = [
            pull
            for pull in self.pulls
            if all(str(pull[name]) == value for name, value in wanted.items())
        ]
        key = request.query.get("order_by", "created_at")
        newest = request.query.get("sort", "desc") == "desc"
        return self.page(request, sorted(found, key=lambda pull: pull[key], reverse=newest))

    @route("POST", f"{PROJECT}/merge_requests")
    def create_merge(self: GitLab, request: Request, _: str) -> Answer:
        wanted = request.json
        head, base = wanted["source_branch"], wanted["target_branch"]
        for pull in self.pulls:
            if (pull["source_branch"], pull["target_branch"]) != (head, base):
                continue
            if pull["state"] == "opened" and pull["source_project_id"] == self.number:
                about = "Another open merge request already exists for this source branch"
                raise Refusal(409, {"message": [f"{about}: !{pull['iid']}"]})
        if self.branches and head not in self.branches:
            raise Refusal(400, {"message": {"source_branch": ["does not exist"]}})
        number = self.add_pull(
            head=head,
            sha=self.branches.get(head, UNKNOWN),
            base=base,
            title=wanted["title"],
            body=wanted.get("description"),
            author=self.login(request),
        )
        return Answer(201, self.pull(number))

    @route("GET", f"{PROJECT}/merge_requests/{{iid}}")
    @route("PUT", f"{PROJECT}/merge_requests/{{iid}}")
    def one_merge(self: GitLab, request: Request, _: str, number: str) -> Answer:
        pull = self.pull(int(number))
        if request.method == "PUT":
            named = ("title", "description", "target_branch")
            pull.update({k: v for k, v in request.json.items() if k in named})
            states = {"close": "closed", "reopen": "opened", None: pull["state"]}
            pull["state"] = states[request.json.get("state_event")]
            pull["updated_at"] = self.now()
        return Answer(200, pull)

    @route("GET", f"{COMMIT}/merge_requests")
    def merges_of_commit(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        """List what the commit is in: also what is closed or has moved on."""
        self.known(sha)
        return self.page(request, [p for p in self.pulls if sha in self._shas[p["iid"]]])

    @route("GET", PROJECT)
    def get_project(self: GitLab, *_: object) -> Answer:
        group, name = self.repository.rsplit("/", 1)
        return Answer(
            200,
            {
                "id": self.number,
                "name": name,
                "path": name,
                "path_with_namespace": self.repository,
                "default_branch": "main",
                "visibility": "private" if self.private else "public",
                "web_url": self.page_url,
                "http_url_to_repo": f"{self.page_url}.git",
                "namespace": {"id": 2, "name": group, "path": group, "full_path": group},
                "archived": False,
                "merge_requests_enabled": True,
                "created_at": "2025-01-01T00:00:00.000Z",
            },
        )

    @route("GET", "/user")
    def get_user(self: GitLab, request: Request) -> Answer:
        return Answer(200, {**self.user(self.login(request)), "bot": True})

    @route("POST", f"{PROJECT}/uploads")
    def upload(self: GitLab, request: Request, _: str) -> Answer:
        name, data = _file(request)
        number = self.new_id()
        secret = hashlib.md5(f"{number}".encode(), usedforsecurity=False).hexdigest()
        url, alt = f"/uploads/{secret}/{name}", name.rpartition(".")[0]
        self.uploads[url] = data
        full = f"{self.prefix}/-/project/{self.number}{url}"
        text = f"![{alt}]({url})"
        said = {"id": number, "alt": alt, "url": url, "full_path": full, "markdown": text}
        return Answer(201, said)


def _file(request: Request) -> tuple[str, bytes]:
    """Take the part `file` out of a form: its name and its content."""
    kind = request.headers.get("content-type", "")
    boundary = re.match(r'multipart/form-data;.*boundary="?([^";]+)', kind)
    for part in request.body.split(b"--" + boundary[1].encode())[1:-1] if boundary else []:
        head, _, data = part.partition(b"\r\n\r\n")
        names = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        if names.get("name") == "file" and "filename" in names:
            return names["filename"], data.removesuffix(b"\r\n")
    raise Refusal(400, {"error": "file is missing"})
