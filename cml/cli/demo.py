"""`cml-run demo`."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  cml-run demo
  cml-run demo --keep playground
"""


@click.command(epilog=EPILOG)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Make the demo in a new folder and leave it there to play with.",
)
@click.pass_context
def command(ctx: click.Context, /, *, keep: Path | None) -> None:
    """Show the main job at work: a small pipeline, a change on a branch, the report.

    Makes a git remote, a DVC remote and a clone in a scratch folder; downloads nothing.
    """
    from cml.commands import demo

    ctx.exit(demo.run(keep))
