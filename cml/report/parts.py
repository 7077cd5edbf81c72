"""A record as titled tables and lists of cells, in the order of the report; no markup here."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cml.record import Experiment, MetricChange, Record
from cml.report import words
from cml.report.words import Name, Number, Prose

MOST_COLUMNS = 6


@dataclass(frozen=True, kw_only=True)
class Part:
    """A table, or a list where there are no columns.

    Attributes:
        kind: what it holds; decides how long it stays when the report must shrink.
        title: our own words and counts, nothing from outside.
        rows: cells: `Name`, `Prose`, or `str` for numbers and our own words.
        columns: the heads of the columns.
        align: `l` or `r` for each column.
        noun: what a row is, in the plural.
        folded: of less interest: closed at first.
    """

    kind: str
    title: str
    rows: Sequence[tuple[str, ...]]
    columns: tuple[str, ...] = ()
    align: str = ""
    noun: str = "rows"
    folded: bool = False


def results(record: Record, number: Number) -> Iterator[Part]:
    """Yield what the run came to, as far as there is any: problems, checks, metrics."""
    parts = (
        _problems(record),
        _checks(record, number),
        _policy(record),
        *_metrics(record, number),
    )
    return (part for part in parts if part.rows)


def background(record: Record, number: Number) -> Iterator[Part]:
    """Yield what led to it, as far as there is any: parameters, data, stages, earlier results."""
    parts = (
        _params(record),
        _updates(record),
        *_data(record),
        _stages(record),
        _experiments(record, number),
    )
    return (part for part in parts if part.rows)


def _problems(record: Record) -> Part:
    rows = [(Prose(problem),) for problem in record.problems]
    return Part(kind="problems", title="Problems", rows=rows, noun="problems")


def _policy(record: Record) -> Part:
    rows = [(Prose(change),) for change in record.policy_changes]
    title = "Changed checks, in effect after the merge"
    return Part(kind="policy", title=title, rows=rows, noun="changed checks")


def _checks(record: Record, number: Number) -> Part:
    rows = [
        (
            Name(check.name),
            words.outcome(check),
            words.value(check.value, number),
            Prose(check.target or ""),
            Prose(check.message),
        )
        for check in sorted(record.checks, key=lambda check: check.status == "pass")
        if check.shown
    ]
    part = Part(
        kind="checks",
        title="Checks",
        rows=rows,
        columns=("Check", "Result", "Value", "Target", "Message"),
        align="llrll",
        noun="checks",
    )
    return _without_empty_columns(part)


def _without_empty_columns(part: Part) -> Part:
    filled = [index for index in range(len(part.columns)) if any(row[index] for row in part.rows)]
    return Part(
        kind=part.kind,
        title=part.title,
        rows=[tuple(row[index] for index in filled) for row in part.rows],
        columns=tuple(part.columns[index] for index in filled),
        align="".join(part.align[index] for index in filled),
        noun=part.noun,
        folded=part.folded,
    )


def _metrics(record: Record, number: Number) -> Iterator[Part]:
    several = len({metric.path for metric in record.metrics}) > 1
    changed = sorted(filter(words.changed, record.metrics), key=lambda m: m.problem is None)
    same = [metric for metric in record.metrics if not words.changed(metric)]
    counted = words.count(len(same), "unchanged metric")
    for kind, title, metrics in (
        ("metrics", "Metrics", changed),
        ("unchanged metrics", counted, same),
    ):
        yield Part(
            kind=kind,
            title=title,
            rows=[_metric(metric, number, several=several) for metric in metrics],
            columns=(*_file("File", several=several), "Metric", "Baseline", "New", "Change"),
            align="llrrr" if several else "lrrr",
            noun=kind,
            folded=metrics is same,
        )


def _metric(metric: MetricChange, number: Number, *, several: bool) -> tuple[str, ...]:
    return (
        *_file(metric.path, several=several),
        Name(metric.name or metric.path),
        words.value(metric.old, number),
        words.value(metric.new, number),
        words.change(metric, number),
    )


def _file(path: str, *, several: bool) -> tuple[str, ...]:
    return (Name(path),) if several else ()


def _params(record: Record) -> Part:
    several = len({param.path for param in record.params}) > 1
    rows = [
        (
            *_file(param.path, several=several),
            Name(param.name),
            words.value(param.old, repr),
            words.value(param.new, repr),
        )
        for param in record.params
    ]
    return Part(
        kind="parameters",
        title="Parameters",
        rows=rows,
        columns=(*_file("File", several=several), "Parameter", "Baseline", "New"),
        align="llrr" if several else "lrr",
        noun="parameters",
    )


def _updates(record: Record) -> Part:
    rows = [
        (Name(update.path), words.value(update.old, repr), words.value(update.new, repr))
        for update in record.updates
    ]
    return Part(
        kind="imports",
        title="Imported data brought up to date",
        rows=rows,
        columns=("Import", "Old version", "New version"),
        align="lll",
        noun="imports",
    )


def _data(record: Record) -> Iterator[Part]:
    data = record.data
    for what, paths in (
        ("added", data.added),
        ("modified", data.modified),
        ("deleted", data.deleted),
    ):
        yield _data_part(what, [(Name(path),) for path in paths])
    yield _data_part("renamed", [(Name(moved.old), Name(moved.new)) for moved in data.renamed])


def _data_part(what: str, rows: Sequence[tuple[str, ...]]) -> Part:
    title = f"Data: {words.count(len(rows), 'file')} {what}"
    return Part(kind="data", title=title, rows=rows, noun="files", folded=True)


def _experiments(record: Record, number: Number) -> Part:
    names = _shared_metrics(
        record.experiments, [m.name for m in record.metrics if words.changed(m)]
    )
    rows = [
        (
            Name(experiment.tag),
            Name(experiment.sha[:7]),
            *(words.value(experiment.metrics.get(name), number) for name in names),
        )
        for experiment in record.experiments
    ]
    latest = f"{len(rows)} experiments" if len(rows) > 1 else "experiment"
    return Part(
        kind="experiments",
        title=f"Latest {latest} in the branch",
        rows=rows,
        columns=("Tag", "Commit", *map(Name, names)),
        align="ll" + "r" * len(names),
        noun="experiments",
    )


def _shared_metrics(experiments: Sequence[Experiment], changed: Sequence[str]) -> list[str]:
    """Return the metrics of most experiments, the ones that changed now before the others."""
    shared = Counter(name for experiment in experiments for name in experiment.metrics)
    interesting = set(changed)
    ranked = sorted(shared, key=lambda name: (-shared[name], name not in interesting))
    return ranked[: MOST_COLUMNS - 2]


def _stages(record: Record) -> Part:
    rows = [
        (
            Name(stage.name),
            stage.state,
            "" if stage.seconds is None else words.duration(stage.seconds),
        )
        for stage in record.stages
    ]
    part = Part(
        kind="stages",
        title=f"Stages: {words.stages(record.stages)}",
        rows=rows,
        columns=("Stage", "State", "Time"),
        align="llr",
        noun="stages",
        folded=True,
    )
    return _without_empty_columns(part)
