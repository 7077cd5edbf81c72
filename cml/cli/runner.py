"""`cml-run runner`: its commands, each imported only when it is asked for."""

from __future__ import annotations

import click

EPILOG = """\b
Examples:
  cml-run runner register --labels cml,gpu --dry-run
  cml-run runner start --labels cml,gpu --idle-timeout 30
  cml-run runner launch --cloud aws --gpu T4:1 --labels cml,gpu
"""


class Commands(click.Group):
    """The commands about runners."""

    names = ("launch", "register", "start")

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names of all commands."""
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return one command, or None where there is none of that name."""
        from importlib import import_module

        if cmd_name not in self.names:
            return None
        command: click.Command = import_module(f"cml.cli.runner_{cmd_name}").command
        return command


@click.group(cls=Commands, epilog=EPILOG)
def command() -> None:
    """Give jobs of GitHub or GitLab to a machine of your own, such as one with a GPU."""
