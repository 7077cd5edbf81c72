"""The pipeline run again with other seeds on both sides, and its results compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.checks.model import Check, Comparison
    from cml.commands.evidence import Evidence
    from cml.record import MetricChange


def comparison(check: Check, metric: MetricChange, base: str, found: Evidence) -> Comparison:
    """Compare a metric between runs with different seeds here and at the baseline.

    Args:
        check: the check, with `repeat` and `seed`.
        metric: the metric that it judges; a number on both sides.
        base: the sha of the baseline.
        found: runs the pipeline.

    Raises:
        UsageError: the seed is no parameter of the pipeline.
        PipelineError: a run failed.
    """
    raise UsageError(f"{check.name} {metric} {base} {found}")
