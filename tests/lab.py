"""A small real laboratory for tests: a git remote, a DVC remote and a pipeline of three stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml import pipeline

if TYPE_CHECKING:
    from cml.record import Stage

PREPARE = """\
import os, pathlib
log = os.environ.get("RUNS_LOG")
log and open(log, "a").write("prepare\\n")
numbers = [float(p.read_text()) for p in sorted(pathlib.Path("data").iterdir())]
pathlib.Path("prepared.csv").write_text("\\n".join(map(str, numbers)) + "\\n")
print("prepared", len(numbers))
"""
TRAIN = """\
import json, os, pathlib, sys
log = os.environ.get("RUNS_LOG")
log and open(log, "a").write("train\\n")
rate = float(sys.argv[1])
numbers = [float(x) for x in pathlib.Path("prepared.csv").read_text().split()]
losses = [1 / (1 + rate * i) for i in range(5)]
pathlib.Path("model.json").write_text(json.dumps({"mean": sum(numbers) / len(numbers) * rate}))
rows = [f"{i},{x}\\n" for i, x in enumerate(losses)]
pathlib.Path("loss.csv").write_text("step,loss\\n" + "".join(rows))
print("trained", rate)
"""
EVALUATE = """\
import json, os, pathlib
log = os.environ.get("RUNS_LOG")
log and open(log, "a").write("evaluate\\n")
model = json.loads(pathlib.Path("model.json").read_text())
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": model["mean"], "n": 3}))
print("evaluated")
"""
DVC_YAML = """\
stages:
  prepare:
    cmd: python3 prepare.py
    deps: [data, prepare.py]
    outs: [prepared.csv]
  train:
    cmd: python3 train.py ${train.rate}
    deps: [prepared.csv, train.py]
    params: [train.rate]
    outs: [model.json]
    plots:
      - loss.csv: {x: step, y: loss, cache: false}
  evaluate:
    cmd: python3 evaluate.py
    deps: [model.json, evaluate.py]
    metrics:
      - metrics.json: {cache: false}
"""
CLEAN_NAMES = ("CI", "GITHUB_", "GITLAB_", "CML_", "GIT_", "DVC_")


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return this process's environment without CI, git and DVC settings, in a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(CLEAN_NAMES)}
    identity = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site-cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "200",
    }
    return {**kept, **identity, **extra}


AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


@dataclass
class Lab:
    """A folder with `origin.git`, `storage` (the DVC remote) and the clone `work`."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def origin(self) -> Path:
        return self.root / "origin.git"

    @property
    def storage(self) -> Path:
        return self.root / "storage"

    @property
    def runs(self) -> list[str]:
        """The stages whose command really ran, in order."""
        log = self.root / "runs.log"
        return log.read_text().split() if log.exists() else []

    def environ(self, **extra: str) -> dict[str, str]:
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        return environment(home, RUNS_LOG=str(self.root / "runs.log"), **self.env, **extra)

    def run(self, *args: str, cwd: Path | None = None, check: bool = True, **env: str) -> str:
        done = subprocess.run(
            args,
            cwd=cwd or self.work,
            env=self.environ(**AUTHOR, **env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{args}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def git(self, *args: str, cwd: Path | None = None) -> str:
        return self.run("git", *args, cwd=cwd)

    def dvc(self, *args: str, cwd: Path | None = None) -> str:
        return self.run(sys.executable, "-m", "dvc", *args, cwd=cwd)

    def write(self, path: str, text: str, cwd: Path | None = None) -> Path:
        file = (cwd or self.work) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def commit(self, message: str, cwd: Path | None = None, *, push: bool = True) -> str:
        """Commit everything; push the branch; return the sha."""
        self.git("add", "--all", cwd=cwd)
        self.git("commit", "-q", "--allow-empty", "-m", message, cwd=cwd)
        if push:
            self.git("push", "-q", "-u", "origin", "HEAD", cwd=cwd)
        return self.git("rev-parse", "HEAD", cwd=cwd)

    def clone(self, name: str, *args: str) -> Path:
        self.git("clone", "-q", *args, f"file://{self.origin}", name, cwd=self.root)
        return self.root / name

    def cml(
        self, *args: str, cwd: Path | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Run cml-run as a user would, with no git identity to be found anywhere."""
        return subprocess.run(
            [sys.executable, "-m", "cml", *args],
            cwd=cwd or self.work,
            env=self.environ(**env),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def record(self, cwd: Path | None = None) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(((cwd or self.work) / ".cml/record.json").read_text())
        return loaded

    def remote_log(self, ref: str = "main") -> list[str]:
        """The subjects of a branch on the git remote, newest first."""
        return self.git("log", "--format=%s", ref, cwd=self.origin).splitlines()

    def results(self, branch: str = "main") -> list[str]:
        """The subjects of the result commits on a branch of the git remote, newest first."""
        return [line for line in self.remote_log(branch) if line.startswith("cml-run: results of")]

    def change_rate(self, rate: float, cwd: Path | None = None) -> str:
        """Commit and push another parameter, which makes train and evaluate run."""
        self.write("params.yaml", f"train:\n  rate: {rate}\n", cwd=cwd)
        return self.commit(f"Train at {rate}", cwd=cwd)

    def metric(self, name: str, cwd: Path | None = None) -> dict[str, Any]:
        metrics = self.record(cwd)["metrics"]
        found: dict[str, Any] = next(m for m in metrics if m["name"] == name)
        return found

    def remote_refs(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=self.origin)
        return dict(line.split() for line in lines.splitlines())


def build_lab(root: Path) -> Lab:
    """Make a laboratory whose pipeline has run, and whose data and git are pushed."""
    lab = Lab(root)
    root.mkdir(exist_ok=True)
    lab.git("init", "-q", "--bare", "-b", "main", "origin.git", cwd=root)
    lab.storage.mkdir()
    lab.work.mkdir()
    lab.git("init", "-q", "-b", "main")
    lab.git("remote", "add", "origin", f"file://{lab.origin}")
    lab.dvc("init", "-q")
    lab.write(
        ".dvc/config",
        "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n",
    )
    for number in range(1, 4):
        lab.write(f"data/{number}.txt", str(number / 4))
    for name, text in (("prepare.py", PREPARE), ("train.py", TRAIN), ("evaluate.py", EVALUATE)):
        lab.write(name, text)
    lab.write("dvc.yaml", DVC_YAML)
    lab.write("params.yaml", "train:\n  rate: 1.0\n")
    lab.dvc("add", "-q", "data")
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("A pipeline of three stages")
    (root / "runs.log").unlink()
    return lab


class Heard:
    """An opened project in a laboratory, and what its listener heard."""

    def __init__(self, project: pipeline.Project) -> None:
        self.project = project
        self.stages: list[Stage] = []
        self.output: list[str] = []

    def reproduce(self, *targets: str, **options: Any) -> dict[str, str]:
        listener = pipeline.Listener(finished=self.stages.append, output=self.output.append)
        pipeline.reproduce(self.project, targets or None, listener=listener, **options)
        return {stage.name: stage.state for stage in self.stages}
