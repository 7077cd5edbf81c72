"""The fake GitLab's runners, of its project and of its group; and a place to download programs.

forge.add_runner("gpu-1", labels=("gpu",))         # -> id
forge.set_runner("gpu-1", online=True, busy=True)  # it has begun a job
forge.end_job("gpu-1")
forge.tells_of_jobs = False                        # an older server: only its list of jobs does
forge.runner_secrets                               # all that has been given away
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_faults import Answer
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_gitlab import GitLab

GROUP_NUMBER = 815


@dataclass(eq=False)
class Runners:
    """State and routes of runners."""

    runners: list[dict[str, Any]] = field(default_factory=list, init=False)
    runner_secrets: list[str] = field(default_factory=list, init=False)
    tells_of_jobs: bool = field(default=True, init=False)

    def add_runner(
        self: GitLab,
        name: str,
        *,
        labels: tuple[str, ...] = (),
        kind: str = "project_type",
        locked: bool = False,
        run_untagged: bool = True,
    ) -> int:
        number = self.new_id()
        self.runners.append(
            {
                "id": number,
                "description": name,
                "paused": False,
                "is_shared": False,
                "runner_type": kind,
                "online": False,
                "status": "never_contacted",
                "job_execution_status": "idle",
                "tag_list": list(labels),
                "run_untagged": run_untagged,
                "locked": locked,
            }
        )
        return number

    def runner(self: GitLab, name: str) -> dict[str, Any]:
        (found,) = [one for one in self.runners if one["description"] == name]
        return found

    def set_runner(self: GitLab, name: str, *, online: bool = True, busy: bool = False) -> None:
        self.runner(name).update(
            online=online,
            status="online" if online else "offline",
            job_execution_status="active" if busy else "idle",
        )

    def end_job(self: GitLab, name: str) -> None:
        self.set_runner(name)

    def _numbered(self: GitLab, number: str) -> dict[str, Any]:
        for one in self.runners:
            if str(one["id"]) == number:
                return one
        raise Refusal(404, "404 Not found")

    @route("GET", "/groups/{group}")
    def get_group(self: GitLab, _: Request, group: str) -> Answer:
        if not self.repository.startswith(f"{group}/"):
            raise Refusal(404, "404 Group Not Found")
        return Answer(200, {"id": GROUP_NUMBER, "full_path": group})

    @route("POST", "/user/runners")
    def create_runner(self: GitLab, request: Request) -> Answer:
        wanted = request.json
        kind = wanted["runner_type"]
        if wanted.get("project_id", GROUP_NUMBER) not in {self.number, GROUP_NUMBER}:
            raise Refusal(400, "400 Bad request - project_id is invalid")
        number = self.add_runner(
            wanted.get("description", ""),
            labels=tuple(wanted.get("tag_list", ())),
            kind=kind,
            locked=wanted.get("locked", False),
            run_untagged=wanted.get("run_untagged", True),
        )
        self.runner_secrets.append(f"glrt-fake{number}tokenOfARunner")
        return Answer(
            201, {"id": number, "token": self.runner_secrets[-1], "token_expires_at": None}
        )

    @route("GET", "/runners/{runner}")
    @route("DELETE", "/runners/{runner}")
    def one_runner(self: GitLab, request: Request, number: str) -> Answer:
        found = self._numbered(number)
        if request.method == "DELETE":
            self.runners.remove(found)
            return Answer(204)
        told = found if self.tells_of_jobs else {**found, "job_execution_status": None}
        return Answer(200, told)

    @route("GET", "/runners/{runner}/jobs")
    def list_jobs(self: GitLab, request: Request, number: str) -> Answer:
        busy = self._numbered(number)["job_execution_status"] == "active"
        jobs = [{"id": 7000 + at, "name": "old", "status": "success"} for at in range(3)]
        jobs += [{"id": 7001, "name": "train", "status": "running"}] if busy else []
        wanted = request.query.get("status")
        return self.page(request, [job for job in jobs if wanted in {None, job["status"]}])
