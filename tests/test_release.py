"""The release workflow: who may do what in which order, and what a second attempt finds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker_kit
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
JOBS = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]


def uses(job: str, action: str) -> list[dict[str, Any]]:
    """Return what a job gives to an action, each time that it uses it."""
    steps = JOBS[job]["steps"]
    return [step.get("with", {}) for step in steps if step.get("uses", "").startswith(f"{action}@")]


def given(step: dict[str, Any]) -> dict[str, str]:
    """Return the arguments of a build."""
    return dict(line.split("=", 1) for line in step["build-args"].splitlines())


def test_only_one_job_is_who_the_index_trusts() -> None:
    (publish,) = (name for name in JOBS if uses(name, "pypa/gh-action-pypi-publish"))
    environment = JOBS[publish]["environment"]
    assert JOBS[publish]["permissions"] == {"id-token": "write"}
    assert [name for name in JOBS if JOBS[name].get("environment") == environment] == [publish]


def test_no_job_may_write_to_the_repository_and_only_reviewed_ones_write_at_all() -> None:
    for job in JOBS.values():
        assert job["permissions"].get("contents", "none") in {"read", "none"}
        assert "environment" in job or job["permissions"] == {"contents": "read"}


def test_what_cannot_be_taken_back_comes_last() -> None:
    assert JOBS["images"]["needs"] == "package"
    assert JOBS["publish"]["needs"] == ["package", "images"]
    assert JOBS["names"]["needs"] == "publish"


def test_a_second_attempt_finds_what_the_first_has_left() -> None:
    assert [step["overwrite"] for step in uses("package", "actions/upload-artifact")] == [True]
    (step,) = uses("publish", "pypa/gh-action-pypi-publish")
    assert step["skip-existing"]
    assert JOBS["images"]["strategy"]["fail-fast"] is False


def test_what_is_pushed_is_what_was_tried_and_scanned() -> None:
    tried, pushed = uses("images", "docker/build-push-action")
    (scanned,) = uses("images", "anchore/scan-action")
    assert (tried["load"], pushed["push"]) == (True, True)
    assert scanned["image"] == tried["tags"]
    assert given(tried) == given(pushed)
    assert given(tried).keys() == {"VARIANT", "REQUIREMENTS", *docker_kit.LABELS}


def variants() -> Iterator[dict[str, str]]:
    yield from JOBS["images"]["strategy"]["matrix"]["include"]


def test_the_variants_are_those_that_the_tests_build() -> None:
    defaults = {"variant": "cpu", "requirements": "all"}
    tested = [
        defaults | dict(item[12:].lower().split("=") for item in arguments)
        for arguments in docker_kit.VARIANTS.values()
    ]
    released = [{name: found[name] for name in defaults} for found in variants()]
    assert released == tested


def test_the_names_that_move_are_those_of_all_images(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@"\n')
    docker.chmod(0o755)
    (script,) = (step["run"] for step in JOBS["names"]["steps"] if "run" in step)
    environ = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_REPOSITORY": "Owner/Repo",
        "GITHUB_REF_NAME": "v1.2.3",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    image = "ghcr.io/owner/repo"
    assert done.stdout.splitlines() == [
        f"buildx imagetools create --tag {image}:{found['suffix'][1:] or 'latest'} "
        f"{image}:1.2.3{found['suffix']}"
        for found in variants()
    ]


def test_the_document_lists_the_tags() -> None:
    text = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if "`1.2.3" in line and line.startswith("|"))
    assert [row.split("|")[1].strip() for row in rows] == [
        f"`{found['suffix'][1:] or 'latest'}`, `1.2.3{found['suffix']}`" for found in variants()
    ]
