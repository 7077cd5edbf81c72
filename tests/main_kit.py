"""What the end-to-end tests of the doubting user share: a source commit to run, and its traces."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

# While it trains, something happens; after that it reads its own parameter for the model.
TRAIN = """\
import json, os, pathlib, subprocess, sys
open(os.environ["RUNS_LOG"], "a").write("train\\n")
during = os.environ.get("DURING")
during and subprocess.run(["sh", during], check=True)
rate, numbers = float(sys.argv[1]), pathlib.Path("prepared.csv").read_text().split()
noise = float(os.environ.get("NOISE", "0"))
mean = sum(map(float, numbers)) / len(numbers)
pathlib.Path("model.json").write_text(json.dumps({"mean": mean * rate + noise}))
print("trained", rate)
"""
# No plots: drawing them takes most of a short run's time.
DVC_YAML = """\
stages:
  prepare:
    cmd: python3 prepare.py
    deps: [data, prepare.py]
    outs: [prepared.csv]
  train:
    cmd: python3 train.py ${train.rate}
    deps: [prepared.csv, train.py, lib]
    params: [train.rate]
    outs: [model.json]
  evaluate:
    cmd: python3 evaluate.py
    deps: [model.json, evaluate.py]
    metrics:
      - metrics.json: {cache: false}
"""
# Somebody else pushes to the branch, from a clone of their own, while this run trains.
NEWCOMER = """\
export GIT_AUTHOR_NAME=Eve GIT_AUTHOR_EMAIL=eve@example.org
export GIT_COMMITTER_NAME=Eve GIT_COMMITTER_EMAIL=eve@example.org
set -e
rm -rf {root}/mate
git clone -q -b {branch} file://{root}/origin.git {root}/mate
cd {root}/mate
{edit}
git add --all
git commit -q -m newcomer
git push -q origin HEAD
"""
PREFIX = "exp-"


def change(lab: Lab, rate: float = 2.0, cwd: Path | None = None) -> str:
    """Commit and push a change that needs a training; return its sha: the source of results."""
    lab.write("train.py", TRAIN, cwd=cwd)
    lab.write("lib/net.py", "layers = 3\n", cwd=cwd)
    lab.write("dvc.yaml", DVC_YAML, cwd=cwd)
    lab.write("params.yaml", f"train:\n  rate: {rate}\n", cwd=cwd)
    folder = cwd or lab.work
    if (folder / "loss.csv").exists():
        lab.git("rm", "-q", "loss.csv", cwd=cwd)
    return lab.commit(f"Train at {rate}", cwd=cwd)


def ci(source: str, branch: str = "main") -> dict[str, str]:
    """The environment of GitHub's job for a push."""
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "CML_FORGE": "terminal",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": f"refs/heads/{branch}",
        "GITHUB_SHA": source,
        "GITHUB_REPOSITORY": "o/r",
    }


def checked_out(lab: Lab, name: str, source: str) -> Path:
    """Make a new clone with one commit checked out, as CI does for each job."""
    folder = lab.clone(name, "--no-checkout")
    lab.git("checkout", "-q", "--detach", source, cwd=folder)
    return folder


def newcomer(lab: Lab, edit: str, branch: str = "main") -> dict[str, str]:
    """Return the environment in which somebody pushes an edit during the training."""
    text = NEWCOMER.format(root=lab.root, edit=edit, branch=branch)
    return {"DURING": str(lab.write("../newcomer.sh", text))}


def results(lab: Lab, branch: str = "main") -> list[str]:
    """The result commits of a branch on the remote, newest first."""
    lines = lab.git("log", "--format=%H %s", branch, cwd=lab.origin).splitlines()
    return [line[:40] for line in lines if line[41:].startswith("cml-run: results of ")]


def shown(lab: Lab, commit: str, path: str) -> str:
    return lab.git("show", f"{commit}:{path}", cwd=lab.origin)


def source_of(lab: Lab, commit: str) -> str:
    """Read from a commit's trailer what it holds the results of."""
    trailer = "--format=%(trailers:key=Cml-Source,valueonly)"
    return lab.git("log", "-1", trailer, commit, cwd=lab.origin)


def accuracy(lab: Lab, commit: str) -> float:
    found: float = json.loads(shown(lab, commit, "metrics.json"))["accuracy"]
    return found


def published(lab: Lab, cwd: Path | None = None) -> dict[str, Any]:
    found: dict[str, Any] = lab.record(cwd)["published"]
    return found


def lost_data(lab: Lab, commit: str, path: str = "dvc.lock") -> list[str]:
    """The outputs that a commit's dvc.lock names and the DVC remote does not hold whole."""
    from ruamel.yaml import YAML

    lock = YAML(typ="safe").load(shown(lab, commit, path))
    outs = {
        out["path"]: out["md5"]
        for stage in lock["stages"].values()
        for out in stage["outs"]
        if out["path"] != "metrics.json"
    }
    assert outs, lock
    return [path for path, md5 in outs.items() if md5 not in stored(lab)]


def stored(lab: Lab) -> set[str]:
    """The hashes of what the DVC remote holds, each of which is seen to be whole."""
    files = [file for file in (lab.storage / "files/md5").glob("??/*") if file.suffix != ".tmp"]
    for file in files:
        whole = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
        assert file.parent.name + file.stem == whole, file
    return {file.parent.name + file.name for file in files}
