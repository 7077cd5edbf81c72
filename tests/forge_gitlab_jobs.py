"""The environment of a job at the fake GitLab.

    forge.environ("push", folder=tmp_path, sha=SHA, branch="main")
    forge.environ("push", folder=tmp_path, sha=SHA, tag="v1")
    forge.environ("schedule", folder=tmp_path, sha=SHA)  # or "web", by hand
    forge.environ("merge_request_event", folder=tmp_path, sha=SHA, number=7)

With another sha than the merge request's, the pipeline is one of merged results. The project access
token is in GITLAB_TOKEN. The pipeline of a merge request from a fork runs in the fork, as it does
unless a member starts it in the parent: it has no such token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from forge_gitlab_merges import FORK

if TYPE_CHECKING:
    from pathlib import Path

    from forge_gitlab import GitLab


class Jobs:
    """What a runner would set."""

    def environ(  # noqa: PLR0913 - all of them by name
        self: GitLab,
        event: str,
        *,
        sha: str,
        folder: Path,
        branch: str = "main",
        tag: str | None = None,
        number: int | None = None,
    ) -> dict[str, str]:
        place = urlsplit(self.server)
        common = {
            "CI": "true",
            "CI_API_V4_URL": self.api,
            "CI_COMMIT_SHA": sha,
            "CI_COMMIT_SHORT_SHA": sha[:8],
            "CI_DEFAULT_BRANCH": "main",
            "CI_JOB_ID": "7001",
            "CI_JOB_NAME": "cml",
            "CI_JOB_TOKEN": self.job_token,
            "CI_PIPELINE_ID": "8001",
            "CI_PIPELINE_SOURCE": event,
            "CI_PROJECT_VISIBILITY": "private" if self.private else "public",
            "CI_SERVER_HOST": str(place.hostname),
            "CI_SERVER_PORT": str(place.port),
            "CI_SERVER_PROTOCOL": place.scheme,
            "CI_SERVER_URL": self.server,
            "GITLAB_CI": "true",
            "GITLAB_USER_LOGIN": "ada",
            "RUNNER_TEMP_PROJECT_DIR": str(folder),
        }
        ref = {"CI_COMMIT_TAG": tag} if tag else {"CI_COMMIT_BRANCH": branch}
        if number:
            ref = self._merge(number, sha)
        fork = ref.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") == str(FORK)
        path = "eve/r" if fork else self.repository
        return {
            **common,
            **ref,
            "CI_COMMIT_REF_NAME": ref.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", tag or branch),
            "CI_JOB_URL": f"{self.server}/{path}/-/jobs/7001",
            "CI_PIPELINE_URL": f"{self.server}/{path}/-/pipelines/8001",
            "CI_PROJECT_ID": str(FORK if fork else self.number),
            "CI_PROJECT_NAMESPACE": path.rpartition("/")[0],
            "CI_PROJECT_PATH": path,
            "CI_PROJECT_URL": f"{self.server}/{path}",
            **({} if fork else {"GITLAB_TOKEN": self.token}),
        }

    def _merge(self: GitLab, number: int, sha: str) -> dict[str, str]:
        pull = self.pull(number)
        merged = sha != pull["sha"]
        found = {
            "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result" if merged else "detached",
            "CI_MERGE_REQUEST_ID": pull["id"],
            "CI_MERGE_REQUEST_IID": number,
            "CI_MERGE_REQUEST_PROJECT_ID": self.number,
            "CI_MERGE_REQUEST_PROJECT_PATH": self.repository,
            "CI_MERGE_REQUEST_PROJECT_URL": self.page_url,
            "CI_MERGE_REQUEST_REF_PATH": f"refs/merge-requests/{number}/head",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": pull["source_branch"],
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": pull["sha"] if merged else "",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": pull["source_project_id"],
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": pull["target_branch"],
            "CI_MERGE_REQUEST_TITLE": pull["title"],
            "CI_OPEN_MERGE_REQUESTS": f"{self.repository}!{number}",
        }
        return {name: str(value) for name, value in found.items()}
