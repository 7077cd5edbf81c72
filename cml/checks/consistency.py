"""What keys of a check cannot say beside each other; reads no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.checks import nodes
from cml.checks.model import AGGREGATES
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.checks.model import Check
    from cml.checks.nodes import Entry

Contradiction = tuple[bool, str, str, str]
"""Whether it is so, whose fault it is, what to say, and the way out."""


def refuse(check: Check, given: Mapping[str, Entry], entry: Entry) -> None:
    """Refuse rules that say nothing, or that say less than they seem to.

    Raises:
        UsageError: two keys of the check contradict each other, or one needs another.
    """
    for wrong, key, sentence, hint in _contradictions(check):
        if wrong:
            where = given[key].place if key in given else entry.place
            raise UsageError(f"{where}: {sentence}", hint=hint)
    if check.source == "tensorflow" and check.aggregate not in AGGREGATES:
        raise UsageError(
            f"{given['aggregate'].where}: unknown aggregate {check.aggregate!r}",
            hint=nodes.advice(str(check.aggregate), AGGREGATES),
        )
    if check.source == "custom" and not str(check.aggregate).startswith("/"):
        raise UsageError(
            f"{given['aggregate'].where}: a JSON pointer is expected, not {check.aggregate!r}",
            hint="write where the number is in the file, as in /scores/accuracy",
        )


def _contradictions(check: Check) -> tuple[Contradiction, ...]:
    return (*_of_chance(check), *_beside_chance(check), *_of_all(check))


def _of_all(check: Check) -> tuple[Contradiction, ...]:
    drop = check.max_drop is not None or check.max_drop_percent is not None
    key = "max-drop" if check.max_drop is not None else "max-drop-percent"
    sized = check.size is not None
    stars = (check.slices or "*", check.size or "*")
    return (
        (
            drop and check.direction is None,
            key,
            f"{key} needs a direction",
            "say which way is better: `direction: higher` or `direction: lower`",
        ),
        (
            check.target is None and not check.relative,
            "",
            f"{check.name} has no rule",
            "give it a target, such as `target: 0.9..`",
        ),
        (
            sized != (check.min_size is not None),
            "size" if sized else "min-size",
            "size and min-size are given together",
            "`size: n_*` names the metrics that hold the sizes, min-size is the least that counts",
        ),
        (
            sized and check.slices is None,
            "size",
            "size is for slices",
            "`slices: accuracy_*` says which metrics are the slices",
        ),
        (
            sized
            and (any(s.count("*") != 1 for s in stars) or bool(set("?[") & set("".join(stars)))),
            "size",
            "slices and size have one * each, which stands for the slice's name",
            "write `slices: accuracy_*` and `size: n_*`",
        ),
    )


def _of_chance(check: Check) -> tuple[Contradiction, ...]:
    asked = [key for key in ("history", "predictions", "repeat") if getattr(check, key) is not None]
    drops = {"max-drop": check.max_drop, "max-drop-percent": check.max_drop_percent}
    drop = next((name for name, limit in drops.items() if limit is not None), "")
    key = asked[0] if asked else ""
    return (
        (
            len(asked) > 1,
            asked[-1] if asked else "",
            f"{' and '.join(asked)} are answers to the same question",
            "keep one of them",
        ),
        (
            bool(asked) and check.direction is None,
            key,
            f"{key} needs a direction",
            "say which way is better: `direction: higher` or `direction: lower`",
        ),
        (
            bool(asked) and bool(drop),
            key,
            f"{key} and {drop} are two answers to the same question",
            f"take {drop} away: how far results differ by themselves says what is too much",
        ),
        (
            bool(asked) and check.slices is not None,
            key,
            f"{key} is for one metric, not for slices",
            "give each slice a check of its own",
        ),
    )


def _beside_chance(check: Check) -> tuple[Contradiction, ...]:
    """Tell what `history`, `predictions` and `repeat` need, and what needs them."""
    beside = {"margin": ("predictions", "repeat"), "seed": ("repeat",)}
    beside |= {"columns": ("predictions",), "test": ("predictions",)}
    return (
        (
            check.repeat is not None and check.seed is None,
            "repeat",
            "repeat needs a seed",
            "name the parameter that seeds the training: `seed: train.seed`",
        ),
        (
            check.test == "mcnemar" and check.columns is not None and not check.columns.plain,
            "test",
            "McNemar's test is for single items that are right or wrong, without group and score",
            "write `test: t` or `test: bootstrap`, or leave it out",
        ),
        *(
            (
                getattr(check, name) is not None
                and all(getattr(check, owner) is None for owner in owners),
                name,
                f"{name} is for checks with {' or '.join(owners)}",
                f"add {owners[0]}, or take {name} away",
            )
            for name, owners in beside.items()
        ),
    )
