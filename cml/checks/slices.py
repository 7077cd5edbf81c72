"""Which metrics a check with slices looks at."""

from __future__ import annotations

from fnmatch import fnmatchcase
from fractions import Fraction
from typing import TYPE_CHECKING

from cml.checks import rules

if TYPE_CHECKING:
    from cml.checks.model import Check, Values
    from cml.record import Value

_LISTED = 5


def counted(check: Check, values: Values) -> tuple[list[str], list[str]]:
    """Return the metrics that count, and the slices that are too small to.

    The subject counts beside its slices where it is known. So does a slice that was there before:
    one that disappears must not go unseen.
    """
    subject = check.subject if values.name is None else values.name
    if check.slices is None:
        return [subject], []
    known = dict.fromkeys(
        (*values.now, *(values.before or ()), *values.problems, *values.problems_before)
    )
    slices = [name for name in known if name != subject and fnmatchcase(name, check.slices)]
    small = [name for name in slices if _too_small(check, name, values)]
    whole = [subject] if subject in known else []
    return [*whole, *(name for name in slices if name not in small)], small


def left_out(check: Check, small: list[str]) -> str:
    """Say which slices do not count; empty where all do."""
    if not small:
        return ""
    more = f" and {len(small) - _LISTED} more" if len(small) > _LISTED else ""
    return f" Left out, since smaller than {check.min_size}: {', '.join(small[:_LISTED])}{more}."


def _too_small(check: Check, name: str, values: Values) -> bool:
    """Return whether a slice is known to be too small; one of unknown size counts.

    A change cannot take a slice out by what it says of its size: it was small before, or is new.
    """
    if check.min_size is None:
        return False
    size, before = _size(check, name), values.before or {}
    was_there = name in values.problems_before or before.get(name) is not None
    if before.get(size) is None and was_there:
        return False
    sizes = [each for each in (values.now.get(size), before.get(size)) if each is not None]
    return bool(sizes) and all(_below(check.min_size, each) for each in sizes)


def _below(least: int, size: Value) -> bool:
    if rules.fault(size) is not None or size is None or isinstance(size, str):
        return False
    return Fraction(size) < least


def _size(check: Check, name: str) -> str:
    """Name the metric that is a slice's size: `n_de` for accuracy_de."""
    before, _, after = (check.slices or "").partition("*")
    wildcard = name[len(before) : len(name) - len(after)]
    return (check.size or "").replace("*", wildcard)
