"""A record -> what rich can print; prints nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.report import escape, parts, words
from cml.report.parts import Part
from cml.report.words import Name, Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from cml.record import Failure, Record

_MOST = 50
_MOST_FOLDED = 10
_MOST_OUTPUT = 40
_STYLES = {"✓": "green", "✗": "red", "!": "red", "?": "yellow"}


def render(record: Record, *, number: Number = repr) -> Group:
    """Return the report of a run for `rich.console.Console.print`.

    Long tables end in a count of the rows that only the record holds. No text of the record is
    read as rich markup, as an escape sequence or as a workflow command.
    """
    from rich.console import Group

    plots = [(Name(plot.id), Name(plot.file)) for plot in record.plots]
    tables = (
        *parts.results(record, number),
        *([Part(kind="plots", title="Plots", rows=plots, noun="plots")] if plots else []),
        *parts.background(record, number),
    )
    return Group(
        _verdict(record),
        *_failure(record.failure),
        *(block for part in tables for block in _part(part)),
        *_footer(record),
    )


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, overflow="fold")


def _sentence(text: str) -> str:
    return escape.terminal(" ".join(text.split()), escape.PARAGRAPH)


def _verdict(record: Record) -> Text:
    symbol, title = words.headline(record)
    style = _STYLES.get(symbol, "")
    return _text(f"{symbol} {title}", f"bold {style}").append(
        f"  {_sentence(words.sentence(record))}", style="not bold default"
    )


def _failure(failure: Failure | None) -> Iterator[Text]:
    if failure is None:
        return
    stage = words.unnamed_stage(failure)
    where = f"{escape.terminal(stage)}: " if stage else ""
    yield _text(f"\n{where}{_sentence(failure.message)}", "red")
    if failure.hint:
        advice = "\n  ".join(map(escape.terminal, failure.hint.splitlines()))
        yield _text(f"Hint: {advice}")
    if failure.output.strip():
        lines = escape.output(failure.output)[-_MOST_OUTPUT:]
        yield _text("\n".join(f"  │ {escape.log(line)}" for line in lines), "dim")


def _part(part: Part) -> Iterator[Text | Table]:
    most = _MOST_FOLDED if part.folded else _MOST
    style = "dim" if part.folded else ""
    yield _text(f"\n{part.title}", f"bold {style}")
    rows = part.rows[:most]
    if part.columns:
        yield _table(part, rows, style)
    else:
        for row in rows:
            yield _text("  " + " → ".join(map(_plain, row)), style)
    if len(part.rows) > most:
        yield _text(f"  … {len(part.rows) - most:,} more {part.noun}, see record.json", "dim")


def _table(part: Part, rows: Sequence[tuple[str, ...]], style: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, style=style, header_style="bold")
    for head, side in zip(part.columns, part.align, strict=True):
        table.add_column(
            _text(_plain(head)), justify="right" if side == "r" else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(_text(_plain(cell), _style(cell) or style) for cell in row))
    return table


def _plain(cell: str) -> str:
    return escape.terminal(cell) if isinstance(cell, Name) else _sentence(cell)


def _style(cell: str) -> str:
    if isinstance(cell, Name):
        return ""
    # A check that failed without counting says so in brackets.
    return "yellow" if cell.startswith("✗") and cell.endswith(")") else _STYLES.get(cell[:1], "")


def _footer(record: Record) -> Iterator[Text]:
    baseline, rules, published = record.baseline, words.rules(record), record.published
    facts = [
        ("commit", record.context.sha),
        ("baseline", baseline and f"{baseline.revision} {baseline.sha}"),
        ("rules", rules and f"{rules.revision} {rules.sha}"),
        (
            "results",
            published.commit and published.commit + ("" if published.pushed else ", not pushed"),
        ),
        ("tag", published.tag),
        ("kept as", published.ref),
        ("data", words.transfer(record.transfer)),
        ("run", record.context.run_url),
        ("note", published.note),
    ]
    lines = [f"{name:>8}  {_sentence(fact)}" for name, fact in facts if fact]
    if lines:
        yield _text("\n" + "\n".join(lines), "dim")
