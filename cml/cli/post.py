"""`cml-run post`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cml import bundle, record
from cml.cli import job, options

if TYPE_CHECKING:
    from cml.commands.run import Surroundings
    from cml.config import Settings

EPILOG = """\b
Examples:
  cml-run post                           try again what a run could not tell
  cml-run post --sha "$SHA" downloaded   publish what an untrusted job has made
"""


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="[BUNDLE]", default=".cml", type=click.Path(path_type=Path))
@click.option("--sha", metavar="SHA", help="The commit that the bundle must be about.")
@options.only("metrics_format", "forge", "fail_on", "release", "images", "name")
@click.pass_context
def command(ctx: click.Context, /, *, folder: Path, sha: str | None, **flags: Any) -> None:
    """Tell the forge what a bundle says, which this or another job has made.

    Nothing of the bundle is run and nothing in it is trusted: in CI it must be about the commit
    that this job is about, and the pull request is the one that the forge names for that commit.
    """
    from cml.commands import post

    settings, around = job.gather(flags)
    ctx.exit(post.post(settings, _around(settings, around, folder), folder, sha))


def _around(settings: Settings, around: Surroundings, folder: Path) -> Surroundings:
    """Let a person at a shell vouch for the bundle, which then says where it belongs."""
    context = around.context
    if context.forge == "terminal":
        context = record.replace(bundle.read(folder).context, trusted=True)
    forge = job.forge(settings, context, around.token)
    return replace(around, context=context, forge=forge)
