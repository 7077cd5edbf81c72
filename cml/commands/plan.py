"""What the main job would do here and now: nothing is run, pulled or written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cml import pipeline, record
from cml.commands import experiment, gate, in_force, legacy_files, run, save
from cml.commands.verifying import Verification
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.record import Baseline, Record
    from cml.repo import Checkout


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """How often the pipeline runs on each side with another value of a parameter, at most."""

    seed: str
    runs: int
    checks: list[str]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a run.

    Attributes:
        skip: why nothing would be done at all, or None.
        baseline: what would be compared with; None on a first commit.
        pipeline: stages, pulls and missing data; None where the run is skipped.
        repeats: runs of both sides that checks ask for.
        publish: one sentence on what would be saved.
    """

    skip: str | None = None
    baseline: Baseline | None = None
    pipeline: pipeline.Plan | None = None
    repeats: list[Repeats] = field(default_factory=list)
    publish: str = ""

    def as_data(self) -> dict[str, object]:
        """Return the plan as plain data for JSON."""
        data: dict[str, object] = record.plain(self)
        return data


def plan(settings: Settings, around: Surroundings) -> Plan:
    """Find out what the main job would do.

    Raises:
        CmlError: what the main job would fail with before it runs a stage.
    """
    checkout = run.open_checkout(around)
    context = run.located(around.context, checkout)
    if reason := run.skip_reason(settings, checkout, context):
        return Plan(skip=reason)
    legacy_files.refuse(checkout, around.start)
    force = in_force.find(settings, around, checkout, context)
    settings, baseline = force.settings, force.baseline
    seen = record.Record(context=context, baseline=baseline, rules=force.rules)
    with pipeline.open_project(around.start) as project:
        Verification(project).begin(around.start, checkout, seen)
        targets = experiment.targets(project, settings)
        found = pipeline.plan(project, targets, run=targets != [])
    where = save.destination(context, checkout, settings) if around.publish else save.SHOW_ONLY
    repeats = _repeats(around, checkout, seen)
    return Plan(baseline=baseline, pipeline=found, repeats=repeats, publish=where)


def _repeats(around: Surroundings, checkout: Checkout, seen: Record) -> list[Repeats]:
    try:
        checks = gate.rules_in_force(around.start, checkout, seen).own.checks
    except UsageError:  # the judgement will be invalid, and runs nothing
        return []
    counted = [c for c in checks if c.repeat and gate.applies(c, seen.context)]
    seeds = dict.fromkeys(check.seed for check in counted if check.seed and seen.baseline)
    return [
        Repeats(
            seed=seed,
            runs=max(check.repeat or 0 for check in counted if check.seed == seed),
            checks=[check.name for check in counted if check.seed == seed],
        )
        for seed in seeds
    ]
