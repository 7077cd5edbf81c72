"""The fake GitHub's self-hosted runners, of its repository and of its owner, an organisation.

forge.add_runner("gpu-1", labels=("gpu",))         # as its program would register itself
forge.set_runner("gpu-1", online=True, busy=True)  # it has begun a job
forge.end_job("gpu-1")                             # one of a single job is gone then
forge.runner_secrets                               # all that has been given away
forge.administers = False                          # the person has no such right
forge.programs                                     # what there is to download
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_faults import Answer
from forge_github_comments import REPO
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_github import GitHub

RUNNERS = "/actions/runners"
ORG = "/orgs/{org}"
SHA256 = "5b" * 32


def program(system: str, architecture: str, ending: str = "tar.gz") -> dict[str, Any]:
    name = f"actions-runner-{system}-{architecture}-2.335.0.{ending}"
    address = "https://github.com/actions/runner/releases/download/v2.335.0"
    return {
        "os": system,
        "architecture": architecture,
        "download_url": f"{address}/{name}",
        "filename": name,
        "sha256_checksum": SHA256,
    }


@dataclass(eq=False)
class Runners:
    """State and routes of runners."""

    runners: list[dict[str, Any]] = field(default_factory=list, init=False)
    runner_secrets: list[str] = field(default_factory=list, init=False)
    administers: bool = field(default=True, init=False)
    filters_runners: bool = field(default=True, init=False)
    """Whether a list can be asked for by a name; older servers answer with all."""

    programs: list[dict[str, Any]] = field(
        default_factory=lambda: [
            program("osx", "arm64"),
            program("linux", "x64"),
            program("linux", "arm64"),
            program("win", "x64", "zip"),
        ],
        init=False,
    )
    _owners: dict[int, str] = field(default_factory=dict, init=False)

    def add_runner(
        self: GitHub,
        name: str,
        *,
        labels: tuple[str, ...] = (),
        organisation: str | None = None,
        ephemeral: bool = False,
    ) -> int:
        number = self.new_id()
        self._owners[number] = organisation or self.repository
        marked = [{"id": at, "name": label, "type": "custom"} for at, label in enumerate(labels)]
        self.runners.append(
            {
                "id": number,
                "runner_group_id": 1,
                "name": name,
                "os": "Linux",
                "status": "offline",
                "busy": False,
                "ephemeral": ephemeral,
                "labels": marked,
            }
        )
        return number

    def runner(self: GitHub, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.runners if one["name"] == name]
        return found

    def set_runner(self: GitHub, name: str, *, online: bool = True, busy: bool = False) -> None:
        self.runner(name).update(status="online" if online else "offline", busy=busy)

    def end_job(self: GitHub, name: str) -> None:
        if self.runner(name)["ephemeral"]:
            self.runners.remove(self.runner(name))
        else:
            self.set_runner(name)

    def _asked(self: GitHub, request: Request, owner: str) -> list[dict[str, Any]]:
        """Return an owner's runners, of which only who administers it may know."""
        if request.token != self.person:
            raise Refusal(403, "Resource not accessible by integration")
        if not self.administers:
            raise Refusal(403, "Must have admin rights to Repository.")
        organisation = self.repository.split("/")[0]
        if owner != (organisation if request.path.startswith("/orgs/") else self.repository):
            raise Refusal(404, "Not Found")
        return [one for one in self.runners if self._owners[one["id"]] == owner]

    @route("GET", f"{REPO}{RUNNERS}")
    @route("GET", f"{ORG}{RUNNERS}")
    def list_runners(self: GitHub, request: Request, *owner: str) -> Answer:
        name = request.query.get("name") if self.filters_runners else None
        found = self._asked(request, "/".join(owner))
        return self.page(request, [one for one in found if name in {None, one["name"]}], "runners")

    @route("GET", f"{REPO}{RUNNERS}/downloads")
    def list_programs(self: GitHub, request: Request, *owner: str) -> Answer:
        self._asked(request, "/".join(owner))
        return Answer(200, self.programs)

    @route("POST", f"{REPO}{RUNNERS}/registration-token")
    @route("POST", f"{ORG}{RUNNERS}/registration-token")
    def create_token(self: GitHub, request: Request, *owner: str) -> Answer:
        self._asked(request, "/".join(owner))
        return Answer(201, {"token": self._secret("AREG"), "expires_at": "2026-01-01T01:00:00Z"})

    @route("POST", f"{REPO}{RUNNERS}/generate-jitconfig")
    @route("POST", f"{ORG}{RUNNERS}/generate-jitconfig")
    def create_configuration(self: GitHub, request: Request, *owner: str) -> Answer:
        wanted, path = request.json, "/".join(owner)
        if any(one["name"] == wanted["name"] for one in self._asked(request, path)):
            text = f"Already exists - A runner with the name {wanted['name']} already exists."
            raise Refusal(409, text)
        self.add_runner(
            wanted["name"],
            labels=tuple(wanted["labels"]),
            organisation=path,
            ephemeral=True,
        )
        made = self.runner(wanted["name"])
        return Answer(201, {"runner": made, "encoded_jit_config": self._secret("AJIT")})

    def _secret(self: GitHub, kind: str) -> str:
        content = json.dumps({kind: f"secret-{self.new_id()}"}).encode()
        self.runner_secrets.append(base64.b64encode(content).decode())
        return self.runner_secrets[-1]

    @route("GET", f"{REPO}{RUNNERS}/{{runner}}")
    @route("DELETE", f"{REPO}{RUNNERS}/{{runner}}")
    @route("GET", f"{ORG}{RUNNERS}/{{runner}}")
    @route("DELETE", f"{ORG}{RUNNERS}/{{runner}}")
    def one_runner(self: GitHub, request: Request, *where: str) -> Answer:
        *owner, number = where
        for one in self._asked(request, "/".join(owner)):
            if str(one["id"]) == number:
                return self._removed(one) if request.method == "DELETE" else Answer(200, one)
        raise Refusal(404, "Not Found")

    def _removed(self: GitHub, runner: dict[str, Any]) -> Answer:
        if runner["busy"]:
            text = f"Runner {runner['name']} is currently running a job and cannot be deleted."
            raise Refusal(422, text)
        self.runners.remove(runner)
        return Answer(204)
