"""`cml-run runner start`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cml.cli import runner_options
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.base import Program

EPILOG = """\b
Examples:
  cml-run runner start
  cml-run runner start --forge github --repository owner/name --labels cml,gpu --idle-timeout 30
  cml-run runner start --single && sudo poweroff
"""


@click.command(epilog=EPILOG)
@runner_options.shared
@click.option(
    "--poll",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="How often the forge is asked whether a job runs.",
)
@click.option(
    "--cloud",
    type=click.Choice(["auto", "aws", "gcp", "azure", "none"]),
    default="auto",
    show_default=True,
    help="Whose notices to look for, that a cheap machine is taken back.",
)
def command(*, poll: float, cloud: str, **flags: Any) -> None:
    """Look after the runner of this machine; register it first where that was not done.

    It ends when idle, on a signal, or when the cloud takes the machine back; but never while a job
    runs, unless told to a second time. Then the runner is off the forge's list.
    """
    from cml.commands import runner_start
    from cml.commands.runner_terms import Terms
    from cml.runners import notices

    given = runner_options.recalled(flags)
    jit = os.environ.get("CML_RUNNER_JIT", "").strip() or None
    asked = runner_options.asked(given, jit=jit is not None)
    terms = Terms(
        idle=_seconds(given["idle_timeout"]),
        lifetime=_seconds(given["max_lifetime"]),
        single=bool(given["single"]),
        poll=poll,
        cloud=cloud,
        metadata=os.environ.get("CML_METADATA_URL") or notices.ADDRESS,
        jit=jit,
    )
    wish = replace(asked.wish, supply=_supply(os.environ))
    runner_start.start(wish, terms, asked.hosts, asked.environ)


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


def _supply(environ: Mapping[str, str]) -> Program | None:
    """Return the program that whoever launched this machine has looked up, if that was done."""
    from cml.forges.base import Program

    url = environ.get("CML_RUNNER_PROGRAM_URL")
    sha256 = environ.get("CML_RUNNER_PROGRAM_SHA256")
    if bool(url) != bool(sha256):
        raise UsageError(
            "CML_RUNNER_PROGRAM_URL and CML_RUNNER_PROGRAM_SHA256 belong together",
            hint="set both, or none",
        )
    return Program(version="", url=url, sha256=sha256) if url and sha256 else None
