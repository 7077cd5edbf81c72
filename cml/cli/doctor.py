"""`cml-run doctor`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from cml.cli import job, options
from cml.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.commands.doctor import Finding

EPILOG = """\b
Examples:
  cml-run doctor
  cml-run doctor --gpu
"""


@click.command(epilog=EPILOG)
@click.option("--gpu", is_flag=True, help="Look at GPUs, driver, CUDA and Docker; no repository.")
@options.add
@click.pass_context
def command(ctx: click.Context, /, *, gpu: bool, **flags: Any) -> None:
    """Look at all that a run relies on, and say what to do about what is wrong.

    Ends with 1 where something is.
    """
    healthy = True
    for finding in _examined(flags, gpu=gpu):
        healthy &= finding.healthy
        click.echo(f"{'ok  ' if finding.healthy else 'FAIL'} {finding.name}: {finding.seen}")
        if finding.hint:
            click.echo(f"     {finding.hint}")
    ctx.exit(ExitCode.PASSED if healthy else ExitCode.FAILED)


def _examined(flags: dict[str, Any], *, gpu: bool) -> Iterator[Finding]:
    if gpu:
        from cml.commands import doctor_gpu

        return doctor_gpu.examine(doctor_gpu.Machine(environ=os.environ))
    from cml.commands import doctor

    return doctor.examine(*job.gather(flags))
