"""Runs of the pipeline with other seeds, each in a clone that is gone afterwards."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cml import console, pipeline
from cml.checks import rules
from cml.commands import experiment, save
from cml.errors import CmlError, PipelineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.metrics import Reading
    from cml.pipeline import Project
    from cml.record import Forge, MetricChange, Stage, Value
    from cml.repo import Checkout

log = logging.getLogger(__name__)

PARAMETERS = "params.yaml"


@dataclass(frozen=True, kw_only=True)
class Side:
    """A revision to run: its name for people, and its commit."""

    name: str
    sha: str


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A parameter whose values differ between runs, as it is written, and where it stands."""

    text: str

    @property
    def file(self) -> str:
        """The file, as seen from the project."""
        return self.text.rpartition(":")[0] or PARAMETERS

    @property
    def name(self) -> str:
        """The parameter in the file."""
        return self.text.rpartition(":")[2]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a run has made: the stage that it ran up to, and all metrics on the way there."""

    stage: str
    metrics: Reading


# Not frozen: the runs that several checks share are kept.
@dataclass(kw_only=True)
class Repeater:
    """Runs the pipeline of either side, each time in a new clone that is gone afterwards.

    Attributes:
        checkout: the work tree, which stays as it is.
        project: the DVC project in it, whose cache and remotes the clones use.
        jobs: how many stages may run at a time.
        forge: whose job log shows the runs.
        publish: let later jobs have the runs, by the run-cache in the DVC remote.
    """

    checkout: Checkout
    project: Project
    jobs: int
    forge: Forge
    publish: bool
    _known: dict[tuple[str, Seed, int, str], Made | CmlError] = field(default_factory=dict)

    def values(
        self, metric: MetricChange, seed: Seed, sides: list[Side], count: int
    ) -> list[list[float]]:
        """Return a metric's values in runs of each side, with the same seeds on all of them.

        The seeds are that of the first side, which is the baseline, and those that follow it: no
        change can choose what suits it.

        Raises:
            UsageError: what would run is not committed, or the seed steers nothing there.
            PipelineError: a run failed, or made no number.
        """
        self._refuse_edits()
        first = self._first(seed, sides[0])
        for side in sides:
            self._see_that_it_matters(side, seed, first, metric.path)
        return [
            [
                self._value(side, seed, first + number, metric, (number + 1, count))
                for number in range(count)
            ]
            for side in sides
        ]

    def _refuse_edits(self) -> None:
        """See that the commit tells all of this side."""
        edited = save.edits(self.project, self.checkout)
        changed = save.results(self.project, self.checkout).changed
        edited += [self.checkout.relative(path) for path in changed if path.suffix == ".dvc"]
        if edited:
            raise UsageError(
                f"repeat runs what is committed, and these differ from it: {save.listed(edited)}",
                hint="commit these edits first",
            )

    def _first(self, seed: Seed, side: Side) -> int:
        if seed.file.endswith(".py"):
            raise UsageError(f"{seed.text}: a parameter in a Python file cannot be set")
        with _told(f"in {side.name}"):
            value = pipeline.parameter(self.project, side.sha, seed.file, seed.name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise UsageError(
                f"{seed.text} is no whole number in {side.name} but {str(value)[:80]!r}, so there "
                "is no next one"
            )
        return value

    def _see_that_it_matters(self, side: Side, seed: Seed, first: int, path: str) -> None:
        """See that runs with another seed are other runs."""
        with _told(f"in {side.name}"), self._cloned(side) as project:
            stage = _maker(project, path)
            pipeline.set_parameter(project, seed.file, seed.name, first)
            if not pipeline.steers(project, stage, seed.file, seed.name, first + 1):
                raise UsageError(
                    f"no stage up to {stage!r}, which makes {path}, depends on {seed.text}, so "
                    "that all runs would be equal",
                    hint=f"name {seed.name} in `params:` of the stage that reads it",
                )

    def _value(
        self, side: Side, seed: Seed, value: int, metric: MetricChange, number: tuple[int, int]
    ) -> float:
        what = f"repeat {number[0]} of {number[1]} of {side.name}, {seed.text} = {value}"
        with _told(what):
            made = self._made(side, seed, value, metric.path, what)
            if why := made.metrics.errors.get(metric.path):
                raise PipelineError(f"what stage {made.stage!r} made cannot be read: {why}")
            found = made.metrics.values.get(metric.path, {}).get(metric.name)
            if why := rules.fault(found):
                raise PipelineError(f"stage {made.stage!r} made {metric.path}: {metric.name} {why}")
            return _float(found)

    def _made(self, side: Side, seed: Seed, value: int, path: str, what: str) -> Made:
        """Return the metrics that a run makes on the way to a file; it runs once for all checks."""
        key = side.sha, seed, value, path
        if key not in self._known:
            try:
                self._known[key] = self._run(side, seed, value, path, what)
            except CmlError as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, CmlError):
            raise known
        return known

    def _run(self, side: Side, seed: Seed, value: int, path: str, what: str) -> Made:
        ran: list[str] = []

        def finished(stage: Stage) -> None:
            experiment.narrate(stage)
            ran.extend([stage.name] if stage.state == "ran" else [])

        listener = pipeline.Listener(finished=finished, output=console.echo)
        with self._cloned(side) as project, console.section(what[0].upper() + what[1:], self.forge):
            log.info(what)
            pipeline.set_parameter(project, seed.file, seed.name, value)
            stage = _maker(project, path)
            pipeline.reproduce(project, [stage], jobs=self.jobs, listener=listener)
            if self.publish:
                _keep(project, ran)
            return Made(stage=stage, metrics=pipeline.made_metrics(project, stage))

    @contextmanager
    def _cloned(self, side: Side) -> Iterator[Project]:
        """Open the project in a clone of one side, as in a clean checkout."""
        below = self.project.root.resolve().relative_to(self.checkout.root)
        with _temporary() as folder:
            try:
                self.checkout.clone(side.sha, folder)
            except OSError as error:
                raise PipelineError(f"cannot make a clone in {folder}: {error.strerror}") from error
            with pipeline.open_copy(self.project, folder / below) as project:
                yield project


def _float(number: Value) -> float:
    try:
        return float(number or 0)
    except OverflowError as error:
        raise PipelineError(f"{number} is too large to calculate with") from error


def _maker(project: Project, path: str) -> str:
    stage = pipeline.maker(project, path)
    if stage is None:
        raise UsageError(f"no stage makes {path}, so there is nothing to run")
    return stage


def _keep(project: Project, stages: list[str]) -> None:
    """Let later jobs have what ran; without it they only take longer."""
    try:
        pipeline.push(project, [], stages)
    except CmlError as error:
        log.warning("the next job will run this again: %s", error.message)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Say of an error where it happened."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error
    except CmlError as error:
        raise PipelineError(f"{where}: {error.message}", hint=error.hint) from error


@contextmanager
def _temporary() -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cml-repeat-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            log.warning("%s cannot be removed: its stages left files of others there", folder)
