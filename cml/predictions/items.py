"""A table -> test items, of which nothing is missing and each is there once."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.predictions import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

ID = "id"
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_SHOWN = 3
_COLUMNS = 12
_LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the columns are called.

    Attributes:
        id: what tells items apart; None for `id` where there is such a column, else their order.
        label: what is true of an item.
        prediction: what the model says of it.
        score: a number for each item, instead of right or wrong.
        group: what items belong together.
    """

    id: str | None = None
    label: str = "label"
    prediction: str = "prediction"
    score: str | None = None
    group: str | None = None

    def of(self, columns: Iterable[str]) -> dict[str, str]:
        """Return what is wanted of a table with these columns: what it is for -> its column."""
        wanted = {
            "id": ID if self.id is None and ID in columns else self.id,
            "label": self.label if self.score is None else None,
            "prediction": self.prediction if self.score is None else None,
            "score": self.score,
            "group": self.group,
        }
        return {role: column for role, column in wanted.items() if column is not None}


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items of one side.

    Attributes:
        name: what messages call the file.
        frame: a pandas.DataFrame with the columns `value` (1 for right, 0 for wrong, or the
            score), `label` and `group` as far as they are used; its index are the items' ids, or
            `row 1` and so on.
        ordered: nothing but their order tells the items apart.
    """

    name: str
    frame: Any
    ordered: bool


def read(content: bytes, path: str, names: Names, *, of: str = "") -> Items:
    """Read the items of one side.

    Args:
        content: the file's bytes.
        path: the file, as users call it; its ending tells how to read it.
        names: what its columns are called.
        of: whose file it is, as " of the baseline".

    Raises:
        UsageError: a column is missing, or an item's value; ids are there twice; pandas is not
            installed.
    """
    name = f"{path}{of}"
    table = tables.table(content, path, name)
    wanted = names.of(table.columns)
    for column in wanted.values():
        if column not in table.columns:
            raise UsageError(f"{name} has no column {column!r}", hint=_advice(column, table))
    frame = table[[*wanted.values()]].set_axis([*wanted], axis="columns")
    frame.index = [f"row {number}" for number in range(1, len(frame) + 1)]
    if ID in frame:
        _whole(frame[[ID]], wanted, name)
        frame = frame.set_index(ID)
        _refuse(frame.index.duplicated(), frame, f"{name} has an id twice")
    _whole(frame, wanted, name)
    value = _scores(frame, name) if "score" in frame else _right(frame, name)
    kept = frame[[role for role in ("label", "group") if role in frame]]
    return Items(name=name, frame=kept.assign(value=value), ordered=ID not in wanted)


def refuse(wrong: Any, ids: Any, what: str, *, hint: str | None = None) -> None:
    """Refuse items, naming some of them.

    Args:
        wrong: for each item whether it is.
        ids: the ids of all.
        what: what is wrong, to which "for 2 items: a, b" is added.
        hint: the way out.

    Raises:
        UsageError: there is one.
    """
    found = list(dict.fromkeys(ids[wrong]))
    if found:
        count = f"{len(found):,} item{'' if len(found) == 1 else 's'}"
        raise UsageError(f"{what} for {count}: {_some(found)}", hint=hint)


def _refuse(wrong: Any, frame: Any, what: str) -> None:
    refuse(wrong, frame.index, what)


def _whole(frame: Any, wanted: dict[str, str], name: str) -> None:
    """Refuse what is empty: nothing can be told of such an item."""
    for role in frame:
        empty = frame[role].map(lambda text: text is None or not text.strip())
        _refuse(empty.to_numpy(bool), frame, f"{name}: {wanted[role]} is missing")


def _scores(frame: Any, name: str) -> list[float]:
    texts = [text.strip() for text in frame["score"]]
    numbers = [float(text) if re.fullmatch(_NUMBER, text) else math.nan for text in texts]
    wrong = [not math.isfinite(number) for number in numbers]
    _refuse(wrong, frame, f"{name}: the score is not a finite number")
    return numbers


def _right(frame: Any, name: str) -> list[float]:
    """Return 1 for each item that is right, and 0 for the others; refuse what looks like neither.

    Where labels and predictions are not written alike, all are wrong on both sides, and nothing
    would ever become worse.
    """
    pairs = list(zip(frame["label"], frame["prediction"], strict=True))
    alike = {(a, b): a != b and _meant(a) == _meant(b) for a, b in {*pairs}}
    _refuse(
        [alike[pair] for pair in pairs],
        frame,
        f"{name}: label and prediction are the same but for how they are written",
    )
    labels, predictions = (sorted({*frame[role]}) for role in ("label", "prediction"))
    if not {*labels} & {*predictions}:
        raise UsageError(
            f"{name}: no prediction is ever a label",
            hint=f"labels are {_some(labels)}; predictions are {_some(predictions)}",
        )
    return [float(label == prediction) for label, prediction in pairs]


def _meant(text: str) -> str | Decimal:
    """Return the number that a text is, whatever way it is written."""
    stripped = text.strip()
    try:
        return Decimal(stripped) if re.fullmatch(_NUMBER, stripped) else stripped
    except InvalidOperation:  # an exponent beyond all bounds
        return stripped


def _some(texts: list[str], most: int = _SHOWN) -> str:
    shown = [text if text.isprintable() else ascii(text) for text in texts[:most]]
    short = [text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…" for text in shown]
    return ", ".join([*short, *(["..."] if len(texts) > most else [])])


def _advice(column: str, table: Any) -> str:
    close = difflib.get_close_matches(column, [*table.columns], n=1)
    question = f"did you mean {close[0]}? " if close else ""
    known = _some([*table.columns], _COLUMNS)
    return f"{question}it has {known}; `columns:` of the check says what they are called"
