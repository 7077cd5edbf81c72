"""The predictions of both sides for the same items, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.checks.model import Check, Comparison
    from cml.commands.evidence import Evidence


def comparison(check: Check, base: str, found: Evidence) -> Comparison:
    """Compare the predictions here with those at the baseline.

    Args:
        check: the check, with `predictions`.
        base: the sha of the baseline.
        found: reads both.

    Raises:
        UsageError: one of the files cannot be read or paired.
    """
    raise UsageError(f"{check.name} {base} {found}")
