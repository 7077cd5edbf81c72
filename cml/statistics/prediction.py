"""Where the next number of a series is expected."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cml.statistics.student import below, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

Side = Literal["lower", "upper"]
LEAST = 3
"""With fewer values the interval is so wide that it says nothing."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Where the next value of a series is expected.

    Attributes:
        bound: the end of the interval; the largest float of its sign where it lies beyond that.
        constant: all values are equal: the interval is a point.
    """

    bound: float
    constant: bool


def prediction_bound(values: Sequence[float], *, confidence: float, side: Side) -> Prediction:
    """Return the end of the one-sided prediction interval for one more value.

    With the mean m and the standard deviation s of n independent values from one normal
    distribution, the next one lies above m - t * s * sqrt(1 + 1/n) with this confidence, where t
    is the quantile of Student's distribution with n - 1 degrees of freedom; below m + ... on the
    other side. Source: NIST/SEMATECH e-Handbook of Statistical Methods; G. J. Hahn and
    W. Q. Meeker, "Statistical Intervals", chapter 4.

    Args:
        values: at least two finite numbers.
        confidence: between 0.5 and 1.
        side: which end is asked for.

    Raises:
        UsageError: SciPy is not installed.
    """
    import statistics

    count = len(values)
    if min(values) == max(values):
        return Prediction(bound=values[0], constant=True)
    scale = max(abs(value) for value in values)  # the squares of large floats are no floats
    parts = [value / scale for value in values]
    reach = quantile(confidence, count - 1) * statistics.stdev(parts) * math.sqrt(1 + 1 / count)
    middle = statistics.mean(parts)
    end = middle - reach if side == "lower" else middle + reach
    largest = sys.float_info.max
    return Prediction(bound=min(max(end * scale, -largest), largest), constant=False)


def prediction_chance(values: Sequence[float], value: float, *, side: Side) -> float:
    """Return how often one more value is as far out as this one, on the same assumptions.

    It is less than 1 - confidence just where the value lies beyond `prediction_bound`; 0 or 1 where
    all values are equal.

    Args:
        values: at least two finite numbers.
        value: the one more.
        side: which side counts as far out.

    Raises:
        UsageError: SciPy is not installed.
    """
    import statistics

    sign = 1 if side == "lower" else -1
    if min(values) == max(values):
        return 0.0 if sign * value < sign * values[0] else 1.0
    scale = max(abs(number) for number in (*values, value))
    parts = [number / scale for number in values]
    spread = statistics.stdev(parts) * math.sqrt(1 + 1 / len(values))
    far = sign * (value / scale - statistics.mean(parts))
    if not spread:
        return 0.0 if far < 0 else 1.0
    return below(far / spread, len(values) - 1)
