"""`cml-run init`."""

from __future__ import annotations

from pathlib import Path

import click

from cml import config
from cml.errors import UsageError

EPILOG = """\b
Example:
  cml-run init && $EDITOR cml.yaml
"""


@click.command(epilog=EPILOG)
@click.option("--force", is_flag=True, help="Overwrite a cml.yaml that is there.")
def command(*, force: bool) -> None:
    """Write a cml.yaml in which every setting is explained and left at its default."""
    path = Path("cml.yaml")
    if path.exists() and not force:
        raise UsageError("cml.yaml is there already", hint="--force overwrites it")
    path.write_text(config.template(), encoding="utf-8")
    click.echo("wrote cml.yaml")
