"""The terminal as a forge: the report on stdout."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cml.record import Record


def publish(record: Record, text: str, *, number: Callable[[float | int], str]) -> None:
    """Show the record to a person, or write its report, `text`, for the next program in a pipe.

    A reader that has gone away is no reason to lose the run's exit code.
    """
    try:
        if sys.stdout.isatty():
            show(record, number=number)
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(record: Record, *, number: Callable[[float | int], str]) -> None:
    """Show the record to a person."""
    from rich.console import Console

    from cml import report

    Console(file=sys.stdout).print(report.render_terminal(record, number=number))
