"""Right and wrong answers of both sides for the same items."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cml.statistics.compared import CONFIDENCE, Compared
from cml.statistics.student import distributions

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_ITEMS = math.ceil(math.log(1 - CONFIDENCE, 0.5))
"""With fewer items not even all of them lost are less likely than the level."""
_MOST = 10**9


def mcnemar(wins: int, losses: int, items: int, *, margin: float = 0.0) -> Compared:
    """Compare two proportions of right answers to the same items.

    Without a margin the chance is that of McNemar's exact test, one-sided: each item on which the
    sides differ is lost with probability 1/2. With one it is that of Tango's score test, and the
    interval is always his: the gains that this test does not reject. Source: T. Tango,
    "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17 (1998).

    Args:
        wins: items that only the new side has right.
        losses: items that only the old side has right.
        items: all of them, which are taken to be independent.
        margin: how much lower the new proportion may be.

    Raises:
        UsageError: SciPy is not installed.
    """
    if items < LEAST_ITEMS:
        return Compared(missing=LEAST_ITEMS - items)
    won, lost = wins / items, losses / items
    special = distributions()
    quantile = float(special.ndtri(CONFIDENCE))
    reach, slack = quantile / math.sqrt(items), _score(won, lost, -min(margin, 1.0))
    if margin:
        chance = float(special.ndtr(slack * math.sqrt(items)))
    else:
        chance = float(special.bdtr(wins, wins + losses, 0.5)) if wins + losses else 1.0
    return Compared(
        gain=(wins - losses) / items,
        low=-_end(lambda gain: _score(lost, won, gain), -reach, lost - won),
        high=_end(lambda gain: _score(won, lost, gain), -reach, won - lost),
        chance=chance,
        more=_more(items, quantile, slack),
    )


def _score(won: float, lost: float, gain: float) -> float:
    """Return how many standard errors of one item the data lie above a gain, if that is true.

    The standard error takes the most likely proportions with this gain, in closed form.
    """
    if gain < 0:
        return -_score(lost, won, -gain)
    first, last = (2 - won + lost) * gain - won - lost, lost * gain * (1 - gain)
    root = math.sqrt(first * first + 8 * last)
    # Two ways to write one root; each is without the difference of near numbers on its side.
    likely = 2 * last / (root + first) if first > 0 else (root - first) / 4
    variance = 2 * likely + gain * (1 - gain)
    distance = won - lost - gain
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _end(score: Callable[[float], float], least: float, start: float) -> float:
    """Return the largest gain whose score is at least this; scores fall as gains grow."""
    low, high = start, 1.0
    if score(high) >= least:
        return high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if score(middle) >= least else (low, middle)
    return low


def _more(items: int, quantile: float, slack: float) -> int | None:
    """Return how many more items take the score, which grows with their root, to the quantile."""
    if not slack:
        return None
    needed = (quantile / slack) ** 2
    return max(0, math.ceil(needed) - items) if needed <= _MOST else None
