"""One number against one rule -> a verdict on it, in a sentence; exact arithmetic throughout."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from cml.checks import ranges

if TYPE_CHECKING:
    from cml.checks.model import Check
    from cml.checks.ranges import Range
    from cml.record import Value, Verdict

_LONGEST = 40
SHORT = Context(prec=6)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a rule says of a number.

    `slack` is how far the number is from breaking the rule, negative where it does, and None where
    nothing could be compared.
    """

    status: Verdict
    sentence: str
    slack: Fraction | None = None


def fault(value: Value) -> str | None:
    """Return why a value is no number that could be judged."""
    if value is None:
        return "is missing"
    if isinstance(value, (bool, str)):
        return f"is not a number but {json.dumps(value)[:80]}"
    if isinstance(value, float) and not math.isfinite(value):
        return "is NaN" if math.isnan(value) else "is infinite"
    return None


def within(check: Check, target: Range, label: str, value: float) -> Outcome:
    """Compare a finite number with a range, after rounding as the check says."""
    compared, note = ranges.exact(value), ""
    if check.precision is not None:
        compared = ranges.rounded(value, precision=check.precision, how=check.round)
        note = f", rounded {check.round} to {shown(compared)}"
    passes = ranges.contains(target, compared)
    number = Fraction(compared)
    ends = [] if target.low is None else [number - Fraction(target.low)]
    ends += [] if target.high is None else [Fraction(target.high) - number]
    return Outcome(
        status="pass" if passes else "fail",
        sentence=f"{label} is {'in' if passes else 'not in'} range {target}: "
        f"it is {shown(ranges.exact(value))}{note}.",
        slack=min(ends),
    )


def no_worse(check: Check, label: str, old: float, new: float) -> Outcome:
    """Compare a finite number with the baseline's, in the direction that is better."""
    was, now = Fraction(ranges.exact(old)), Fraction(ranges.exact(new))
    drop = was - now if check.direction == "higher" else now - was
    move = f"{label} {_moved(ranges.exact(old), ranges.exact(new))}"
    allowed = _allowed(check, abs(was))
    if drop <= 0:
        return Outcome(status="pass", sentence=f"{move}, which is no worse.", slack=allowed - drop)
    if check.max_drop_percent is not None and not was:
        sentence = f"{move}, and of 0 there is no percentage. Use max-drop for {label}."
        return Outcome(status="invalid", sentence=sentence)
    passes = drop <= allowed
    percent = f" ({shown(_decimal(drop * 100 / abs(was)))} %)" if was else ""
    return Outcome(
        status="pass" if passes else "fail",
        sentence=f"{move}: worse by {shown(_decimal(drop))}{percent}, "
        f"{'within' if passes else 'more than'} {drops(check)}.",
        slack=allowed - drop,
    )


def _allowed(check: Check, was: Fraction) -> Fraction:
    """Return the largest drop from a value of this size; with two limits, both hold."""
    limits = []
    if check.max_drop is not None:
        limits.append(Fraction(check.max_drop))
    if check.max_drop_percent is not None:
        limits.append(Fraction(check.max_drop_percent) * was / 100)
    return min(limits, default=Fraction(0))


def drops(check: Check) -> str:
    """Say what drop is allowed."""
    limits = []
    if check.max_drop is not None:
        limits.append(f"max-drop {shown(check.max_drop)}")
    if check.max_drop_percent is not None:
        limits.append(f"max-drop-percent {shown(check.max_drop_percent)}")
    return " and ".join(limits) or "none allowed"


def _moved(old: Decimal, new: Decimal) -> str:
    if old == new:
        return f"stayed at {shown(new)}"
    return f"{'fell' if new < old else 'rose'} from {shown(old)} to {shown(new)}"


def shown(number: Decimal) -> str:
    """Write a number in full where that is short, else with six digits."""
    plain = f"{number:f}" if abs(number.adjusted()) < _LONGEST else ""
    if plain and len(plain) <= _LONGEST:
        return plain.removesuffix(".0")
    return str(SHORT.create_decimal(number).normalize()).lower()


def _decimal(number: Fraction) -> Decimal:
    """Return a ratio with the digits that people read."""
    return SHORT.divide(Decimal(number.numerator), Decimal(number.denominator))
