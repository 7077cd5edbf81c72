"""The fake GitLab's commit statuses and releases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_faults import Answer
from forge_gitlab_notes import COMMIT, PROJECT
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge_gitlab import GitLab

LIMIT = 255
# How a status goes from one state to another, and from which states it may.
MOVES = {
    "pending": ("enqueue", {"created"}),
    "running": ("run", {"created", "pending"}),
    "success": ("success", {"created", "pending", "running"}),
    "failed": ("drop", {"created", "pending", "running"}),
    "canceled": ("cancel", {"created", "pending", "running"}),
}


@dataclass(eq=False)
class Results:
    """State and routes of what stands beside a commit or a tag."""

    statuses: list[dict[str, Any]] = field(default_factory=list, init=False)
    releases: list[dict[str, Any]] = field(default_factory=list, init=False)
    knows: Callable[[str], object] = field(default=re.compile("[0-9a-f]{40}").fullmatch, init=False)
    """Tells whether the project has a commit; put `git cat-file -e` here for a real one."""

    tags: set[str] | None = field(default=None, init=False)
    """The tags that the project has; None: whatever is asked for."""

    def known(self: GitLab, sha: str) -> None:
        if not self.knows(sha):
            raise Refusal(404, "404 Commit Not Found")

    def shown(self: GitLab, sha: str) -> dict[str, str]:
        """Return the newest state of each status of a commit."""
        return {s["name"]: s["status"] for s in self.statuses if s["sha"] == sha}

    @route("POST", f"{PROJECT}/statuses/{{sha}}")
    def create_status(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        wanted = request.json
        for name in ("description", "target_url", "name"):
            if len(wanted.get(name) or "") > LIMIT:
                too_long = f"is too long (maximum is {LIMIT} characters)"
                raise Refusal(400, {"message": {name: [too_long]}})
        name = wanted.get("name") or wanted.get("context") or "default"
        status = self._unfinished(sha, name, wanted.get("ref", "main"))
        self._move(status, wanted["state"])
        if status["id"] is None:
            status.update(id=self.new_id(), author=self.user(self.login(request)))
            self.statuses.append(status)
        about = {k: wanted[k] for k in ("description", "target_url", "coverage") if k in wanted}
        status.update(about)
        return Answer(201, status)

    def _unfinished(self: GitLab, sha: str, name: str, ref: str) -> dict[str, Any]:
        """Return the status that is not over yet, or a new one."""
        for status in self.statuses:
            same = (status["sha"], status["name"], status["ref"]) == (sha, name, ref)
            if same and status["status"] in {"pending", "running"}:
                return status
        nothing = dict.fromkeys(("description", "target_url", "coverage", "finished_at"))
        return {
            "id": None,
            "sha": sha,
            "ref": ref,
            "status": "created",
            "name": name,
            "created_at": self.now(),
            "started_at": None,
            "allow_failure": False,
            "pipeline_id": 8001,
            **nothing,
        }

    def _move(self: GitLab, status: dict[str, Any], state: str) -> None:
        verb, allowed = MOVES[state]
        if status["status"] not in allowed:
            reason = f'Status cannot transition via "{verb}"'
            text = f"Cannot transition status via :{verb} from :{status['status']}"
            raise Refusal(400, f"{text} (Reason(s): {reason})")
        status["status"] = state

    @route("GET", f"{COMMIT}/statuses")
    def list_statuses(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        found = [
            status
            for status in self.statuses
            if status["sha"] == sha and request.query.get("name") in {None, status["name"]}
        ]
        if request.query.get("all", "false") != "true":
            found = list({status["name"]: status for status in found}.values())
        return self.page(request, found)

    def _release(self: GitLab, tag: str) -> dict[str, Any]:
        for release in self.releases:
            if release["tag_name"] == tag:
                return release
        raise Refusal(404, "404 Not Found")

    @route("GET", f"{PROJECT}/releases/{{tag}}")
    @route("PUT", f"{PROJECT}/releases/{{tag}}")
    def one_release(self: GitLab, request: Request, _: str, tag: str) -> Answer:
        release = self._release(tag)
        if request.method == "PUT":
            named = ("name", "description", "released_at")
            release.update({k: v for k, v in request.json.items() if k in named})
        return Answer(200, release)

    @route("POST", f"{PROJECT}/releases")
    def create_release(self: GitLab, request: Request, _: str) -> Answer:
        wanted, made = request.json, self.now()
        tag = wanted["tag_name"]
        if any(release["tag_name"] == tag for release in self.releases):
            raise Refusal(409, "Release already exists")
        if self.tags is not None and tag not in self.tags and "ref" not in wanted:
            raise Refusal(422, "Ref is not specified")
        page = f"{self.page_url}/-/releases/{tag}"
        release = {
            "tag_name": tag,
            "name": wanted.get("name") or tag,
            "description": wanted.get("description"),
            "created_at": made,
            "released_at": made,
            "upcoming_release": False,
            "author": self.user(self.login(request)),
            "tag_path": f"{self.prefix}/{self.repository}/-/tags/{tag}",
            "_links": {"self": page, "edit_url": f"{page}/edit"},
        }
        self.releases.append(release)
        return Answer(201, release)
