"""The repositories that are measured in, built once into a scratch folder."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRATCH = Path(__file__).resolve().parent.parent / ".bench"
FILES = 20_000
METRICS = 10_000
TAGS = 10_000
TAG_PREFIX = "exp-"
MODEL_BYTES = 100_000

PIPELINE = """\
stages:
  prepare:
    cmd: python3 prepare.py
    deps: [data, prepare.py]
    outs: [prepared.csv]
  train:
    cmd: python3 train.py ${train.rate}
    deps: [prepared.csv, train.py]
    outs: [model.json]
    plots:
      - loss.csv: {x: step, y: loss, cache: false}
  evaluate:
    cmd: python3 evaluate.py
    deps: [model.json, evaluate.py]
    metrics:
      - metrics.json: {cache: false}
"""
PREPARE = """\
import pathlib
texts = [path.read_text() for path in sorted(pathlib.Path("data").iterdir())]
pathlib.Path("prepared.csv").write_text("".join(texts))
"""
TRAIN = f"""\
import pathlib, sys
losses = "".join(f"{{i}},{{1 / (1 + float(sys.argv[1]) * i)}}\\n" for i in range(50))
pathlib.Path("loss.csv").write_text("step,loss\\n" + losses)
pathlib.Path("model.json").write_text("1" * {MODEL_BYTES})
"""
EVALUATE = """\
import json, os, pathlib
size = os.path.getsize("model.json")
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 0.9, "size": size}))
"""
ONE_STAGE = """\
stages:
  evaluate:
    cmd: python3 evaluate.py ${seed} ${metrics}
    deps: [evaluate.py]
    metrics:
      - metrics.json: {cache: false}
"""
RANDOM = """\
import json, pathlib, random, sys
random.seed(int(sys.argv[1]))
groups = range(int(sys.argv[2]) // 10)
metrics = {f"class{g}": {f"metric{i}": random.random() for i in range(10)} for g in groups}
pathlib.Path("metrics.json").write_text(json.dumps(metrics))
"""


def prepared(build: Callable[[Lab], None]) -> Lab:
    """Return a laboratory; build it unless it is there and this file has not changed since."""
    lab = Lab(SCRATCH / build.__name__)
    stamp = lab.root / "stamp"
    state = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != state:
        shutil.rmtree(lab.root, ignore_errors=True)
        lab.begin()
        build(lab)
        stamp.write_text(state)
    return lab


def skipped(lab: Lab) -> None:
    """Make a head commit that asks to be skipped."""
    lab.commit("Explain [ci skip]")


def many_files(lab: Lab) -> None:
    """Make three stages that begin with many small files; the last commit changes no stage."""
    lab.write({f"data/{n:05}.txt": f"{n * 7919 % 10007 / 10007}\n" for n in range(FILES)})
    lab.write({"prepare.py": PREPARE, "train.py": TRAIN, "evaluate.py": EVALUATE})
    lab.write({"dvc.yaml": PIPELINE, "params.yaml": "train:\n  rate: 0.1\n"})
    lab.run("dvc", "add", "-q", "data")
    _reproduce(lab, "Learn")
    lab.write({"README.md": "What this is.\n"})
    lab.commit("Explain")


def many_metrics(lab: Lab) -> None:
    """Make two commits in which all of many metrics differ."""
    lab.write({"dvc.yaml": ONE_STAGE, "evaluate.py": RANDOM})
    for seed in (1, 2):
        lab.write({"params.yaml": f"seed: {seed}\nmetrics: {METRICS}\n"})
        _reproduce(lab, f"Seed {seed}")


def few_metrics(lab: Lab) -> None:
    """Make one commit with a handful of metrics."""
    lab.write({"dvc.yaml": ONE_STAGE, "evaluate.py": RANDOM})
    lab.write({"params.yaml": "seed: 1\nmetrics: 10\n"})
    _reproduce(lab, "Begin")


def many_tags(lab: Lab) -> None:
    """Make a long history in which each commit has a tag of its own."""
    lab.write({"dvc.yaml": ONE_STAGE, "evaluate.py": RANDOM})
    lab.write({"params.yaml": "seed: 1\nmetrics: 10\n"})
    _reproduce(lab, "Begin")
    lab.run("git", "fast-import", "--quiet", stdin="".join(_history()).encode())
    lab.run("git", "reset", "-q")
    lab.commit("Explain")
    shas = lab.run("git", "rev-list", "HEAD").decode().split()[1 : TAGS + 1]
    tags = "".join(f"create refs/tags/{TAG_PREFIX}{sha[:10]} {sha}\n" for sha in shas)
    lab.run("git", "update-ref", "--stdin", stdin=tags.encode())
    lab.run("git", "push", "-q", "--tags", "origin")
    lab.run("git", "pack-refs", "--all", cwd=lab.origin)


def _history() -> Iterator[str]:
    """Write commits on top of `main`, each with other metrics, as `git fast-import` reads them."""
    for number in range(TAGS):
        start = "from refs/heads/main^0\n" if number == 0 else ""
        when = 1_700_000_000 + number
        text = f'{{"class0": {{"metric0": {number}}}}}'
        yield (
            f"commit refs/heads/main\ncommitter Ada <ada@example.org> {when} +0000\n"
            f"data 10\nExperiment\n{start}"
            f"M 100644 inline metrics.json\ndata {len(text)}\n{text}\n"
        )


def _reproduce(lab: Lab, message: str) -> None:
    lab.run("dvc", "repro", "-q")
    lab.run("dvc", "push", "-q")
    lab.commit(message)
