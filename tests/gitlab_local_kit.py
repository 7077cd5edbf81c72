"""Pipelines of GitLab CI, run by gitlab-ci-local on this machine (no Docker).

    done = gitlab_local_kit.job(lab, forge, "push", "experiment", cwd=folder, sha=sha)
    assert done.returncode == 0, done.stdout + done.stderr
    lab.record(folder)          # its jobs work where they are started

`program` is for what needs no forge. Jobs have the PATH of `act_kit.tools`, whose pip installs
nothing; `path=` is for another one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import act_kit
import pytest
from node_kit import node_module

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import CompletedProcess

    from forge_gitlab import GitLab
    from lab import Lab

TOKENS = ("GITLAB_TOKEN", "CI_JOB_TOKEN")


def program(lab: Lab, *options: str, cwd: Path | None = None, **env: str) -> CompletedProcess[str]:
    """Run gitlab-ci-local in a clone, by default the laboratory's own."""
    script = node_module("gitlab-ci-local") / "src" / "index.js"
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    return subprocess.run(
        ["node", str(script), *options],
        cwd=cwd or lab.work,
        capture_output=True,
        text=True,
        check=False,
        env=lab.environ(**{"PATH": act_kit.tools(lab), **env}),
        stdin=subprocess.DEVNULL,
    )


def job(  # noqa: PLR0913 - all of them by name
    lab: Lab,
    forge: GitLab,
    event: str,
    name: str,
    *,
    cwd: Path,
    sha: str,
    path: str | None = None,
    variables: Mapping[str, str] | None = None,
    **more: Any,
) -> CompletedProcess[str]:
    """Run a job of the pipeline in `cwd` as the fake forge's, and see that no token is said.

    `more` describes the event: `branch`, `tag` or `number`, the merge request's.
    """
    folder = Path(tempfile.mkdtemp(prefix="gitlab", dir=lab.root))
    known = forge.environ(event, folder=folder, sha=sha, **more)
    lab.git("remote", "set-head", "origin", "--auto", cwd=cwd)
    options = ("--force-shell-executor", *given({**known, **(variables or {})}))
    done = program(lab, name, *options, cwd=cwd, PATH=path or act_kit.tools(lab))
    said = done.stdout + done.stderr
    assert not [name for name in TOKENS if name in known and known[name] in said]
    return done


def given(variables: Mapping[str, str]) -> list[str]:
    """Return the options that set variables, those that GitLab itself would set among them."""
    ignored = f"--ignore-predefined-vars={','.join(variables)}"
    return [ignored, *(f"--variable={name}={value}" for name, value in variables.items())]


def names(lab: Lab, variables: Mapping[str, str], cwd: Path | None = None) -> set[str]:
    """Return the jobs that a pipeline with these variables has."""
    done = program(lab, "--list-json", *given(variables), cwd=cwd)
    assert done.returncode == 0, done.stderr
    return {job["name"] for job in json.loads(done.stdout) if job["when"] != "never"}
