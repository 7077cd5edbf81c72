"""The texts of policies -> checks, and how two policies differ; reads no file by itself."""

import functools
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from cml.checks import gradient, keys, nodes, verifying, waiving
from cml.checks.model import Check, Policy

__all__ = ["Check", "Policy", "differences", "read", "read_gradient"]


@functools.cache
def read(text: str, filename: str) -> Policy:
    """Read the checks, waivers and verified stages of a cml.yaml, and no other of its keys.

    One run asks several times; the same text is parsed once.

    Args:
        text: the file's text; it may be empty.
        filename: what to call the file in messages.

    Raises:
        UsageError: not YAML, or a wrong rule; the message names file, line and column.
    """
    found = nodes.entries(nodes.document(text, filename))
    section, verify = found.get("checks"), verifying.read(found)
    checks = () if section is None or section.empty else keys.checks(section, keys.OWN)
    waivers = waiving.read(found.get("waivers"), [check.name for check in checks])
    return Policy(
        checks=checks, verify=verify, waivers=waivers, waivers_by=waiving.read_authors(found)
    )


def read_gradient(text: str, filename: str) -> Policy:
    """Read GradientCI's `.ps_project/config.yaml`, version 0; only its checks are used.

    Raises:
        UsageError: as for `read`, and for whatever else is wrong in the file.
    """
    found = nodes.entries(nodes.document(text, filename))
    gradient.validate(found, filename)
    section = found.get("checks")
    checks = () if section is None or section.empty else keys.checks(section, keys.GRADIENT)
    return Policy(checks=checks, status="ci/gradient")


def differences(old: Policy, new: Policy) -> list[str]:
    """Return one sentence for each rule that was added, removed or changed."""
    before = {check.name: check for check in old.checks}
    after = {check.name: check for check in new.checks}
    found = [f"{name} is removed." for name in before if name not in after]
    for name, check in after.items():
        if name not in before:
            found.append(f"{name} is added.")
        elif changes := list(_changes(before[name], check)):
            found.append(f"{name} changes: {', '.join(changes)}.")
    waivers = waiving.changes(old.waivers, new.waivers)
    if old.waivers_by != new.waivers_by:
        was, now = _shown(old.waivers_by), _shown(new.waivers_by)
        waivers.append(f"waivers-by changes: from {was} to {now}.")
    return [*found, *waivers, *old.verify.changes(new.verify)]


def _changes(old: Check, new: Check) -> Iterator[str]:
    for each in fields(Check):
        was, now = getattr(old, each.name), getattr(new, each.name)
        if each.compare and was != now:
            yield f"{each.name.replace('_', '-')} from {_shown(was)} to {_shown(now)}"


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(value) if isinstance(value, tuple) else str(value)
