"""Which stages run again to see whether their recorded metrics are true."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from cml.checks import nodes, ranges
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.checks.nodes import Entry


@dataclass(frozen=True, kw_only=True)
class Verify:
    """What `verify` and `verify-tolerance` say.

    Attributes:
        stages: the stages' names.
        tolerance: how far recorded and computed numbers may be apart, relative to the larger.
        where: `file:line:column` of the key.
    """

    stages: tuple[str, ...] = ()
    tolerance: Decimal = Decimal(0)
    where: str = field(default="", compare=False)

    def changes(self, new: Verify) -> list[str]:
        """Return one sentence for each of the two that differs from the new one."""
        found = []
        if self.stages != new.stages:
            found.append(f"verify changes: from {_shown(self.stages)} to {_shown(new.stages)}.")
        if self.tolerance != new.tolerance:
            found.append(f"verify-tolerance changes: from {self.tolerance} to {new.tolerance}.")
        return found


def read(found: Mapping[str, Entry]) -> Verify:
    """Read both keys of a cml.yaml.

    Raises:
        UsageError: one of them is wrong; the message names file, line and column.
    """
    stages, tolerance = found.get("verify"), found.get("verify-tolerance")
    return Verify(
        stages=nodes.texts(stages) if stages and not stages.empty else (),
        tolerance=_tolerance(tolerance) if tolerance else Decimal(0),
        where=stages.place if stages else "",
    )


def _tolerance(entry: Entry) -> Decimal:
    word = nodes.text(entry)
    if not re.fullmatch(ranges.NUMBER, word) or not 0 <= Decimal(word) < 1:
        raise UsageError(
            f"{entry.where}: a number of at least 0 and below 1 is expected, not {word!r}",
            hint="0.001 lets recorded and computed metrics differ by a thousandth",
        )
    return Decimal(word)


def _shown(names: tuple[str, ...]) -> str:
    return " ".join(names) or "nothing"
