"""`cml-run doctor`."""

from __future__ import annotations

from typing import Any

import click

from cml.cli import job, options
from cml.errors import ExitCode

EPILOG = """\b
Example:
  cml-run doctor
"""


@click.command(epilog=EPILOG)
@options.add
@click.pass_context
def command(ctx: click.Context, /, **flags: Any) -> None:
    """Look at all that a run relies on, and say what to do about what is wrong.

    Ends with 1 where something is.
    """
    from cml.commands import doctor

    healthy = True
    for finding in doctor.examine(*job.gather(flags)):
        healthy &= finding.healthy
        click.echo(f"{'ok  ' if finding.healthy else 'FAIL'} {finding.name}: {finding.seen}")
        if finding.hint:
            click.echo(f"     {finding.hint}")
    ctx.exit(ExitCode.PASSED if healthy else ExitCode.FAILED)
