"""A record's facts as short plain sentences and cells, for any view of it; no markup here."""

import math
from collections import Counter
from collections.abc import Callable, Iterable

from cml.record import Baseline, CheckResult, Failure, MetricChange, Record, Stage, Transfer, Value
from cml.report.escape import visible

Number = Callable[[float | int], str]

MISSING = "—"
SYMBOLS = {"pass": "✓", "fail": "✗", "inconclusive": "?", "invalid": "!"}
_TITLES = {
    "pass": "Passed",
    "fail": "Failed",
    "inconclusive": "Inconclusive",
    "invalid": "Invalid",
}
_PIPELINE_EXIT = 3
_MINUTE = 60  # seconds
_HOUR = 60  # minutes
_KILO = 1000


def rules(record: Record) -> Baseline | None:
    """Return the commit of the rules, where these judged and it is not the baseline."""
    if record.rules is None or not record.checks:
        return None
    same = record.baseline is not None and record.baseline.sha == record.rules.sha
    return None if same else record.rules


class Name(str):
    """A cell that holds a name or a text from outside, shown to the letter."""

    __slots__ = ()


class Prose(str):
    """A cell that holds a sentence from outside."""

    __slots__ = ()


def headline(record: Record) -> tuple[str, str]:
    """Return a one-character symbol and the verdict in words."""
    if _failed(record):
        code = record.failure.exit_code if record.failure else _PIPELINE_EXIT
        return "✗", "The pipeline failed" if code == _PIPELINE_EXIT else "The run failed"
    if record.outcome == "skipped":
        return "\u2013", "Skipped"
    if record.verdict is None:
        return "·", "No verdict"
    unsaved = "; the results could not be saved" if record.failure else ""
    return SYMBOLS[record.verdict], _TITLES[record.verdict] + unsaved


def title(record: Record) -> str:
    """Return the verdict and why, as one line of plain text."""
    symbol, verdict = headline(record)
    return visible(f"{symbol} {verdict}. {sentence(record)}".replace("`", ""), 1000)


def _failed(record: Record) -> bool:
    """Tell whether the run itself failed; a failure after a verdict does not hide the verdict."""
    return record.outcome == "failed" or (record.failure is not None and record.verdict is None)


def sentence(record: Record) -> str:
    """Return why the headline says what it says; names from outside stand in backticks."""
    because = (record.reason or "").strip() or _because(record)
    if record.outcome == "unchanged" and not _failed(record):
        return f"There was nothing to do: results are up to date. {because}"
    return because


def _because(record: Record) -> str:
    if _failed(record):
        stage = record.failure.stage if record.failure else None
        return f"The stage {quoted(stage)} failed." if stage else "It did not get to its end."
    if record.outcome == "skipped":
        return "Nothing was run."
    if record.verdict is None:
        return "Nothing was judged." if record.checks else "No checks are set."
    if record.verdict == "invalid" and record.problems:
        return f"Nothing can be judged because of {count(len(record.problems), 'problem')}."
    return _judged(record.checks, record.verdict)


def _judged(checks: list[CheckResult], verdict: str) -> str:
    if verdict == "pass":
        warnings = [c.name for c in checks if c.status != "pass" and c.level == "warn"]
        if warnings:
            return f"No check failed, with {count(len(warnings), 'warning')}: {_listed(warnings)}."
        return f"{count(len(checks), 'check')} passed." if checks else "No checks are set."
    names = [check.name for check in checks if check.status == verdict and check.level == "error"]
    result = "failed" if verdict == "fail" else f"came out {verdict}"
    return f"{len(names)} of {count(len(checks), 'check')} {result}: {_listed(names)}."


def unnamed_stage(failure: Failure) -> str | None:
    """Return the stage that failed where the message does not name it already."""
    return None if failure.stage and failure.stage in failure.message else failure.stage


def _listed(names: list[str], most: int = 3) -> str:
    shown = ", ".join(map(quoted, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def quoted(name: str) -> str:
    """Return a name from outside in single backticks."""
    return f"`{visible(name, 80).replace('`', chr(39))}`"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, as in `1 file` or `2,000 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def value(given: Value, number: Number) -> str:
    """Return a value as a cell: a number through `number`, a text as a `Name`."""
    if given is None:
        return MISSING
    if isinstance(given, str):
        return Name(given)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and not math.isfinite(given):
        return str(given)
    return number(given)


def changed(metric: MetricChange) -> bool:
    """Tell whether a metric differs from the baseline or cannot be judged."""
    if metric.problem is not None or isinstance(metric.old, bool) != isinstance(metric.new, bool):
        return True
    return metric.old != metric.new


def change(metric: MetricChange, number: Number) -> str:
    """Return the cell that says how a metric changed, or why it cannot be judged."""
    if metric.problem is not None:
        return Prose(f"! {metric.problem}")
    if metric.diff is not None:
        return signed(metric.diff, number)
    if metric.old is None or metric.new is None:
        return MISSING
    return "changed" if changed(metric) else "same"


def signed(diff: float, number: Number) -> str:
    """Return a difference with its sign; exactly no difference is `0` in every format."""
    if diff == 0:
        return "0"
    text = value(diff, number)
    return f"+{text}" if diff > 0 and not text.startswith("+") else text


def outcome(check: CheckResult) -> str:
    """Return the result of a check in words, saying so where it does not count."""
    text = f"{SYMBOLS[check.status]} {check.status}"
    notes = {"error": "", "warn": " (warning)", "off": " (off)"}
    return text if check.status == "pass" else text + notes[check.level]


def stages(given: Iterable[Stage]) -> str:
    """Return how many stages did what, and the seconds of all together."""
    given = list(given)
    states = Counter(stage.state for stage in given)
    counts = ", ".join(f"{number:,} {state}" for state, number in states.items())
    seconds = sum(stage.seconds or 0 for stage in given)
    return f"{counts} ({duration(seconds)})" if seconds else counts


def duration(seconds: float) -> str:
    """Return seconds as people say them: `1.5 s`, `2 min 05 s`, `3 h 07 min`."""
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _HOUR:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // _HOUR} h {minutes % _HOUR:02} min"


def transfer(moved: Transfer) -> str:
    """Return what went to and came from the DVC remote, or nothing where nothing moved."""
    ways = (
        ("pulled", moved.pulled_files, moved.pulled_bytes),
        ("pushed", moved.pushed_files, moved.pushed_bytes),
    )
    said = [
        f"{way} {count(files, 'file')} ({size(number)})" for way, files, number in ways if files
    ]
    return ", ".join(said)


def size(number: float) -> str:
    """Return bytes in units of 1000: three digits, as in `999 B` or `2.21 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if round(number) < _KILO:
            return f"{number:.3g} {unit}"
        number /= _KILO
    return f"{number:,.1f} TB"
