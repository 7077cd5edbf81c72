"""What is measured, against what a user would run instead, and how fast it is meant to be."""

from __future__ import annotations

import dataclasses
import functools
import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fixtures
import lab
import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab import Lab, Machine
    from measure import Sample

SCRIPT = "dvc pull && dvc repro && dvc metrics diff && dvc params diff && dvc push"
REPRO = "dvc repro --pull --allow-missing"
CML = str(Path(sys.executable).with_name("cml-run"))
THREE = (f"sh -c '{SCRIPT}'", REPRO, f"{CML} --publish")
FEW = 5
COMMENTS = 150
# Where the fake forge lives.
TESTS = str(Path(__file__).resolve().parent.parent / "tests")
MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table; `target` is the greatest ratio, or number of `bytes` or `requests`."""

    case: str
    instead: str
    unit: str
    theirs: float
    ours: float
    target: float

    @property
    def ratio(self) -> float | None:
        """What ours takes of theirs; None where there is nothing to divide by."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def holds(self) -> bool:
        """Tell whether the target is met."""
        if self.unit in {"bytes", "requests"}:
            return self.ours <= self.target
        return self.ratio is not None and self.ratio <= self.target


def skip() -> Iterator[Row]:
    """A head commit that asks to be skipped."""
    made = fixtures.prepared(fixtures.skipped)
    imports = f"{sys.executable} -c 'import click, git'"
    machine = made.machine()
    theirs, ours = measure.interleaved(
        [functools.partial(_run, command, machine) for command in (imports, CML)], 15
    )
    lab.scrap(machine)
    yield _time("a skip", "python -c 'import click, git'", theirs, ours, 1.5)


def nothing_to_do() -> Iterator[Row]:
    """A clean clone in which every stage is up to date."""
    made = fixtures.prepared(fixtures.many_files)
    script, repro, ours = _clean_clones(made, lambda _: None, THREE)
    yield _time("nothing to do, 20,000 files", "the script", script, ours, 0.1)
    yield _pulled("nothing to do, 20,000 files", script, ours, 0)
    yield _memory("nothing to do, 20,000 files", repro, ours)


def evaluation_changed() -> Iterator[Row]:
    """A clean clone in which the code of the last stage is new."""
    made = fixtures.prepared(fixtures.many_files)

    def change(work: Path) -> None:
        made.write({"evaluate.py": f"{fixtures.EVALUATE}# {work.parent.name}\n"}, cwd=work)
        made.commit("Evaluate otherwise", cwd=work)

    script, repro, ours = _clean_clones(made, change, THREE)
    yield _time("evaluation changed, 20,000 files", "the script", script, ours, 0.2)
    yield _pulled("evaluation changed, 20,000 files", script, ours, fixtures.MODEL_BYTES)
    yield _memory("evaluation changed, 20,000 files", repro, ours)


def plot_drawn() -> Iterator[Row]:
    """A clean clone in which a parameter is new, so that a stage runs and its plot is drawn."""
    made = fixtures.prepared(fixtures.many_files)

    def change(work: Path) -> None:
        made.write({"params.yaml": f"train:\n  rate: {work.parent.stat().st_ino}\n"}, cwd=work)
        made.commit("Train otherwise", cwd=work)

    repro, ours = _clean_clones(made, change, (REPRO, f"{CML} --publish"))
    yield _memory("a plot drawn", repro, ours)


def many_metrics() -> Iterator[Row]:
    """Ten thousand metrics, all of which changed, compared and rendered without running stages."""
    machine = fixtures.prepared(fixtures.many_metrics).machine()
    diff, compare = "dvc metrics diff --json HEAD~1", f"{CML} --repro-targets -"
    theirs, ours = measure.interleaved(
        [functools.partial(_run, command, machine) for command in (diff, compare)], 7
    )
    lab.scrap(machine)
    yield _time("10,000 metrics compared, rendered", diff, theirs, ours, 1.5)


def many_tags() -> Iterator[Row]:
    """The latest experiments among ten thousand tags, against the same among five."""
    made = fixtures.prepared(fixtures.many_tags)
    few, many = made.machine("--no-tags"), made.machine()
    latest = made.run("git", "tag", "--sort=-creatordate", cwd=many.work).decode().split()[:FEW]
    refs = [f"refs/tags/{tag}:refs/tags/{tag}" for tag in latest]
    made.run("git", "fetch", "-q", "origin", *refs, cwd=few.work)
    command = f"{CML} --tag-prefix {fixtures.TAG_PREFIX}"
    theirs, ours = measure.interleaved(
        [functools.partial(_run, command, machine) for machine in (few, many)], 7
    )
    for machine in (few, many):
        shown = [experiment["tag"] for experiment in _record(machine)["experiments"]]
        if shown != latest:
            raise RuntimeError(f"the latest experiments are {latest}, not {shown}")
        lab.scrap(machine)
    yield _time("latest 5 of 10,000 tags", "the same among 5 tags", theirs, ours, 1.2)


def requests() -> Iterator[Row]:
    """A change that is saved and told to GitHub, where its pull request has many comments."""
    sys.path.append(TESTS)
    from forge_github import GitHub

    made = fixtures.prepared(fixtures.few_metrics)
    machine = made.machine()
    made.run("git", "push", "-q", "origin", "HEAD:refs/heads/release", cwd=machine.work)
    made.write({"params.yaml": "seed: 3\nmetrics: 10\n"}, cwd=machine.work)
    made.commit("Seed 3", cwd=machine.work)
    sha = made.run("git", "rev-parse", "HEAD", cwd=machine.work).decode().strip()
    with GitHub() as forge:
        number = forge.add_pull(head="main", sha=sha, base="release")
        for at in range(COMMENTS):
            forge.add_comment(number, f"comment {at}", author="ada")
        environ = forge.environ("push", folder=machine.work.parent, sha=sha)
        measure.run([CML], machine.work, {**machine.env, **environ})
        if len(forge.comments[number]) != COMMENTS + 1:
            raise RuntimeError("the report did not reach the pull request")
        asked = forge.count()
    lab.scrap(machine)
    yield Row(
        case=f"a pull request with {COMMENTS} comments",
        instead="-",
        unit="requests",
        theirs=0,
        ours=asked,
        target=8,
    )


ALL: tuple[Callable[[], Iterator[Row]], ...] = (
    skip,
    nothing_to_do,
    evaluation_changed,
    plot_drawn,
    many_metrics,
    many_tags,
    requests,
)


def _clean_clones(
    made: Lab, change: Callable[[Path], None], commands: Sequence[str]
) -> list[Sample]:
    """Measure commands, each in a clean clone every time that has been changed in the same way."""

    def program(command: str) -> Sample:
        machine = made.machine()
        change(machine.work)
        sample = _run(command, machine)
        lab.scrap(machine)
        return sample

    return measure.interleaved([functools.partial(program, c) for c in commands], 3)


def _run(command: str, machine: Machine) -> Sample:
    sample = measure.run(shlex.split(command), machine.work, machine.env)
    if command.startswith(CML):
        pulled = _record(machine)["transfer"]["pulled_bytes"]
    else:
        cached = (machine.work / ".dvc/cache/files").rglob("*")
        pulled = sum(path.stat().st_size for path in cached if path.is_file())
    return dataclasses.replace(sample, pulled=pulled)


def _record(machine: Machine) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((machine.work / ".cml/record.json").read_text())
    return record


def _time(case: str, instead: str, theirs: Sample, ours: Sample, target: float) -> Row:
    return Row(
        case=case,
        instead=instead,
        unit="s",
        theirs=theirs.seconds,
        ours=ours.seconds,
        target=target,
    )


def _memory(case: str, theirs: Sample, ours: Sample) -> Row:
    return Row(
        case=case,
        instead=REPRO,
        unit="MB",
        theirs=theirs.memory / MEGA,
        ours=ours.memory / MEGA,
        target=1.3,
    )


def _pulled(case: str, theirs: Sample, ours: Sample, target: int) -> Row:
    return Row(
        case=case,
        instead="the script",
        unit="bytes",
        theirs=theirs.pulled,
        ours=ours.pulled,
        target=target,
    )
