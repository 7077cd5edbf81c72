"""What a run's numbers allow to be said: checks, the verdict, the problems that forbid one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.checks.judging import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cml.record import MetricChange

__all__ = ["problems", "verdict"]

SHOWN = 20


def problems(
    unreadable: Mapping[str, str],
    changes: Sequence[MetricChange],
    *,
    unreadable_before: Mapping[str, str],
) -> list[str]:
    """Return one sentence for each thing that makes a judgement impossible.

    Args:
        unreadable: path -> why that metrics file cannot be read now.
        changes: the metrics of both sides.
        unreadable_before: the same as `unreadable`, at the baseline.
    """
    found = [f"{path} cannot be read: {why}" for path, why in unreadable.items()]
    found += [
        f"{path} cannot be read at the baseline: {why}" for path, why in unreadable_before.items()
    ]
    broken = [change for change in changes if change.problem and change.path not in unreadable]
    found += [f"{change.name} in {change.path} {change.problem}" for change in broken[:SHOWN]]
    if len(broken) > SHOWN:
        found.append(f"{len(broken) - SHOWN} more metrics cannot be judged")
    return found
