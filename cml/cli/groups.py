"""Groups of commands, each of which is imported only when it is asked for."""

from __future__ import annotations

from typing import Any

import click


class Commands(click.Group):
    """Commands of which each is `command` in a module that is called by its name.

    Args:
        names: how the commands are called, in the order of the help.
        prefix: what stands before a name in that of its module.
    """

    def __init__(self, *args: Any, names: tuple[str, ...], prefix: str, **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._names = names
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Return the names of all commands."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return one command, or None where there is none of that name."""
        from importlib import import_module

        if cmd_name not in self._names:
            return None
        command: click.Command = import_module(f"{self._prefix}{cmd_name}").command
        return command
