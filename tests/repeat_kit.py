"""What the tests of `repeat` share: a pipeline whose metric depends on a seed, and its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from main_kit import checked_out, ci

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

# As good as its rate says, give or take what chance does to it.
TRAIN = """\
import json, os, pathlib, random, sys
rate, seed = float(sys.argv[1]), int(sys.argv[2])
open(os.environ["RUNS_LOG"], "a").write(f"{rate}/{seed}\\n")
noise = random.Random(f"{rate} {seed}").gauss(0, 0.01)
pathlib.Path("model.json").write_text(json.dumps(rate + noise))
"""
EVALUATE = """\
import json, pathlib
score = json.loads(pathlib.Path("model.json").read_text())
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": score, "loss": 1 - score}))
"""
DVC_YAML = """\
stages:
  train:
    cmd: python3 train.py ${train.rate} ${train.seed}
    deps: [train.py]
    params: [train.rate, train.seed]
    outs: [model.json]
  evaluate:
    cmd: python3 evaluate.py
    deps: [model.json, evaluate.py]
    metrics:
      - metrics.json: {cache: false}
"""
PARAMS = "# how to train\ntrain:\n  rate: {rate}\n  seed: {seed}  # any will do\n"
BASE, HARMLESS, HARMFUL = 0.55, 0.5496, 0.5273
"""With seed 7 the harmless rate gives a worse model than the base's, and the harmful a better."""


def rule(seed: str = "train.seed", keys: str = "", count: int = 3) -> str:
    """Return a check's keys."""
    return f"{{direction: higher, repeat: {count}, seed: {seed}{keys}}}"


def rules(**checks: str) -> str:
    lines = [f"  metrics:{name}: {keys}\n" for name, keys in checks.items()]
    return "checks:\n" + "".join(lines)


def set_up(
    lab: Lab, policy: str = rules(accuracy=rule()), *, into: str = ".", **files: str
) -> None:
    """Commit and push a project that trains with noise, and its results; go on in a branch."""
    project = lab.work / into
    if into == ".":
        lab.git("rm", "-q", "--cached", "loss.csv")
    default = {
        "train.py": TRAIN,
        "evaluate.py": EVALUATE,
        "dvc.yaml": DVC_YAML,
        "params.yaml": PARAMS.format(rate=BASE, seed=7),
        "cml.yaml": policy,
    }
    for name, text in {**default, **files}.items():
        lab.write(name, text, cwd=project)
    lab.dvc("repro", "-q", cwd=project)
    lab.dvc("push", "-q", cwd=project)
    lab.commit("Train with noise")
    (lab.root / "runs.log").unlink()
    lab.git("checkout", "-q", "-b", "topic")


def propose(lab: Lab, rate: float = HARMLESS, seed: int = 7, cwd: Path | None = None) -> str:
    """Commit and push other parameters; return the sha."""
    lab.write("params.yaml", PARAMS.format(rate=rate, seed=seed), cwd=cwd)
    return lab.commit(f"Train at {rate}")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a job said in the end: its exit code, its log, and its checks."""

    code: int
    log: str
    checks: list[dict[str, Any]]

    @property
    def message(self) -> str:
        (check,) = self.checks
        text: str = check["message"]
        return text


def job(lab: Lab, name: str, sha: str, *args: str, into: str = ".", **env: str) -> Ended:
    """Run the main job in a clean checkout, and see that its temporary folder is gone."""
    cwd = checked_out(lab, name, sha) / into
    done = lab.cml(
        "--baseline", "origin/main", *args, cwd=cwd, **spare(lab), **ci(sha, "topic"), **env
    )
    assert (cwd / ".cml/record.json").is_file(), done.stderr
    assert [*(lab.root / "temp").iterdir()] == []
    return Ended(code=done.returncode, log=done.stderr, checks=lab.record(cwd)["checks"])


def spare(lab: Lab) -> dict[str, str]:
    """Return the environment in which temporary folders are made where a test can see them."""
    folder = lab.root / "temp"
    folder.mkdir(exist_ok=True)
    return {"TMPDIR": str(folder)}
