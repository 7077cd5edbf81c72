"""The items of both sides, put side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.predictions.items import refuse

if TYPE_CHECKING:
    from cml.predictions.items import Items


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The values of the same items on both sides.

    Attributes:
        old: 1 for right, 0 for wrong, or a score, for each item of the baseline.
        new: the same of the other side, in the same order.
        groups: what each item belongs to; None where nobody asked.
        left_out: how many items the baseline does not have.
    """

    old: list[float]
    new: list[float]
    groups: list[str] | None
    left_out: int


def pair(old: Items, new: Items) -> Pairs:
    """Find the baseline's items on the new side, by their ids, or by order where it has none.

    Raises:
        UsageError: an item is missing, or what is true of it, or its group, is another one.
    """
    before, now = old.frame, new.frame
    if old.ordered:
        _same_length(old, new)
        now = now.set_axis(before.index, axis="index")
    elif new.ordered:
        raise UsageError(
            f"{new.name} has no ids, by which {old.name} tells its items apart",
            hint="write them too: an order says less than they do",
        )
    refuse(~before.index.isin(now.index), before.index, f"{new.name} has no row")
    here = now.loc[before.index]
    for role in ("label", "group"):
        if role in before:
            changed = (before[role] != here[role]).to_numpy(bool)
            refuse(
                changed,
                before.index,
                f"{role}s of {new.name} and of the baseline differ",
                hint="a change of the test items themselves cannot be judged by them",
            )
    return Pairs(
        old=before["value"].tolist(),
        new=here["value"].tolist(),
        groups=before["group"].tolist() if "group" in before else None,
        left_out=len(now) - len(here),
    )


def _same_length(old: Items, new: Items) -> None:
    counts = len(old.frame), len(new.frame)
    if counts[0] != counts[1]:
        raise UsageError(
            f"{new.name} has {counts[1]:,} rows, {old.name} has {counts[0]:,}, and no ids tell "
            "which belong together",
            hint="give both a column `id`, or name it: `columns: {id: NAME}`",
        )
