"""What a test of two sides found, as the checks take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.checks.model import Comparison
from cml.statistics.compared import CONFIDENCE

if TYPE_CHECKING:
    from cml.statistics import Compared


def comparison(found: Compared, *, what: str, test: str, units: str) -> Comparison:
    """Say what was compared, and how, beside what that found; see `Comparison` for the words."""
    return Comparison(
        what=what,
        test=test,
        units=units,
        gain=found.gain,
        low=found.low,
        high=found.high,
        percent=round(100 * CONFIDENCE),
        chance=found.chance,
        missing=found.missing,
        more=found.more,
    )
