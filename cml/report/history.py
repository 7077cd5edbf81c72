"""Earlier values of a metric, out of a record's experiments; draws nothing."""

import sys
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

from cml.record import Experiment, MetricChange, Record, Value
from cml.report import words

MOST = 3


@dataclass(frozen=True, kw_only=True)
class History:
    """The values of one metric from the oldest experiment to this run, and what to call each."""

    name: str
    labels: list[str]
    values: list[float]


def of(record: Record) -> list[History]:
    """Return the histories of at most three metrics, those that changed before the others.

    `record.experiments` is newest first, as the report lists them. A name that two files share
    is left out, for an experiment does not say which of them it means.
    """
    experiments = record.experiments[::-1]
    earlier = {name for experiment in experiments for name in experiment.metrics}
    shared = Counter(metric.name for metric in record.metrics)
    metrics = [m for m in record.metrics if shared[m.name] == 1 and m.name in earlier]
    metrics.sort(key=lambda metric: not words.changed(metric))
    histories = (_history(metric, experiments) for metric in metrics)
    return list(islice((history for history in histories if history is not None), MOST))


def _history(metric: MetricChange, experiments: list[Experiment]) -> History | None:
    # A commit can bear two tags, and a label that appears twice would fold the line back.
    points = {
        experiment.sha[:7]: value
        for experiment in experiments
        if _is_number(value := experiment.metrics.get(metric.name))
    }
    if not points or not _is_number(metric.new):
        return None
    return History(
        name=metric.name,
        labels=[*points, "now"],
        values=[*points.values(), metric.new],
    )


def _is_number(value: Value) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max
