"""`cml-run check`."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

import click

from cml.cli import job, options

EPILOG = """\b
Examples:
  cml-run check
  cml-run check --logdir runs --json
  cml-run check --junit checks.xml
"""


@click.command(epilog=EPILOG)
@options.only(
    *("baseline", "metrics_diff_targets", "metrics_format", "logdir", "fail_on"),
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks and the verdict as JSON.")
@click.option("--junit", metavar="FILE", help="Write the checks as JUnit XML as well.")
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool, junit: str | None, **flags: Any) -> None:
    """Judge what lies here by the checks in cml.yaml, without running or saving anything.

    The checks are those of the baseline. In a repository without DVC, a metric is named with its
    JSON file: metrics:FILE:NAME.
    """
    from cml import numerals, report
    from cml import record as records
    from cml.commands import check, ending
    from cml.forges import terminal

    settings, around = job.gather({**flags, "publish": False})
    record, fail_on = check.check(settings, replace(around, publish=False))
    if junit:
        check.write(junit, report.junit(record))
    if as_json:
        said = {"verdict": record.verdict, "checks": records.plain(record.checks)}
        said |= {"problems": record.problems, "policy_changes": record.policy_changes}
        click.echo(json.dumps(said, indent=2))
    else:
        number = functools.partial(numerals.format, pattern=settings.metrics_format)
        terminal.publish(record, report.render(record, number=number), number=number)
    ctx.exit(ending.exit_code(record, fail_on=fail_on))
