"""CSV, TSV and JSON lines -> tables of texts; nothing is taken for a number, or for missing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

Rows = tuple[list[str], list[list[str | None]]]
"""The columns' names, and a text for each of them in each row; None where nothing is said."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LINES = (".jsonl", ".ndjson")


def table(content: bytes, path: str, name: str) -> Any:
    """Return the table in a file, which its ending tells how to read: a pandas.DataFrame of texts.

    Args:
        content: the file's bytes.
        path: the file.
        name: what messages call it.

    Raises:
        UsageError: it cannot be read, has no rows, or pandas is not installed.
    """
    ending = PurePosixPath(path).suffix.lower()
    if ending not in {*DELIMITERS, *LINES}:
        raise UsageError(
            f"{name} does not end as a file with predictions does",
            hint=f"it is one of {', '.join((*DELIMITERS, *LINES))}",
        )
    text = _decoded(content, name)
    columns, rows = (
        _lines(text, name) if ending in LINES else _delimited(text, DELIMITERS[ending], name)
    )
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise UsageError(f"{name} has two columns that are called {twice!r}")
    if not rows:
        raise UsageError(f"{name} has no rows")
    pandas = _pandas()
    names = pandas.Index(columns, dtype=object)
    return pandas.DataFrame(rows, columns=names, dtype=object)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text, see byte {error.start}") from error


def _delimited(text: str, delimiter: str, name: str) -> Rows:
    """Read CSV: the first line names the columns, and all others are as long."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str | None]] = []
    columns: list[str] = []
    try:
        for row in filter(None, reader):
            if not columns:
                columns = row
            elif len(row) != len(columns):
                raise UsageError(
                    f"{name}, line {reader.line_num}: {len(row)} values are in it, "
                    f"and the first line names {len(columns)} columns"
                )
            else:
                rows.append([*row])
    except csv.Error as error:
        raise UsageError(f"{name}, line {reader.line_num}: {error}") from error
    return columns, rows


def _lines(text: str, name: str) -> Rows:
    """Read JSON lines: an object in each line, whose keys are the columns."""
    objects = list(_objects(text, name))
    columns = [*dict.fromkeys(key for each in objects for key in each)]
    return columns, [[each.get(column) for column in columns] for each in objects]


def _objects(text: str, name: str) -> Iterator[dict[str, str | None]]:
    # Not splitlines: a text in JSON may hold other separators of lines as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            # A number stays as it is written, so that 1 and 1.0 are two labels.
            found: Any = json.loads(
                line,
                parse_int=str,
                parse_float=str,
                parse_constant=_refused,
                object_pairs_hook=_object,
            )
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where}: not JSON: {error}") from error
        if not isinstance(found, dict):
            raise UsageError(f"{where}: an object is expected, such as {{'label': 1}}")
        yield {key: _text(value, key, where) for key, value in found.items()}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _text(value: Any, key: str, where: str) -> str | None:
    if isinstance(value, (dict, list)):
        raise UsageError(f"{where}: {key!r} holds no single value")
    return json.dumps(value) if isinstance(value, bool) else value


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError(
            "pandas is not installed, which checks with predictions need",
            hint="pip install 'cml-run[statistics]'",
        ) from error
    return pd
