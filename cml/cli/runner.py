"""`cml-run runner`: its commands, each imported only when it is asked for."""

from __future__ import annotations

import click

from cml.cli import groups

EPILOG = """\b
Examples:
  cml-run runner register --labels cml,gpu --dry-run
  cml-run runner start --labels cml,gpu --idle-timeout 30
  cml-run runner launch --cloud aws --gpu T4:1 --labels cml,gpu
"""
NAMES = ("launch", "register", "start")


@click.group(cls=groups.Commands, names=NAMES, prefix="cml.cli.runner_", epilog=EPILOG)
def command() -> None:
    """Give jobs of GitHub or GitLab to a machine of your own, such as one with a GPU."""
