"""The environment and the event file of a job at the fake GitHub.

    forge.environ("push", folder=tmp_path, sha=SHA, branch="main")
    forge.environ("push", folder=tmp_path, sha=SHA, tag="v1")
    forge.environ("schedule", folder=tmp_path, sha=SHA)          # or "workflow_dispatch"
    forge.environ("pull_request", folder=tmp_path, sha=MERGE, number=7)   # the synthetic merge

`folder` takes the event file, $GITHUB_OUTPUT and $GITHUB_STEP_SUMMARY. The token is in
GITHUB_TOKEN, as a workflow would pass it; for a pull request from a fork it only reads.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import forge_github_shapes as shapes

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub


class Jobs:
    """What a runner would set."""

    def environ(  # noqa: PLR0913 - all of them by name
        self: GitHub,
        event: str,
        *,
        folder: Path,
        sha: str,
        branch: str = "main",
        tag: str | None = None,
        number: int | None = None,
    ) -> dict[str, str]:
        ref = f"refs/tags/{tag}" if tag else f"refs/heads/{branch}"
        token, head, base = self.token, "", ""
        if number:
            pull = self.pull(number)
            ref, head, base = f"refs/pull/{number}/merge", pull["head"]["ref"], pull["base"]["ref"]
            token = self.token if pull["head"]["repo"]["id"] == 1 else self.fork_token
        payload = {
            **self._payload(event, ref, sha, number),
            "repository": self.repo(),
            "sender": self.user("ada"),
        }
        files = {name: folder / f"{name}.txt" for name in ("output", "summary")}
        for file in files.values():
            file.touch()
        (folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "ada",
            "GITHUB_API_URL": self.api,
            "GITHUB_BASE_REF": base,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_HEAD_REF": head,
            "GITHUB_JOB": "cml",
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_REF": ref,
            "GITHUB_REF_NAME": ref.split("/", 2)[2],
            "GITHUB_REF_TYPE": "tag" if tag else "branch",
            "GITHUB_REPOSITORY": self.repository,
            "GITHUB_REPOSITORY_ID": "1",
            "GITHUB_REPOSITORY_OWNER": self.repository.split("/")[0],
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "9001",
            "GITHUB_RUN_NUMBER": "1",
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_SHA": sha,
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_TOKEN": token,
            "GITHUB_WORKFLOW": "cml",
            "RUNNER_OS": "Linux",
        }

    def _payload(
        self: GitHub, event: str, ref: str, sha: str, number: int | None
    ) -> dict[str, Any]:
        match event:
            case "push":
                page = f"{self.server}/{self.repository}"
                return {
                    "ref": ref,
                    "before": "0" * 40,
                    "after": sha,
                    "created": True,
                    "deleted": False,
                    "forced": False,
                    "base_ref": None,
                    "compare": f"{page}/compare/{ref.split('/', 2)[2]}",
                    "commits": [],
                    "head_commit": {
                        "id": sha,
                        "message": "A change",
                        "url": f"{page}/commit/{sha}",
                    },
                    "pusher": {"name": "ada", "email": "ada@example.org"},
                }
            case "pull_request" | "pull_request_target":
                assert number, "which pull request?"
                pull = {**self.pull(number), **shapes.pull_details()}
                return {"action": "synchronize", "number": number, "pull_request": pull}
            case "workflow_dispatch":
                return {"inputs": {}, "ref": ref, "workflow": ".github/workflows/cml.yaml"}
            case _:
                return {"schedule": "0 4 * * *", "workflow": ".github/workflows/cml.yaml"}
