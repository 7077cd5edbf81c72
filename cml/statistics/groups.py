"""Two groups of independent numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cml.statistics.compared import CONFIDENCE, Compared, certain, fewest, finite
from cml.statistics.student import below, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence


def welch(old: Sequence[float], new: Sequence[float], *, margin: float = 0.0) -> Compared:
    """Compare the means of two groups whose spreads may differ, by Welch's t-test.

    Where no group varies at all, the difference of the means is taken for the truth. Source:
    B. L. Welch, "The generalization of Student's problem when several different population
    variances are involved", Biometrika 34 (1947), with Satterthwaite's degrees of freedom.

    Args:
        old: finite numbers, at least two.
        new: likewise; more is better.
        margin: how much lower the new mean may be.

    Raises:
        UsageError: SciPy is not installed.
    """
    import statistics

    # The squares of large floats are no floats.
    scale = max(abs(number) for number in (*old, *new)) or 1.0
    sides = [[number / scale for number in side] for side in (old, new)]
    means = [statistics.mean(side) for side in sides]
    spreads = [statistics.variance(side) for side in sides]
    gain, slack = means[1] - means[0], means[1] - means[0] + margin / scale
    error, degrees = _error(spreads, [len(side) for side in sides])
    if not error:
        return certain(gain * scale, reached=slack >= 0)
    reach = quantile(CONFIDENCE, degrees) * error
    return Compared(
        gain=finite(gain * scale),
        low=finite((gain - reach) * scale),
        high=finite((gain + reach) * scale),
        chance=below(slack / error, degrees),
        more=_more(slack, spreads, len(old), len(new)),
    )


def _error(spreads: Sequence[float], counts: Sequence[int]) -> tuple[float, float]:
    """Return the standard error of the difference, and its degrees of freedom."""
    parts = [spread / count for spread, count in zip(spreads, counts, strict=True)]
    total = sum(parts)
    if not total:
        return 0.0, 1.0
    # Shares of the total: the squares of small parts would be 0.
    shares = [part / total for part in parts]
    degrees = 1 / sum(s * s / (n - 1) for s, n in zip(shares, counts, strict=True))
    return math.sqrt(total), degrees


def _more(slack: float, spreads: Sequence[float], *counts: int) -> int | None:
    """Return how many more numbers on each side take both ends to one side of minus the margin."""

    def enough(extra: int) -> bool:
        error, degrees = _error(spreads, [count + extra for count in counts])
        return quantile(CONFIDENCE, degrees) * error <= abs(slack)

    return fewest(enough) if slack else None
