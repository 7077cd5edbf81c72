"""Ranges as people write them, and exact decimal rounding; knows nothing of checks."""

import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Literal

Rounding = Literal["down", "up"]

# Four digits of exponent hold every float; more would only make a mistake slow.
NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"
_RANGE = re.compile(rf"(?P<low>{NUMBER})?(?P<dots>\.\.)?(?P<high>(?<=\.\.){NUMBER})?")
_EXPECTED = "a range such as 0.7.. (more than 0.7), ..0.5 (less than 0.5) or 0.0..0.5 is expected"
# Room for all digits of the largest and the smallest float, and for the places asked for.
_EXACT = Context(prec=2000)


@dataclass(frozen=True, kw_only=True)
class Range:
    """An open interval: its ends lie outside. None is no end; `text` is how it was written."""

    low: Decimal | None
    high: Decimal | None
    text: str = field(compare=False)

    def __str__(self) -> str:
        return self.text


def parse(raw: str) -> Range:
    """Parse `0.7` or `0.7..` (more than), `..0.5` (less than) or `0.0..0.5` (between).

    Raises:
        ValueError: it is none of these, or no number lies in it.
    """
    found = _RANGE.fullmatch(raw)
    if not found or found["low"] is found["high"] is None:
        raise ValueError(f"{_EXPECTED}, not {raw[:100]!r}")
    low, high = (Decimal(end) if end else None for end in (found["low"], found["high"]))
    if low is not None and high is not None and low >= high:
        wrong = "is reversed" if low > high else "is empty, since the ends lie outside"
        raise ValueError(f"the range {raw[:100]} {wrong}; the lower end is written first")
    return Range(low=low, high=high, text=raw)


def contains(within: Range, value: Decimal) -> bool:
    """Return whether a finite value lies strictly between the ends."""
    above = within.low is None or value > within.low
    return above and (within.high is None or value < within.high)


def exact(value: float) -> Decimal:
    """Return a finite number as the decimal that people see: the shortest that reads back."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(float(value)))


def rounded(value: float, *, precision: int, how: Rounding) -> Decimal:
    """Round a finite number to `precision` decimal places.

    Args:
        value: the number; its shortest decimal text is what is rounded.
        precision: how many places to keep, from 0 to 100.
        how: toward negative infinity (`down`) or positive infinity (`up`).
    """
    if isinstance(value, int):
        return Decimal(value)
    step = Decimal(1).scaleb(-precision)
    mode = ROUND_FLOOR if how == "down" else ROUND_CEILING
    result = exact(value).quantize(step, mode, _EXACT)
    return result or result.copy_abs()  # nobody wants to read -0.00
