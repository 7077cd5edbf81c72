"""`cml-run pr`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from cml.cli import job, options

EPILOG = """\b
Example:
  dvc repro && cml-run pr
"""


@click.command(epilog=EPILOG)
@options.only("baseline", "metrics_format", "tag_prefix", "forge", "release", "images", "name")
@click.pass_context
def command(ctx: click.Context, /, **flags: Any) -> None:
    """Save the results that lie in the work tree by a pull request, without running anything.

    It is the main job with `--publish-as pull-request` behind a pipeline that has run already: the
    data is pushed, the results are committed to `cml-run/<branch>`, and the one pull request of
    that branch is opened or brought up to date.
    """
    from cml.commands import pr

    given = {**flags, "repro_targets": "-", "dvc_pull": "-", "publish": True}
    settings, around = job.gather({**given, "publish_as": "pull-request"})
    ctx.exit(pr.propose(settings, replace(around, publish=True)))
