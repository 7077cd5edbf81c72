"""What the last results of the target branch let expect of a metric."""

from __future__ import annotations

import json
import logging
import math
import re
from typing import TYPE_CHECKING, Any, TypeVar

from cml import metrics, pipeline, statistics
from cml.checks.model import Expected
from cml.errors import CmlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cml.checks.model import Check
    from cml.commands.evidence import Evidence
    from cml.record import MetricChange, Record, Value
    from cml.statistics import Side

Found = TypeVar("Found")

log = logging.getLogger(__name__)

PERCENT = 95
# Not each commit that changes a dvc.lock makes the metric anew.
_COMMITS_PER_RESULT = 5


def expected(
    check: Check, metric: MetricChange | None, record: Record, found: Evidence
) -> Expected | None:
    """Say what a check's `history` lets expect; None where it asks for none.

    Args:
        check: the check, with a direction.
        metric: the metric that it judges; None where that is in no file, here or at the baseline.
        record: names the baseline, whose result is the newest that counts.
        found: reads the past.
    """
    if check.history is None:
        return None
    values: list[float] = []
    if metric is not None and record.baseline is not None:
        values = _values(metric, record.baseline.sha, found, check.history)
    if len(values) < statistics.LEAST:
        return Expected(results=len(values), missing=statistics.LEAST - len(values))
    side: Side = "lower" if check.direction == "higher" else "upper"
    end = statistics.prediction_bound(values, confidence=PERCENT / 100, side=side)
    value = _finite(metric.new) if metric else None
    return Expected(
        results=len(values),
        bound=end.bound,
        percent=PERCENT,
        constant=end.constant,
        chance=1.0 if value is None else statistics.prediction_chance(values, value, side=side),
    )


def _values(metric: MetricChange, sha: str, found: Evidence, count: int) -> list[float]:
    """Return the metric at the last `count` results, without those where it is no number."""
    values: list[float] = []
    for result in _results(metric.path, sha, found, count):
        value = _finite(result.get(metric.name))
        values += [] if value is None else [value]
        if len(values) == count:
            break
    return values


def _results(path: str, sha: str, found: Evidence, count: int) -> Iterator[dict[str, Value]]:
    """Yield what the metrics file held after each run that made it, the newest first.

    A run shows in several commits where other stages moved in dvc.lock too, and counts once.
    """
    last: Any = None
    commits = found.checkout.results_before(sha, _paths(path, found), count * _COMMITS_PER_RESULT)
    for commit in commits:
        made = _attempt(_making, path, commit, found)
        if made is not None and made != last:
            last = made
            yield _attempt(_read, path, commit, found) or {}


def _attempt(
    read: Callable[[str, str, Evidence], Found], path: str, commit: str, found: Evidence
) -> Found | None:
    """Read from a commit of the past, which nobody can mend any more: a broken one is left out."""
    try:
        return read(path, commit, found)
    except (CmlError, ValueError) as error:
        log.warning("the result at %s is left out: %s", commit[:7], error)
        return None


def _paths(path: str, found: Evidence) -> list[str]:
    """Return git's pathspecs of the files that change with a result."""
    paths = [f":(top,literal){_named(path, found)}"]
    if found.project is not None:
        folder = re.sub(r"([\\*?\[])", r"\\\1", _named("", found))
        paths.append(f":(top,glob){'' if folder == '.' else f'{folder}/'}**/dvc.lock")
    return paths


def _named(path: str, found: Evidence) -> str:
    """Return what git calls a metrics file, or the project's folder."""
    if found.project is None:
        return path
    return found.checkout.relative(found.project.root.resolve() / path)


def _making(path: str, commit: str, found: Evidence) -> Any:
    """Return what tells the runs that made a file apart; None where a commit has no such file."""
    made = None if found.project is None else pipeline.making(found.project, commit, path)
    return made or found.checkout.show(commit, _named(path, found))


def _read(path: str, commit: str, found: Evidence) -> dict[str, Value]:
    if found.project is None:
        return metrics.flatten(json.loads(found.checkout.show(commit, path) or b"{}"))
    names = [str(found.project.root / path)]
    reading = pipeline.read_metrics(found.project, [commit], names)[commit]
    return {**reading.values.get(path, {})}


def _finite(value: Value) -> float | None:
    if isinstance(value, (bool, str)) or value is None:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
