"""A record -> markdown that renders on GitHub and on GitLab; no files, no network."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cml.record import Failure, Plot, Published, Record
from cml.report import escape, layout, parts, words
from cml.report.layout import Section
from cml.report.parts import Part
from cml.report.words import Name, Number, Prose

_CORE = ("verdict", "failure", "commits", "problems", "checks", "policy", "metrics")
_OTHERS = (
    "stages",
    "imports",
    "history",
    "plots",
    "parameters",
    "experiments",
    "data",
    "unchanged metrics",
)
_RANKS = {
    **{kind: rank for rank, kind in enumerate(_CORE)},
    **{kind: rank for rank, kind in enumerate(_OTHERS, layout.CORE)},
}
_SHA = re.compile(r"[0-9a-f]{7,64}")
_UNSAFE_IN_ALT = re.compile(r"[^\w ./-]")
_MOST_OUTPUT = 100  # lines
_RULES = {"l": ":---", "r": "---:"}


@dataclass(frozen=True, kw_only=True)
class Image:
    """Where the picture of a plot can be reached; `shown` tells whether embedding it shows it."""

    url: str
    shown: bool


def render(
    record: Record,
    *,
    number: Number = repr,
    limit: int | None = None,
    images: Mapping[str, Image] | None = None,
) -> str:
    """Return the report of a run.

    Args:
        record: the facts; every text in it counts as hostile.
        number: makes a finite number readable.
        limit: the most that the report may measure, in bytes of UTF-8, which are never fewer
            than characters. Whole sections and rows give way, the least important first, and
            what was cut is said.
        images: the picture of each plot that could be hosted, by the plot's id; without it
            pictures are linked by their path in the bundle.
    """
    sections = [
        _verdict(record),
        _failure(record.failure),
        *map(_section, parts.results(record, number)),
        _plots(record.plots, images),
        *map(_section, parts.background(record, number)),
        _history(record),
        _footer(record),
    ]
    return layout.fit([section for section in sections if section is not None], limit)


def _verdict(record: Record) -> Section:
    symbol, title = words.headline(record)
    head = f"## {symbol} {title}\n\n{escape.prose(words.sentence(record))}"
    return Section(name="verdict", rank=_RANKS["verdict"], head=head)


def _failure(failure: Failure | None) -> Section | None:
    if failure is None:
        return None
    stage = words.unnamed_stage(failure)
    what = f"Stage {escape.code(stage)}" if stage else "What happened"
    said = [f"**{what}:** {escape.prose(failure.message)}"]
    if failure.hint:
        said.append(_hint(failure.hint))
    if not failure.output.strip():
        head = "\n\n".join(said)
        return Section(name="failure", rank=_RANKS["failure"], head=head)
    fence, lines = escape.fenced(escape.output(failure.output)[-_MOST_OUTPUT:])
    said.append(f"The end of its output:\n\n{fence}text\n")
    return Section(
        name="failure",
        rank=_RANKS["failure"],
        head="\n\n".join(said),
        rows=lines,
        tail=f"\n{fence}",
        noun="lines above",
        last=True,
    )


def _hint(hint: str) -> str:
    """Return the advice; lines after the first are there to be pasted, and stay lines."""
    first, *rest = hint.strip().split("\n")
    advice = f"**Hint:** {escape.prose(first)}"
    if not rest:
        return advice
    fence, lines = escape.fenced(escape.output("\n".join(rest).lstrip("\n")))
    return "\n".join((advice, "", f"{fence}text", *lines, fence))


def _section(part: Part) -> Section:
    opening, closing = f"### {part.title}\n\n", ""
    if part.folded:
        opening = f"<details>\n<summary>{part.title}</summary>\n\n"
        closing = "\n\n</details>"
    if part.columns:
        opening += (
            _row(part.columns) + "\n|" + "|".join(_RULES[side] for side in part.align) + "|\n"
        )
    return Section(
        name=part.kind,
        rank=_RANKS[part.kind],
        head=opening,
        rows=[_row(row) if part.columns else _bullet(row) for row in part.rows],
        tail=closing,
        noun=part.noun,
    )


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join([escape.cell(_inline(cell)) for cell in cells]) + " |"


def _bullet(cells: tuple[str, ...]) -> str:
    return "- " + " → ".join(map(_inline, cells))


def _inline(cell: str) -> str:
    if isinstance(cell, Name):
        return escape.code(cell)
    if isinstance(cell, Prose):
        return escape.prose(cell)
    return escape.figure(cell)


def _history(record: Record) -> Section | None:
    if not record.experiments:
        return None
    from cml.report import charts, history

    charted = history.of(record)
    if not charted:
        return None
    return Section(
        name="history",
        rank=_RANKS["history"],
        rows=[_mermaid(charts.mermaid(past.name, past.labels, past.values)) for past in charted],
        between="\n\n",
        noun="charts",
    )


def _plots(plots: list[Plot], images: Mapping[str, Image] | None) -> Section | None:
    if not plots:
        return None
    return Section(
        name="plots",
        rank=_RANKS["plots"],
        head="### Plots\n\n",
        rows=[_plot(plot, images) for plot in plots],
        between="\n\n",
        noun="plots",
    )


def _plot(plot: Plot, images: Mapping[str, Image] | None) -> str:
    """Return the best that people can see of a plot: its picture, its chart, a link, a word."""
    name = escape.code(plot.id)
    if images is None:
        return f"{name}\n\n{_embedded(plot, escape.file_address(plot.file))}"
    image = images.get(plot.id)
    url = escape.address(image.url) if image else None
    if image and url and image.shown:
        return f"{name}\n\n{_embedded(plot, url)}"
    said = f"{name}: [picture]({url})" if url else name
    from cml.report import charts

    chart = charts.safe(plot.chart) if plot.chart else None
    if chart:
        return f"{said}\n\n{_mermaid(chart)}"
    if url:
        return said
    return f"{name} could not be hosted here: it lies in the bundle as {escape.code(plot.file)}."


def _embedded(plot: Plot, url: str) -> str:
    alt = _UNSAFE_IN_ALT.sub("_", escape.visible(plot.id))
    return f"![{alt}]({url})"


def _mermaid(chart: str) -> str:
    return f"```mermaid\n{chart}\n```"


def _footer(record: Record) -> Section | None:
    facts = _facts(record)
    note = record.published.note
    lines = [f"**Note:** {escape.prose(note)}"] if note else []
    if facts:
        lines.append(f"<sub>{' · '.join(facts)}</sub>")
    if not lines:
        return None
    return Section(name="commits", rank=_RANKS["commits"], head="\n\n".join(lines))


def _facts(record: Record) -> list[str]:
    context, baseline = record.context, record.baseline
    facts = [f"commit {_sha(context.sha)}"] if context.sha else []
    if baseline:
        facts.append(f"baseline {escape.code(baseline.revision)} {_sha(baseline.sha)}")
    if rules := words.rules(record):
        facts.append(f"rules of {escape.code(rules.revision)} {_sha(rules.sha)}")
    facts += _published(record.published)
    moved = words.transfer(record.transfer)
    if moved:
        facts.append(moved)
    if context.run_url:
        url = escape.address(context.run_url)
        facts.append(f"[run]({url})" if url else f"run {escape.code(context.run_url)}")
    return facts


def _published(published: Published) -> list[str]:
    facts = []
    if published.commit:
        pushed = "" if published.pushed else ", not pushed"
        facts.append(f"results {_sha(published.commit)}{pushed}")
    if published.tag:
        facts.append(f"tag {escape.code(published.tag)}")
    if published.ref:
        facts.append(f"kept as {escape.code(published.ref)}")
    return facts


def _sha(sha: str) -> str:
    """Return a commit as bare text, for both forges shorten and link it, or else as code."""
    return sha if _SHA.fullmatch(sha) else escape.code(sha)
