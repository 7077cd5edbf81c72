"""The environments of the fake forges' jobs are those of real jobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from cml import ci

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub
    from forge_gitlab import GitLab

SHA, MERGE = "a" * 40, "c" * 40


def context(environ: dict[str, str]) -> dict[str, object]:
    """What cml-run makes of a job's environment, without what is the same in all."""
    found = ci.context(environ, event(environ))
    names = ("event", "sha", "branch", "tag", "pull_request", "target", "trusted")
    return {name: value for name in names if (value := getattr(found, name)) is not None}


def event(environ: dict[str, str]) -> dict[str, object]:
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as any program would
        loaded: dict[str, object] = json.load(file)
    return loaded


@pytest.mark.parametrize("name", ["push", "schedule", "workflow_dispatch"])
def test_github_s_job_for_a_branch(github_forge: GitHub, tmp_path: Path, name: str) -> None:
    environ = github_forge.environ(name, folder=tmp_path, sha=SHA, branch="feature/x")

    assert context(environ) == {"event": name, "sha": SHA, "branch": "feature/x", "trusted": True}


def test_github_s_job_for_a_tag(github_forge: GitHub, tmp_path: Path) -> None:
    environ = github_forge.environ("push", folder=tmp_path, sha=SHA, tag="v1")

    assert context(environ) == {"event": "push", "sha": SHA, "tag": "v1", "trusted": True}


@pytest.mark.parametrize(("fork", "status"), [(None, 201), ("eve/r", 403)])
def test_github_s_job_for_a_pull_request_reads_only_where_it_comes_from_a_fork(
    github_forge: GitHub, tmp_path: Path, fork: str | None, status: int
) -> None:
    number = github_forge.add_pull(head="b", sha=SHA, fork=fork)
    environ = github_forge.environ("pull_request", folder=tmp_path, sha=MERGE, number=number)

    answer = requests.post(
        f"{environ['GITHUB_API_URL']}/repos/{environ['GITHUB_REPOSITORY']}/statuses/{SHA}",
        headers={"Authorization": f"token {environ['GITHUB_TOKEN']}"},
        json={"state": "pending"},
        timeout=60,
    )

    assert answer.status_code == status
    assert context(environ) == {
        "event": "pull_request",
        "sha": SHA,
        "branch": "b",
        "target": "main",
        "pull_request": number,
        "trusted": fork is None,
    }


@pytest.mark.parametrize("name", ["push", "schedule", "web"])
def test_gitlab_s_job_for_a_branch(gitlab_forge: GitLab, tmp_path: Path, name: str) -> None:
    environ = gitlab_forge.environ(name, folder=tmp_path, sha=SHA, branch="feature/x")

    assert context(environ) == {"event": name, "sha": SHA, "branch": "feature/x", "trusted": True}


def test_gitlab_s_job_for_a_tag(gitlab_forge: GitLab, tmp_path: Path) -> None:
    environ = gitlab_forge.environ("push", folder=tmp_path, sha=SHA, tag="v1")

    assert context(environ) == {"event": "push", "sha": SHA, "tag": "v1", "trusted": True}


@pytest.mark.parametrize("fork", [None, "eve/r"])
@pytest.mark.parametrize("sha", [SHA, MERGE])
def test_gitlab_s_job_for_a_merge_request_has_no_token_in_a_fork(
    gitlab_forge: GitLab, tmp_path: Path, fork: str | None, sha: str
) -> None:
    number = gitlab_forge.add_pull(head="b", sha=SHA, fork=fork)
    environ = gitlab_forge.environ("merge_request_event", folder=tmp_path, sha=sha, number=number)

    assert ("GITLAB_TOKEN" in environ, environ["CI_PROJECT_PATH"]) == (
        (False, "eve/r") if fork else (True, "g/sub/r")
    )
    assert context(environ) == {
        "event": "merge_request_event",
        "sha": SHA,
        "branch": "b",
        "target": "main",
        "pull_request": number,
        "trusted": fork is None,
    }
