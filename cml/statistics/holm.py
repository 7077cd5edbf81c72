"""Many tests at once, and one error."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(chances: Sequence[float]) -> list[float]:
    """Correct the p-values of a family, so that none of its true hypotheses is likely rejected.

    Where every one below a level is rejected, the probability that any true hypothesis is among
    them is at most that level, however the tests depend on each other. Source: S. Holm, "A Simple
    Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).

    Args:
        chances: the p-values, in any order.

    Returns:
        The corrected ones in the same order, each between its p-value and 1.
    """
    count = len(chances)
    corrected = [0.0] * count
    largest = 0.0
    for rank, index in enumerate(sorted(range(count), key=chances.__getitem__)):
        largest = max(largest, min(1.0, (count - rank) * chances[index]))
        corrected[index] = largest
    return corrected
