"""Failures that a team accepts for a while: who, why and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from cml.checks import nodes
from cml.errors import UsageError
from cml.record import CheckResult, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cml.checks.nodes import Entry

KEYS = ("check", "author", "reason", "until")


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One entry of `waivers`; it holds to the end of the day `until`."""

    check: str
    author: str
    reason: str
    until: date
    where: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"by {self.author} until {self.until}: {self.reason}"


def read(section: Entry | None, checks: Collection[str]) -> tuple[Waiver, ...]:
    """Read the waivers of a cml.yaml, whose checks have these names.

    Raises:
        UsageError: one is wrong; the message names file, line and column.
    """
    if section is None or section.empty:
        return ()
    if section.node.id != "sequence":
        raise UsageError(
            f"{section.where}: a list is expected",
            hint=f"begin each waiver with a dash, and give it {', '.join(KEYS)}",
        )
    items = [
        nodes.Entry(filename=section.filename, key=section.key, label=node, node=node)
        for node in section.node.value
    ]
    found: dict[str, Waiver] = {}
    for item in items:
        waiver = _waiver(item, checks)
        if waiver.check in found:
            raise UsageError(f"{waiver.where}: {waiver.check} is waived twice", hint="keep one")
        found[waiver.check] = waiver
    return tuple(found.values())


def read_authors(found: Mapping[str, Entry]) -> tuple[str, ...]:
    """Read `waivers-by` of a cml.yaml.

    Raises:
        UsageError: it is no list of names; the message names file, line and column.
    """
    entry = found.get("waivers-by")
    return nodes.texts(entry) if entry and not entry.empty else ()


def added(old: Sequence[Waiver], new: Sequence[Waiver], allowed: Sequence[str]) -> list[Waiver]:
    """Return the waivers that a change adds in the name of somebody who may.

    One of a check that is waived already does not take the place of that.
    """
    names, known = {name.casefold() for name in allowed}, {waiver.check for waiver in old}
    return [w for w in new if w.author.casefold() in names and w.check not in known]


def _waiver(item: Entry, checks: Collection[str]) -> Waiver:
    given = nodes.entries(item)
    nodes.known(given, KEYS)
    for key in KEYS:
        if key not in given:
            raise UsageError(
                f"{item.place}: the waiver has no {key}", hint=f"it needs {', '.join(KEYS)}"
            )
    check = nodes.text(given["check"])
    if check not in checks:
        raise UsageError(
            f"{given['check'].where}: there is no check {check!r}",
            hint=nodes.advice(check, checks) if checks else "waivers are for checks of this file",
        )
    return Waiver(
        check=check,
        author=nodes.text(given["author"]),
        reason=nodes.text(given["reason"]),
        until=nodes.parsed(given["until"], _day),
        where=item.place,
    )


def _day(word: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", word):
        return date.fromisoformat(word)
    raise ValueError(f"a day such as 2027-01-31 is expected, not {word!r}")


def waived(
    results: Iterable[CheckResult], waivers: Sequence[Waiver], day: date
) -> list[CheckResult]:
    """Make warnings of the failures that are waived on a day; what is invalid stays as it is."""
    valid = {waiver.check: waiver for waiver in waivers if day <= waiver.until}
    return [_waived(result, valid.get(result.name)) for result in results]


def _waived(result: CheckResult, waiver: Waiver | None) -> CheckResult:
    counts = result.level == "error" and result.status in {"fail", "inconclusive"}
    if waiver is None or not counts or result.family:
        return result
    return replace(result, level="warn", message=f"{result.message} Waived {waiver}")


def expired(waivers: Iterable[Waiver], day: date) -> list[CheckResult]:
    """Return a failure for each waiver whose last day is over."""
    return [
        CheckResult(
            name=f"waiver:{waiver.check}",
            status="fail",
            message=f"Expired: the waiver {waiver}",
        )
        for waiver in waivers
        if day > waiver.until
    ]


def changes(old: Sequence[Waiver], new: Sequence[Waiver]) -> list[str]:
    """Return one sentence for each waiver that was added, removed or changed."""
    gone, came = [w for w in old if w not in new], [w for w in new if w not in old]
    return [
        *(f"The waiver of {waiver.check} is removed: {waiver}" for waiver in gone),
        *(f"A waiver of {waiver.check} is added: {waiver}" for waiver in came),
    ]
