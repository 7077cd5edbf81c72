"""`cml-run migrate`."""

from __future__ import annotations

import os
from pathlib import Path

import click

EPILOG = """\b
Examples:
  cml-run migrate --dry-run
  cml-run migrate && git diff
"""


@click.command(epilog=EPILOG)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def command(*, dry_run: bool) -> None:
    """Convert the files of DVC's first years to dvc.yaml, so that nothing needs to run again.

    Commits nothing: look at the changes, and commit them yourself.
    """
    from cml import repo
    from cml.commands import legacy_files

    start = Path.cwd()
    for line in legacy_files.migrate(repo.find(start, os.environ), start, dry_run=dry_run):
        click.echo(line)
