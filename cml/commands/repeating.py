"""The pipeline run again with other seeds on both sides, and its results compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml import statistics
from cml.commands import comparing
from cml.commands.repeater import Repeater, Seed, Side
from cml.errors import UsageError
from cml.statistics import student

if TYPE_CHECKING:
    from cml.checks.model import Check, Comparison
    from cml.commands.evidence import Evidence
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.pipeline import Project
    from cml.record import MetricChange
    from cml.repo import Checkout

NO_RUNS = "repeat takes runs of the pipeline, which the main job makes and `cml-run check` does not"


def repeater(
    settings: Settings, around: Surroundings, checkout: Checkout, project: Project
) -> Repeater:
    """Say how a job runs its pipeline again; what it saves nowhere, it keeps from later jobs."""
    return Repeater(
        checkout=checkout,
        project=project,
        jobs=settings.jobs,
        forge=around.context.forge,
        publish=around.publish and around.context.trusted,
    )


def comparison(check: Check, metric: MetricChange, base: str, found: Evidence) -> Comparison:
    """Compare a metric between runs with different seeds here and at the baseline.

    Args:
        check: the check, with `repeat` and `seed`.
        metric: the metric that it judges; a number on both sides.
        base: the sha of the baseline.
        found: runs the pipeline.

    Raises:
        UsageError: the seed is no parameter of the pipeline, or nothing is to be run here.
        PipelineError: a run failed.
    """
    count, repeater = check.repeat or 0, found.repeater
    if repeater is None:
        raise UsageError(NO_RUNS)
    student.distributions()  # before hours of training, not after
    sides = [Side(name="the baseline", sha=base), Side(name="this change", sha=found.checkout.head)]
    runs = repeater.values(metric, Seed(text=check.seed or ""), sides, count)
    sign = 1 if check.direction == "higher" else -1
    old, new = ([sign * value for value in side] for side in runs)
    told = statistics.welch(old, new, margin=float(check.margin or 0))
    return comparing.comparison(
        told,
        what=f"the mean over {count} runs of each side",
        test="Welch's test",
        units="runs of each side",
    )
