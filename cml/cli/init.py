"""`cml-run init`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cml.commands.init import Forge

EPILOG = """\b
Examples:
  cml-run init && $EDITOR cml.yaml
  cml-run init --forge gitlab
"""


@click.command(epilog=EPILOG)
@click.option(
    "--forge",
    type=click.Choice(["github", "gitlab"]),
    help="The forge to write a workflow for.  [default: by the host of origin]",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(*, forge: Forge | None, force: bool) -> None:
    """Write a cml.yaml in which every setting is explained, and the forge's workflow.

    The workflow is .github/workflows/cml.yaml or .gitlab-ci.yml. Settings are left at their
    defaults, and what is there is kept.
    """
    from cml.commands import init

    for line in init.write(Path.cwd(), os.environ, forge=forge, force=force):
        click.echo(line)
