"""`cml-run runner start`."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cml.cli import runner_options
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.commands.runner_register import Wish
    from cml.forges.base import Program, Registration

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
    wish = replace(asked.wish, supply=_supply(os.environ))
    idle = _seconds(given["idle_timeout"])
    terms = Terms(
        idle=idle,
        lifetime=_seconds(given["max_lifetime"]),
        single=bool(given["single"]),
        poll=poll,
        cloud=cloud,
        metadata=os.environ.get("CML_METADATA_URL") or notices.ADDRESS,
        given=_given(wish, jit, os.environ) if jit else None,
    )
    if jit and idle is not None:  # who has no token cannot ask GitLab whether a job runs
        wish = replace(wish, executor=replace(wish.executor, wait=math.ceil(idle)))
    runner_start.start(wish, terms, asked.hosts, asked.environ)


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


def _given(wish: Wish, credential: str, environ: Mapping[str, str]) -> Registration:
    """Return the runner that whoever launched this machine has registered."""
    from cml.forges.base import Registration

    return Registration(
        id=None,
        name=wish.name,
        url=environ.get("CI_SERVER_URL") or "https://gitlab.com",
        kind="authentication" if wish.forge == "gitlab" else "just-in-time",
        credential=credential,
    )


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
