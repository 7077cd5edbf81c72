"""`cml-run runner register`."""

from __future__ import annotations

from typing import Any

import click

from cml.cli import runner_options

EPILOG = """\b
Examples:
  cml-run runner register --forge github --repository owner/name --labels cml,gpu --dry-run
  cml-run runner register --forge gitlab --group ml/vision --labels cml,gpu
"""


@click.command(epilog=EPILOG)
@runner_options.shared
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def command(*, dry_run: bool, **flags: Any) -> None:
    """Register this machine as a runner, for `cml-run runner start` to look after.

    The token in repo_token must be allowed to administer runners. A runner takes one job, and the
    next one under a new registration, unless it is --persistent.
    """
    from cml.commands import runner_register

    given = runner_options.recalled(flags)
    asked = runner_options.asked(given)
    if dry_run:
        for line in runner_register.rehearse(asked.wish, asked.hosts.patient, asked.environ):
            click.echo(line)
        return
    name = runner_register.register(asked.wish, asked.hosts.patient, asked.environ)
    runner_options.remember(given)
    click.echo(name)
