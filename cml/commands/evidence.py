"""The values that a check looks at: from the record, a JSON file, a program, or event files."""

from __future__ import annotations

import functools
import json
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cml import pipeline
from cml.checks import rules
from cml.checks.model import Values
from cml.commands import costs, past, predicting, repeating, vouching
from cml.errors import CmlError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cml.checks.model import Check, Comparison
    from cml.commands.repeater import Repeater
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.pipeline import Project
    from cml.record import MetricChange, Record, Value
    from cml.repo import Checkout


# Not frozen: what was read once is kept.
@dataclass(kw_only=True)
class Evidence:
    """Where values come from besides DVC's metrics.

    Attributes:
        checkout: the work tree.
        environ: the environment of programs, without the forge's token.
        logdir: the folder with event files.
        project: the DVC project, where there is one.
        author: names the account whose change this is, where the forge vouches for it.
        repeater: runs the pipeline with other seeds; None where nothing is to be run.
    """

    checkout: Checkout
    environ: Mapping[str, str]
    logdir: Path
    project: Project | None = None
    author: Callable[[], str | None] = lambda: None
    repeater: Repeater | None = None

    @functools.cached_property
    def scalars(self) -> dict[str, list[float]]:
        """The values of each scalar tag in the event files."""
        from cml.commands import events

        return events.scalars(self)


def gathered(
    settings: Settings, around: Surroundings, checkout: Checkout, project: Project | None
) -> Evidence:
    """Say where the values of a run come from."""
    kept = {name: value for name, value in around.environ.items() if name not in around.secrets}
    logdir = around.start / settings.logdir if settings.logdir else checkout.root
    return Evidence(
        checkout=checkout,
        environ=kept,
        logdir=logdir,
        project=project,
        author=functools.partial(vouching.author, around.context, around.forge),
    )


def values(check: Check, record: Record, found: Evidence) -> Values:
    """Return what a check judges; what cannot be read is a problem in it, and never missing."""
    try:
        match check.source:
            case "metrics":
                return _metrics(check, record, found)
            case "custom":
                return _custom(check, record, found)
            case "seconds" | "bytes":
                return costs.values(check, record, found.project)
            case "command":
                return _command(check, found)
            case "tensorflow":
                return Values(series=found.scalars)
    except CmlError as error:
        hint = f" ({error.hint})" if error.hint else ""
        return Values(problems={check.subject: f"{error.message}{hint}"})


def _metrics(check: Check, record: Record, found: Evidence) -> Values:
    """Take the metrics of one file, or those of all files where no name is in two of them."""
    path = _file(check.subject, record.metrics)
    chosen = [metric for metric in record.metrics if path in {None, metric.path}]
    problems = {metric.name: metric.problem for metric in chosen if metric.problem}
    for name, places in _shared(chosen).items():
        problems[name] = f"is in several files ({', '.join(places)}): write metrics:FILE:NAME"
    name = check.subject.removeprefix(f"{path}:") if path else check.subject
    judged = next((metric for metric in chosen if metric.name == name), None)
    return Values(
        now={metric.name: metric.new for metric in chosen},
        before={m.name: m.old for m in chosen} if record.baseline else None,
        problems=problems,
        problems_before={m.name: m.old_problem for m in chosen if m.old_problem},
        expected=past.expected(check, judged, record, found),
        comparison=_comparison(check, judged, record, found),
        name=name,
    )


def _file(subject: str, metrics: list[MetricChange]) -> str | None:
    """Return the file that `metrics:FILE:NAME` names; None for `metrics:NAME`.

    Raises:
        UsageError: it can be read both ways; a change could choose what suits it.
    """
    names = [metric for metric in metrics if metric.name == subject]
    files = [metric for metric in metrics if f"{metric.path}:{metric.name}" == subject]
    if not files:
        paths = [metric.path for metric in metrics if subject.startswith(f"{metric.path}:")]
        return None if names else max(paths, key=len, default=None)
    if len(files) + len(names) > 1:
        ways = " and as ".join(f"{metric.name} in {metric.path}" for metric in (*files, *names))
        one = f"write metrics:{names[0].path}:{subject}, or " if names else ""
        raise UsageError(f"can be read as {ways}: {one}give one of them another name")
    return files[0].path


def _comparison(
    check: Check, metric: MetricChange | None, record: Record, found: Evidence
) -> Comparison | None:
    """Say what `predictions` or `repeat` tell, where there are two sides to compare."""
    if metric is None or record.baseline is None or not all(map(_number, (metric.old, metric.new))):
        return None
    if check.predictions is not None:
        return predicting.comparison(check, metric, record.baseline.sha, found)
    if check.repeat is not None:
        return repeating.comparison(check, metric, record.baseline.sha, found)
    return None


def _number(value: Value) -> bool:
    return rules.fault(value) is None


def _shared(metrics: list[MetricChange]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for metric in metrics:
        places.setdefault(metric.name, []).append(metric.path)
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def _custom(check: Check, record: Record, found: Evidence) -> Values:
    """Read a value by its JSON pointer from a file, here and at the baseline."""
    file, pointer = check.subject, check.aggregate or ""
    now, then = _content(file, found), None
    if record.baseline is not None:
        sha = record.baseline.sha
        then = found.checkout.show(sha, file)
        then = _kept(file, sha, found) if then is None else then
    return Values(
        now={} if now is None else {file: _pointed(file, now, pointer)},
        before=None if then is None else {file: _pointed(file, then, pointer)},
    )


def _content(file: str, found: Evidence) -> bytes | None:
    """Read a file here; a result that DVC did not need in the work tree is in its cache."""
    try:
        return (found.checkout.root / file).read_bytes()
    except FileNotFoundError:
        return _kept(file, pipeline.WORKSPACE, found)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def _kept(file: str, revision: str, found: Evidence) -> bytes | None:
    """Read a file of the repository that DVC keeps; None where it keeps none of that name."""
    if found.project is None:
        return None
    path = os.path.relpath(found.checkout.root / file, found.project.root.resolve())
    return pipeline.content(found.project, revision, path.replace(os.sep, "/"))


def _pointed(file: str, text: bytes, pointer: str) -> Value:
    """Return what a JSON pointer (RFC 6901) names; None where there is nothing."""
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        elif isinstance(data, dict):
            data = data.get(key)
        else:
            return None
    return data if isinstance(data, (int, float, str, bool, type(None))) else json.dumps(data)


def _command(check: Check, found: Evidence) -> Values:
    """Run a program of the policy, whose output ends with the number."""
    line = check.command or check.subject
    status, output = pipeline.answer(line, cwd=str(found.checkout.root), env=found.environ)
    if status:
        raise UsageError(f"the command ended with exit status {status}: {line}")
    last = (output.split() or [""])[-1]
    try:
        number = float(last)
    except ValueError as error:
        raise UsageError(f"the command printed no number but {last[:80]!r}: {line}") from error
    if not math.isfinite(number):
        raise UsageError(f"the command printed {last}: {line}")
    return Values(now={check.subject: number})
