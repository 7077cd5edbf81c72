"""The keys of a check, and what they mean for which source."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

from cml.checks import consistency, nodes, ranges
from cml.checks.model import (
    AGGREGATES,
    Check,
    Columns,
    Direction,
    Missing,
    Over,
    PairedTest,
    Source,
)
from cml.errors import UsageError
from cml.record import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.checks.nodes import Entry

DEFAULTS = "defaults"
_MOST_PLACES = 100


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What one kind of file lets a check say.

    Attributes:
        optional: what any check can say, and `defaults` for all of them.
        per_source: source -> what else its checks can say.
        required: source -> what they have to say.
        fixed: what holds where nothing is said.
    """

    optional: tuple[str, ...]
    per_source: Mapping[str, tuple[str, ...]]
    required: Mapping[str, tuple[str, ...]]
    fixed: Mapping[str, Any]


_GRADIENT = ("round", "precision", "only-pulls", "if-not-found", "comment-on-pr")
_RELATIVE = ("direction", "max-drop", "max-drop-percent")
_NOISE = ("history", "predictions", "columns", "test", "repeat", "seed", "margin")
OWN = Dialect(
    optional=(*_GRADIENT, "branches", "level"),
    per_source={
        "tensorflow": ("target", "aggregate", "over"),
        "metrics": ("target", *_RELATIVE, *_NOISE, "slices", "min-size", "size"),
        "custom": ("target", "aggregate", *_RELATIVE),
        "command": ("target", "command"),
        "seconds": ("target",),
        "bytes": ("target", *_RELATIVE),
    },
    required={
        "tensorflow": ("target", "aggregate"),
        "custom": ("aggregate",),
        "seconds": ("target",),
    },
    fixed={},
)
"""cml.yaml. No run of the baseline is there to compare event files, programs or seconds with."""

GRADIENT = Dialect(
    optional=_GRADIENT,
    per_source={"tensorflow": ("target", "aggregate", "over"), "custom": ("target", "aggregate")},
    required=dict.fromkeys(("tensorflow", "custom"), ("target", "aggregate")),
    fixed={"precision": 2},
)
"""GradientCI's file; `over` is ours, since GradientCI never said which values it took."""


def checks(section: Entry, dialect: Dialect) -> tuple[Check, ...]:
    """Read all checks of a section, in their order.

    Raises:
        UsageError: one of them is wrong.
    """
    found = nodes.entries(section)
    given = nodes.entries(found[DEFAULTS]) if DEFAULTS in found else {}
    nodes.known(given, dialect.optional)
    defaults = {**dialect.fixed, **_values(given)}
    return tuple(
        _check(entry, dialect, defaults) for name, entry in found.items() if name != DEFAULTS
    )


def _check(entry: Entry, dialect: Dialect, defaults: Mapping[str, Any]) -> Check:
    source, subject = _identifier(entry, dialect)
    given = nodes.entries(entry)
    _known(given, source, dialect)
    for key in dialect.required.get(source, ()):
        if key not in given:
            raise UsageError(f"{entry.place}: {entry.key} has no {key}", hint=_HINTS[key])
    check = Check(
        name=entry.key,
        source=source,
        subject=subject,
        where=entry.place,
        **{**defaults, **_values(given)},
    )
    consistency.refuse(check, given, entry)
    return check


def _identifier(entry: Entry, dialect: Dialect) -> tuple[Any, str]:
    """Split at the first colon: the names of metrics hold colons too."""
    source, colon, subject = entry.key.partition(":")
    sources = list(dialect.per_source)
    if not colon or not subject or not entry.key.isprintable():
        raise UsageError(
            f"{entry.place}: {entry.key!r} does not name a check",
            hint=f"a check is called SOURCE:NAME, where SOURCE is one of {', '.join(sources)}",
        )
    if source not in sources:
        raise UsageError(
            f"{entry.place}: unknown source {source!r}", hint=nodes.advice(source, sources)
        )
    return source, subject


def _known(given: Mapping[str, Entry], source: Source, dialect: Dialect) -> None:
    allowed = (*dialect.per_source[source], *dialect.optional)
    for key, entry in given.items():
        owners = [name for name, keys in dialect.per_source.items() if key in keys]
        if owners and source not in owners:
            raise UsageError(
                f"{entry.place}: {key} is for checks of {', '.join(owners)}, not of {source}",
                hint=f"a check of {source} knows {', '.join(allowed)}",
            )
    nodes.known(given, allowed)


def _values(given: Mapping[str, Entry]) -> dict[str, Any]:
    return {key.replace("-", "_"): _READERS[key](entry) for key, entry in given.items()}


def _one_of(words: tuple[str, ...]) -> Callable[[Entry], str]:
    def read(entry: Entry) -> str:
        word = nodes.text(entry)
        if word not in words:
            raise UsageError(
                f"{entry.where}: one of {', '.join(words)} is expected, not {word!r}",
                hint=nodes.advice(word, words),
            )
        return word

    return read


def _whole(entry: Entry, least: int, most: int) -> int:
    word = nodes.text(entry)
    if not re.fullmatch(r"[0-9]{1,18}", word) or not least <= int(word) <= most:
        raise UsageError(
            f"{entry.where}: a whole number from {least} to {most} is expected, not {word!r}"
        )
    return int(word)


def _drop(entry: Entry) -> Decimal:
    word = nodes.text(entry)
    if not re.fullmatch(ranges.NUMBER, word) or Decimal(word) < 0:
        raise UsageError(
            f"{entry.where}: a number of at least 0 is expected, not {word!r}",
            hint="it is how much worse than the baseline the metric may be",
        )
    return Decimal(word)


def _columns(entry: Entry) -> Columns:
    given = nodes.entries(entry)
    nodes.known(given, [each.name for each in fields(Columns)])
    return Columns(**{name: nodes.text(column) for name, column in given.items()})


_HINTS = {
    "target": "give the range it must lie in, such as `target: 0.0..0.5`",
    "aggregate": f"one of {', '.join(AGGREGATES)} for tensorflow; for custom, a JSON pointer",
}
_READERS: dict[str, Callable[[Entry], Any]] = {
    "target": lambda entry: nodes.parsed(entry, ranges.parse),
    "aggregate": nodes.text,
    "over": _one_of(get_args(Over)),
    "round": _one_of(get_args(ranges.Rounding)),
    "precision": lambda entry: _whole(entry, 0, _MOST_PLACES),
    "only-pulls": nodes.flag,
    "branches": nodes.texts,
    "if-not-found": _one_of(get_args(Missing)),
    "comment-on-pr": nodes.flag,
    "direction": _one_of(get_args(Direction)),
    "max-drop": _drop,
    "max-drop-percent": _drop,
    "history": lambda entry: _whole(entry, 3, 100),
    "predictions": nodes.text,
    "columns": _columns,
    "test": _one_of(get_args(PairedTest)),
    "repeat": lambda entry: _whole(entry, 2, 100),
    "seed": nodes.text,
    "margin": _drop,
    "slices": nodes.text,
    "min-size": lambda entry: _whole(entry, 1, 10**15),
    "size": nodes.text,
    "level": _one_of(get_args(Level)),
    "command": nodes.text,
}
