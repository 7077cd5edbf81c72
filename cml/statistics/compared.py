"""How much better one side is than the other, as far as data tell."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIDENCE = 0.95
_MOST = 10**6


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a test says of a gain: the new side minus the old one, where more is better.

    Attributes:
        gain: the estimate, in the unit of the numbers compared.
        low: the gain is at least this, with a confidence of `CONFIDENCE`.
        high: the gain is at most this, with the same confidence.
        chance: how often data look so bad, or worse, where the true gain is minus the margin.
        missing: how many more items or runs of each side it takes to tell anything; where any
            are missing, the other numbers say nothing.
        more: about how many it takes to tell on which side of minus the margin the gain lies, by
            `low` or by `high`, if it and the spread stay as they are: 0 where they tell already,
            None where no number does.
    """

    gain: float = 0.0
    low: float = 0.0
    high: float = 0.0
    chance: float = 1.0
    missing: int = 0
    more: int | None = None


def certain(gain: float, *, reached: bool) -> Compared:
    """Take a gain without any spread for the truth; it has `reached` minus the margin or not."""
    return Compared(
        gain=gain,
        low=gain,
        high=gain,
        chance=1.0 if reached else 0.0,
        more=0,
    )


def finite(number: float) -> float:
    """Return the largest float instead of infinity."""
    return min(max(number, -sys.float_info.max), sys.float_info.max)


def fewest(enough: Callable[[int], bool]) -> int | None:
    """Return the least number that is enough, where all above it are too; None beyond a million."""
    if enough(0):
        return 0
    high = 1
    while not enough(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
