"""Scores of both sides for the same items."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cml.statistics.compared import CONFIDENCE, Compared, certain, fewest, finite
from cml.statistics.proportions import LEAST_ITEMS
from cml.statistics.student import below, distributions, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 9_999
_SEED = 1979
_AT_A_TIME = 2**20
_NOISE = 1e-14
"""What floats alone make of numbers up to 1 that are equal."""


@dataclass(frozen=True, kw_only=True)
class _Units:
    """Independent units: their sums of differences, their numbers of items, and the scale."""

    sums: Any
    sizes: Any
    scale: float

    @property
    def count(self) -> int:
        return len(self.sums)

    @property
    def mean(self) -> float:
        return float(self.sums.sum() / self.sizes.sum())


def paired_t(
    differences: Sequence[float], groups: Sequence[str] | None = None, *, margin: float = 0.0
) -> Compared:
    """Compare scores by the t-test of their mean difference, with whole groups as units.

    The mean m over n items in G groups has the variance G / (G - 1) * sum of r² / n², where r is
    a group's sum of what its differences are above m, and G - 1 degrees of freedom. Where each
    item is a group that is the ordinary paired t-test. Where nothing varies, the mean is taken
    for the truth. Source: W. G. Cochran, "Sampling Techniques", chapter 6 (ratio estimates).

    Args:
        differences: finite numbers, new minus old; more is better.
        groups: for each of them what it belongs to; None where all are independent.
        margin: how much lower the new mean may be.

    Raises:
        UsageError: SciPy is not installed.
    """
    units = _units(differences, groups)
    count, mean = units.count, units.mean if units.count else 0.0
    if count < 2:  # noqa: PLR2004 (one number has no spread)
        return Compared(missing=2 - count)
    slack = mean + margin / units.scale
    squares = float(((units.sums - mean * units.sizes) ** 2).sum())
    error = math.sqrt(count / (count - 1) * squares) / float(units.sizes.sum())
    if error <= _NOISE:
        return certain(finite(mean * units.scale), reached=slack >= -_NOISE)

    def reach(extra: int) -> float:
        shrunk = error * math.sqrt(count / (count + extra))
        return quantile(CONFIDENCE, count + extra - 1) * shrunk

    return Compared(
        gain=finite(mean * units.scale),
        low=finite((mean - reach(0)) * units.scale),
        high=finite((mean + reach(0)) * units.scale),
        chance=below(slack / error, count - 1),
        more=fewest(lambda extra: reach(extra) <= abs(slack)) if slack else None,
    )


def bootstrap(
    differences: Sequence[float], groups: Sequence[str] | None = None, *, margin: float = 0.0
) -> Compared:
    """Compare scores by their mean difference in samples drawn from them, or from whole groups.

    The interval goes from the 5th to the 95th percentile of the means of `RESAMPLES` samples, and
    the chance is less than 5 % just where it ends below minus the margin. The same data give the
    same numbers. Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap",
    chapter 13; A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", 4.

    Args:
        differences: finite numbers, new minus old; more is better.
        groups: for each of them what it belongs to; None where all are independent.
        margin: how much lower the new mean may be.

    Raises:
        UsageError: SciPy, with which NumPy comes, is not installed.
    """
    units = _units(differences, groups)
    if units.count < LEAST_ITEMS:
        return Compared(missing=LEAST_ITEMS - units.count)
    means, mean = _resampled(units), units.mean
    limit = -margin / units.scale
    above = sum(means >= limit - _NOISE)
    index = round((RESAMPLES + 1) * (1 - CONFIDENCE))
    low, high = float(means[index - 1]), float(means[-index])
    return Compared(
        gain=finite(mean * units.scale),
        low=finite(low * units.scale),
        high=finite(high * units.scale),
        chance=(1 + int(above)) / (RESAMPLES + 1),
        more=_more(units.count, (mean - low, high - mean), mean - limit),
    )


def _units(differences: Sequence[float], groups: Sequence[str] | None) -> _Units:
    """Sum the differences of each group, scaled so that their squares are floats too."""
    np = _numpy()
    scale = max(map(abs, differences), default=1.0) or 1.0
    values = np.asarray(differences, dtype=float) / scale
    if groups is None:
        return _Units(sums=values, sizes=np.ones(len(values)), scale=scale)
    known: dict[str, int] = {}
    codes = [known.setdefault(group, len(known)) for group in groups]
    return _Units(sums=np.bincount(codes, values), sizes=np.bincount(codes), scale=scale)


def _resampled(units: _Units) -> Any:
    """Return the sorted means of samples of as many units, drawn with replacement."""
    np = _numpy()
    chance = np.random.Generator(np.random.PCG64(_SEED))
    rows = max(1, _AT_A_TIME // units.count)
    means = []
    for start in range(0, RESAMPLES, rows):
        shape = (min(rows, RESAMPLES - start), units.count)
        drawn = chance.integers(units.count, size=shape)
        means.append(units.sums.take(drawn).sum(axis=1) / units.sizes.take(drawn).sum(axis=1))
    return np.sort(np.concatenate(means))


def _more(units: int, reaches: tuple[float, float], slack: float) -> int | None:
    """Return how many more units bring the end that lies toward the margin near enough.

    It nears as the root of their number grows.
    """
    reach = reaches[0] if slack >= 0 else reaches[1]
    if not slack:
        return None if reach > _NOISE else 0
    return fewest(lambda extra: reach * math.sqrt(units / (units + extra)) <= abs(slack))


def _numpy() -> Any:
    distributions()  # SciPy, with which NumPy comes
    import numpy as np

    return np
