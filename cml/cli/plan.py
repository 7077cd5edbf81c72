"""`cml-run plan`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cml.cli import job, options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml import pipeline
    from cml.commands.plan import Plan

EPILOG = """\b
Examples:
  cml-run plan
  cml-run plan --repro-targets evaluate --json
"""
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000


@click.command(epilog=EPILOG)
@options.add
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def command(*, as_json: bool, **flags: Any) -> None:
    """Say what a run would do: stages and why, data to pull, baseline, what is saved.

    Runs nothing, pulls nothing and needs no data.
    """
    from cml.commands import plan

    found = plan.plan(*job.gather(flags))
    if as_json:
        click.echo(json.dumps(found.as_data(), indent=2))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(plan: Plan) -> Iterator[str]:
    if plan.skip:
        yield f"skip: {plan.skip}"
        return
    if plan.pipeline:
        yield from _stages(plan.pipeline)
        yield from _pulls(plan.pipeline)
        yield from (f"missing: {path} is neither here nor remote" for path in plan.pipeline.missing)
    base = plan.baseline
    yield f"compare: with {base.revision} ({base.sha[:7]})" if base else "compare: no baseline yet"
    for repeats in plan.repeats:
        what = f"{repeats.runs} runs of each side by {repeats.seed}, at most"
        yield f"repeat: {what} ({', '.join(repeats.checks)})"
    yield f"publish: {plan.publish}"


def _stages(plan: pipeline.Plan) -> Iterator[str]:
    for stage in plan.stages:
        because = f" ({'; '.join(stage.reasons)})" if stage.reasons else ""
        yield f"{stage.state}: {stage.name}{because}"


def _pulls(plan: pipeline.Plan) -> Iterator[str]:
    for pull in plan.pulls:
        files = "" if pull.files is None else f", {pull.files} files"
        yield f"pull: {pull.path} ({_human(pull.size)}{files})"
    if plan.pulls:
        yield f"pull: {_human(sum(pull.size or 0 for pull in plan.pulls))} at most"


def _human(size: float | None) -> str:
    if size is None:
        return "size not recorded"
    for unit in UNITS:
        if size < THOUSAND or unit == UNITS[-1]:
            break
        size /= THOUSAND
    return f"{size:.4g} {unit}"
