"""What chance explains of a number -> a verdict on it, in a sentence; computes no statistics."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from cml.checks import ranges
from cml.checks.rules import SHORT, Outcome, shown

if TYPE_CHECKING:
    from cml.checks.model import Check, Comparison, Expected, Values

_TWO, _FOUR = Context(prec=2), Context(prec=4)
_LEAST_SHOWN = 0.0001


def as_expected(
    check: Check, label: str, value: float, expected: Expected, values: Values
) -> Outcome:
    """Compare a finite number with what past results let expect.

    Args:
        check: the rules, with a direction.
        label: what to call the number.
        value: the number.
        expected: what past results let expect.
        values: hold the correction for the checks beside this one.
    """
    if expected.missing:
        return Outcome(status="inconclusive", sentence=_too_few(label, expected))
    now, bound = (Fraction(ranges.exact(number)) for number in (value, expected.bound))
    slack = now - bound if check.direction == "higher" else bound - now
    worse = slack < 0
    excused = worse and values.family > 1 and _chance(values) > 1 - expected.percent / 100
    excuse = f" But {_corrected(values)}: chance explains that." if excused else ""
    return Outcome(
        status="fail" if worse and not excused else "pass",
        sentence=f"{label} is {shown(ranges.exact(value))}, "
        f"{'worse than' if worse else 'within'} what the last {expected.results} results let "
        f"expect: {_interval(check, expected)}.{excuse}",
        slack=slack,
    )


def as_compared(check: Check, label: str, found: Comparison, values: Values) -> Outcome:
    """Say whether both sides differ by more than chance, and by more than the margin.

    Without a margin, only what is shown to be worse fails. With one, only what is shown not to be
    worse by more than that passes; what is neither is inconclusive.
    """
    if found.missing:
        sentence = f"{label}: to tell anything it takes {found.missing} more {found.units}."
        return Outcome(status="inconclusive", sentence=sentence)
    change = f"{label}: {found.what} {_changed(check, found)}"
    slack = Fraction(ranges.exact(found.gain)) + Fraction(check.margin or 0)
    margin = "" if check.margin is None else f" by more than the margin of {shown(check.margin)}"
    if _chance(values) <= 1 - found.percent / 100:
        sentence = f"{change}: that is worse{margin or ' than chance explains'}"
        return Outcome(
            status="fail", sentence=f"{sentence} ({_proof(found, values)}).", slack=slack
        )
    if check.margin is None:
        sentence = f"{change}: chance explains that ({_proof(found, values)})."
        return Outcome(status="pass", sentence=sentence, slack=slack)
    if ranges.exact(found.low) >= -check.margin:
        sentence = f"{change}: that is not worse{margin}."
        return Outcome(status="pass", sentence=sentence, slack=slack)
    needed = _needed(found, values)
    sentence = f"{change}. Whether that is worse{margin} cannot be told: {needed}."
    return Outcome(status="inconclusive", sentence=sentence, slack=slack)


def _chance(values: Values) -> float:
    return (values.chance or 0.0) if values.adjusted is None else values.adjusted


def _too_few(label: str, expected: Expected) -> str:
    count, missing = expected.results, expected.missing
    return (
        f"Of {label} there {'is' if count == 1 else 'are'} {count} past "
        f"result{'' if count == 1 else 's'}, too few to tell a change for the worse from "
        f"chance: it takes {missing} more."
    )


def _interval(check: Check, expected: Expected) -> str:
    bound = ranges.exact(expected.bound)
    if expected.constant:
        return f"all were {shown(bound)}, so that the interval is a point"
    end = "at least" if check.direction == "higher" else "at most"
    return f"{end} {shown(SHORT.plus(bound))} ({expected.percent} % prediction interval)"


def _changed(check: Check, found: Comparison) -> str:
    sign = 1 if check.direction == "higher" else -1
    ends = sorted((sign * found.low, sign * found.high))
    low, high = (_short(end) for end in ends)
    return (
        f"changed by {_short(sign * found.gain)} "
        f"({low} to {high}, {2 * found.percent - 100} % interval)"
    )


def _short(number: float) -> str:
    return shown(_FOUR.plus(ranges.exact(number)).normalize())


def _proof(found: Comparison, values: Values) -> str:
    if values.family > 1:
        return f"{found.test}, {_corrected(values)}"
    return f"{found.test}, {_probability(_chance(values))}"


def _corrected(values: Values) -> str:
    return f"{_probability(_chance(values))} after Holm's correction for {values.family} checks"


def _probability(chance: float) -> str:
    if chance < _LEAST_SHOWN:
        return f"p < {_LEAST_SHOWN}"
    return f"p = {shown(_TWO.plus(Decimal(repr(chance))))}"


def _needed(found: Comparison, values: Values) -> str:
    if found.more == 0:
        return f"it is by itself, but {_corrected(values)}"
    if found.more is None:
        return f"so near to the margin no number of {found.units} would tell"
    return f"it takes about {found.more:,} more {found.units}, if the difference stays as it is"
