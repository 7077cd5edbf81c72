"""The fake GitHub's statuses, check runs and releases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import forge_github_shapes as shapes
from forge_faults import Answer
from forge_github_comments import REPO, invalid
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge_github import GitHub

DESCRIPTION_LIMIT = 140
OUTPUT_LIMIT = 65_535
MOST_ANNOTATIONS = 50
RELEASE_LIMIT = 125_000


@dataclass(eq=False)
class Results:
    """State and routes of what stands beside a commit or a tag."""

    statuses: list[dict[str, Any]] = field(default_factory=list, init=False)
    check_runs: list[dict[str, Any]] = field(default_factory=list, init=False)
    releases: list[dict[str, Any]] = field(default_factory=list, init=False)
    knows: Callable[[str], object] = field(default=re.compile("[0-9a-f]{40}").fullmatch, init=False)
    """Tells whether the repository has a commit; put `git cat-file -e` here for a real one."""

    def known(self: GitHub, sha: str) -> None:
        if not self.knows(sha):
            raise Refusal(422, f"No commit found for SHA: {sha}")

    def shown(self: GitHub, sha: str) -> dict[str, str]:
        """Return the newest state of each status and check run of a commit."""
        said = {s["context"]: s["state"] for s in self.statuses if s["url"].endswith(sha)}
        runs = [run for run in self.check_runs if run["head_sha"] == sha]
        return said | {run["name"]: run["conclusion"] or run["status"] for run in runs}

    @route("POST", f"{REPO}/statuses/{{sha}}")
    def create_status(self: GitHub, request: Request, *path: str) -> Answer:
        self.known(path[-1])
        wanted, made, number = request.json, self.now(), self.new_id()
        if len(wanted.get("description") or "") > DESCRIPTION_LIMIT:
            text = f"description is too long (maximum is {DESCRIPTION_LIMIT} characters)"
            raise invalid("Status", "description", "custom", text)
        if not re.match("https?://|$", wanted.get("target_url") or ""):
            raise invalid("Status", "target_url", "custom", "target_url must use http(s) scheme")
        creator = self.user(self.login(request))
        status = {
            "id": number,
            "node_id": f"SC_{number}",
            "url": f"{self.api}/repos/{self.repository}/statuses/{path[-1]}",
            "avatar_url": creator["avatar_url"],
            "state": wanted["state"],
            "description": wanted.get("description"),
            "target_url": wanted.get("target_url"),
            "context": wanted.get("context", "default"),
            "created_at": made,
            "updated_at": made,
            "creator": creator,
        }
        self.statuses.append(status)
        return Answer(201, status)

    @route("GET", f"{REPO}/commits/{{sha}}/statuses")
    def list_statuses(self: GitHub, request: Request, *path: str) -> Answer:
        found = [status for status in self.statuses if status["url"].endswith(path[-1])]
        return self.page(request, found[::-1])

    @route("POST", f"{REPO}/check-runs")
    def create_check_run(self: GitHub, request: Request, *_: str) -> Answer:
        self._only_apps(request)
        wanted = self._output(request)
        self.known(wanted["head_sha"])
        wanted.setdefault("status", "completed" if "conclusion" in wanted else "queued")
        wanted.setdefault("started_at", self.now())
        wanted["app"] = shapes.app(self.server, self.api)
        self.check_runs.append(shapes.check_run(self.repo(), self.new_id(), **wanted))
        return Answer(201, self._completed(self.check_runs[-1]))

    @route("GET", f"{REPO}/check-runs/{{run}}")
    @route("PATCH", f"{REPO}/check-runs/{{run}}")
    def one_check_run(self: GitHub, request: Request, *path: str) -> Answer:
        for run in self.check_runs:
            if str(run["id"]) == path[-1]:
                if request.method == "PATCH":
                    self._only_apps(request)
                    wanted = self._output(request)
                    output = {**run["output"], **wanted.pop("output", {})}
                    output["annotations_count"] += len(output.pop("annotations", []))
                    run.update(wanted, output=output)
                return Answer(200, self._completed(run))
        raise Refusal(404, "Not Found")

    @route("GET", f"{REPO}/commits/{{sha}}/check-runs")
    def list_check_runs(self: GitHub, request: Request, *path: str) -> Answer:
        """List a commit's runs, of each name the newest unless all are asked for."""
        found = [run for run in self.check_runs if run["head_sha"] == path[-1]]
        if name := request.query.get("check_name"):
            found = [run for run in found if run["name"] == name]
        if request.query.get("filter", "latest") == "latest":
            found = list({run["name"]: run for run in found}.values())
        return self.page(request, found[::-1], "check_runs")

    def _only_apps(self: GitHub, request: Request) -> None:
        if request.token == self.person:
            raise Refusal(403, "You must authenticate via a GitHub App.")

    def _output(self: GitHub, request: Request) -> dict[str, Any]:
        wanted = request.json
        output = wanted.get("output", {})
        for name in ("summary", "text"):
            if len(output.get(name) or "") > OUTPUT_LIMIT:
                text = f"Only {OUTPUT_LIMIT} characters are allowed"
                raise invalid("CheckRun", name, "custom", text)
        if len(output.get("annotations", [])) > MOST_ANNOTATIONS:
            raise invalid("CheckRun", "annotations", "custom", "No more than 50 items are allowed")
        return wanted

    def _completed(self: GitHub, run: dict[str, Any]) -> dict[str, Any]:
        if run["conclusion"]:
            run["status"] = "completed"
            run["completed_at"] = run["completed_at"] or self.now()
        return run

    @route("GET", f"{REPO}/releases")
    def list_releases(self: GitHub, request: Request, *_: str) -> Answer:
        return self.page(request, self.releases[::-1])

    @route("GET", f"{REPO}/releases/tags/{{tag}}")
    def release_of_tag(self: GitHub, _: Request, *path: str) -> Answer:
        for release in self.releases:
            if release["tag_name"] == path[-1] and not release["draft"]:
                return Answer(200, release)
        raise Refusal(404, "Not Found")

    @route("POST", f"{REPO}/releases")
    def create_release(self: GitHub, request: Request, *_: str) -> Answer:
        wanted, made = self._release(request), self.now()
        if any(release["tag_name"] == wanted["tag_name"] for release in self.releases):
            raise invalid("Release", "tag_name", "already_exists")
        repo = self.repo()
        release = shapes.release(
            repo["url"],
            repo["html_url"],
            self.new_id(),
            tag_name=wanted["tag_name"],
            target_commitish=wanted.get("target_commitish", "main"),
            name=wanted.get("name"),
            body=wanted.get("body"),
            draft=wanted.get("draft", False),
            prerelease=wanted.get("prerelease", False),
            author=self.user(self.login(request)),
            created_at=made,
            published_at=made,
        )
        self.releases.append(release)
        return Answer(201, release)

    @route("PATCH", f"{REPO}/releases/{{release}}")
    def update_release(self: GitHub, request: Request, *path: str) -> Answer:
        for release in self.releases:
            if str(release["id"]) == path[-1]:
                wanted = self._release(request)
                release.update({k: v for k, v in wanted.items() if k in release})
                return Answer(200, release)
        raise Refusal(404, "Not Found")

    def _release(self: GitHub, request: Request) -> dict[str, Any]:
        wanted = request.json
        if len(wanted.get("body") or "") > RELEASE_LIMIT:
            text = f"body is too long (maximum is {RELEASE_LIMIT} characters)"
            raise invalid("Release", "body", "custom", text)
        return wanted
