"""The table of settings as options of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cml import config

if TYPE_CHECKING:
    from collections.abc import Callable


def add(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the option of each setting; None stands for not given."""
    return only(*(option.name for option in config.OPTIONS))(function)


def only(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a click command the options of some settings, by their names."""

    def give(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(config.OPTIONS):
            if option.flags and option.name in names:
                function = _click_option(option)(function)
        return function

    return give


def _click_option(option: config.Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    default = option.otherwise or option.default or "none"
    return click.option(
        "/".join(option.flags),
        option.name,
        metavar=option.metavar,
        type=bool if option.kind == "bool" else str,
        default=None,
        help=f"{option.help}  [default: {default}]",
    )
