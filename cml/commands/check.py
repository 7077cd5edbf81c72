"""The story of judging alone: nothing is run, pulled, saved or told."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING

from cml import checks, metrics, pipeline, repo
from cml.commands import evidence, gate, in_force, run
from cml.errors import UsageError
from cml.record import Record, replace

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cml.commands.evidence import Evidence
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.metrics import Reading
    from cml.record import Value


def check(settings: Settings, around: Surroundings) -> tuple[Record, tuple[str, ...]]:
    """Judge what lies in the work tree, with or without DVC.

    Returns:
        The record of it, and the verdicts that block.

    Raises:
        CmlError: the rules are wrong, or the baseline cannot be found.
    """
    checkout = run.open_checkout(around)
    context = run.located(around.context, checkout)
    gate.rules_here(around.start, checkout)
    force = in_force.find(settings, around, checkout, context)
    settings = force.settings
    record = Record(context=context, baseline=force.baseline, rules=force.rules)
    with contextlib.redirect_stdout(sys.stderr), _project(around) as project:
        found = evidence.gathered(settings, around, checkout, project)
        old, new = _readings(settings, around, record, found)
        changes = metrics.diff(old, new)
        problems = checks.problems(new.errors, changes, unreadable_before=old.errors)
        record = replace(record, metrics=changes, problems=problems)
        judged = gate.judge(around.start, checkout, record, found)
    record = replace(
        record,
        checks=judged.checks,
        policy_changes=[*force.changes, *judged.policy_changes],
        problems=judged.problems,
        verdict=judged.verdict,
    )
    return record, settings.fail_on


def _project(around: Surroundings) -> AbstractContextManager[pipeline.Project | None]:
    if pipeline.find_root(around.start) is None:
        return contextlib.nullcontext()
    return pipeline.open_project(around.start)


def _readings(
    settings: Settings, around: Surroundings, record: Record, found: Evidence
) -> tuple[Reading, Reading]:
    """Read the metrics of the baseline and of the work tree."""
    base = record.baseline.sha if record.baseline else None
    if found.project is None:
        return _files(_named(around, found.checkout, record), found.checkout, base)
    wanted = settings.metrics_diff_targets.names or None
    revisions = [*([base] if base else []), pipeline.WORKSPACE]
    read = pipeline.read_metrics(found.project, revisions, wanted)
    return read.get(base or "", metrics.Reading()), read[pipeline.WORKSPACE]


def _named(around: Surroundings, checkout: repo.Checkout, record: Record) -> list[str]:
    """Name the files of the rules in force, and of those that the change would have."""
    rules = [gate.rules_here(around.start, checkout)]
    with contextlib.suppress(UsageError):  # the gate says so
        rules.append(gate.rules_in_force(around.start, checkout, record))
    return list(dict.fromkeys(name for each in rules for name in gate.metrics_files(each)))


def _files(names: list[str], checkout: repo.Checkout, base: str | None) -> tuple[Reading, Reading]:
    """Read the JSON files that checks name, where no DVC tells which files hold metrics."""
    here = {name: checkout.root / name for name in names}
    now = {name: path.read_bytes() for name, path in here.items() if path.is_file()}
    then = {name: checkout.show(base, name) for name in names} if base else {}
    return _reading({k: v for k, v in then.items() if v is not None}), _reading(now)


def _reading(texts: dict[str, bytes]) -> Reading:
    read = {name: _values(text) for name, text in texts.items()}
    return metrics.Reading(
        values={name: found for name, found in read.items() if not isinstance(found, str)},
        errors={name: found for name, found in read.items() if isinstance(found, str)},
    )


def _values(text: bytes) -> dict[str, Value] | str:
    """Return what a JSON file holds, or why it cannot be read."""
    try:
        return metrics.flatten(json.loads(text))
    except ValueError as error:
        return f"not JSON: {error}"


def write(path: str, text: str) -> None:
    """Write a file that the user has named.

    Raises:
        UsageError: it cannot be written.
    """
    from pathlib import Path

    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
