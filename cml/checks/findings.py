"""All rules of a check against one metric."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from cml.checks import noise, ranges, rules
from cml.checks.rules import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cml.checks.model import Check, Values
    from cml.record import Value, Verdict

_UNPREDICTED = "There are no predictions at the baseline to compare with."
WORST_FIRST: tuple[Verdict, ...] = ("invalid", "fail", "inconclusive", "pass")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the rules of a check say of one metric; `value` is a finite number or None."""

    name: str
    outcomes: tuple[Outcome, ...]
    value: float | None = None

    @property
    def status(self) -> Verdict:
        """The worst of its outcomes."""
        return worst([outcome.status for outcome in self.outcomes])

    @property
    def order(self) -> tuple[int, bool, Fraction]:
        """What sorts the worst first: its verdict, then its least slack."""
        slacks = [outcome.slack for outcome in self.outcomes if outcome.slack is not None]
        return WORST_FIRST.index(self.status), not slacks, min(slacks, default=Fraction(0))

    @property
    def message(self) -> str:
        """What its rules say, in sentences."""
        return " ".join(outcome.sentence for outcome in self.outcomes)


def worst(statuses: Sequence[Verdict]) -> Verdict:
    """Return the worst of some verdicts; of none, that is a pass."""
    return min(statuses, key=WORST_FIRST.index, default="pass")


def finding(check: Check, name: str, values: Values, *, gradient: bool) -> Finding:
    """Apply every rule of a check to a metric.

    Args:
        check: the rules.
        name: the metric.
        values: where its value is.
        gradient: use GradientCI's wording, and fail where it did.
    """
    label = name if check.slices else _label(check)
    problem = values.problems.get(name)
    if problem is not None:
        return Finding(name=name, outcomes=(_troubled(label, problem),))
    value = _value(check, name, values)
    reason = rules.fault(value)
    if reason is not None or value is None or isinstance(value, str):
        return Finding(name=name, outcomes=(_unusable(check, label, value, gradient=gradient),))
    outcomes = tuple(_outcomes(check, name, value, values))
    if gradient:
        outcomes = tuple(replace(each, sentence=_in_range(check, each.status)) for each in outcomes)
    return Finding(name=name, value=value, outcomes=outcomes)


def _label(check: Check) -> str:
    """Name the number as GradientCI did: `tensorflow:loss/max`."""
    if check.aggregate is None:
        return check.name
    return f"{check.name}/{check.aggregate.removeprefix('/')}"


def _value(check: Check, name: str, values: Values) -> Value:
    if check.source != "tensorflow":
        return values.now.get(name)
    logged = values.series.get(name, ())
    counted = logged[-1:] if check.over == "last" else logged
    if not counted:
        return None
    broken = next((value for value in counted if not math.isfinite(value)), None)
    if broken is not None:
        return broken
    return _aggregated(check.aggregate, counted)


def _aggregated(how: str | None, values: Sequence[float]) -> float:
    """Aggregate finite numbers as the decimals that people see; infinity beyond all floats."""
    import statistics

    aggregates: dict[str | None, Callable[[Sequence[Fraction]], float | Fraction]] = {
        "mean": statistics.mean,
        "stddev": statistics.pstdev,
        "var": statistics.pvariance,
        "max": max,
        "min": min,
        "median": statistics.median,
    }
    try:
        return float(aggregates[how]([Fraction(ranges.exact(value)) for value in values]))
    except OverflowError:
        return math.inf


def _troubled(label: str, problem: str) -> Outcome:
    what = f"{label} {problem}" if problem.startswith("is ") else f"{label}: {problem}"
    return Outcome(status="invalid", sentence=f"{what.removesuffix('.')}.")


def _unusable(check: Check, label: str, value: Value, *, gradient: bool) -> Outcome:
    """Judge what is no finite number."""
    status: Verdict = "fail" if gradient else "invalid"
    if value is None and check.if_not_found == "success":
        return Outcome(status="pass", sentence=f"{label} is missing, which is allowed.")
    if gradient and value is not None:
        return Outcome(status=status, sentence=_in_range(check, status))
    return Outcome(status=status, sentence=f"{label} {rules.fault(value)}.")


def _in_range(check: Check, status: Verdict) -> str:
    """Say it as GradientCI did."""
    words = "is in" if status == "pass" else "is not in"
    return f"Metric {_label(check)} {words} range {check.target}."


def _outcomes(check: Check, name: str, value: float, values: Values) -> Iterator[Outcome]:
    label = name if check.slices else _label(check)
    if check.target is not None:
        yield rules.within(check, check.target, label, value)
    if check.relative:
        yield _compared(check, name, value, values)


def _compared(check: Check, name: str, value: float, values: Values) -> Outcome:
    """Compare with the baseline; what is new there cannot have become worse."""
    label = name if check.slices else _label(check)
    problem = values.problems_before.get(name)
    if problem is not None:
        return _troubled(f"The baseline's {label}", problem)
    if values.expected is not None:
        return noise.as_expected(check, label, value, values.expected, values)
    old = None if values.before is None else values.before.get(name)
    reason = None if old is None else rules.fault(old)
    if reason is not None or isinstance(old, str):
        return _troubled(f"The baseline's {label}", reason or "")
    if old is None:
        sentence = f"There is nothing to compare {label} with yet."
        return Outcome(status="pass", sentence=sentence)
    if values.comparison is not None:
        return noise.as_compared(check, label, values.comparison, values)
    plain = rules.no_worse(check, label, old, value)
    note = "" if check.predictions is None else f" {_UNPREDICTED}"
    return replace(plain, sentence=f"{plain.sentence}{note}")
