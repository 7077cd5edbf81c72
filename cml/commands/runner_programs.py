"""Which runner program is used: one that is here and new enough, or the newest, fetched."""

from __future__ import annotations

import logging
import platform
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.runners import asking, fetching

if TYPE_CHECKING:
    from pathlib import Path

    from cml.commands.runner_register import Wish
    from cml.forges.base import RunnerHost
    from cml.runners.base import RunnerProgram

log = logging.getLogger("cml")


def found(wish: Wish, host: RunnerHost, program: RunnerProgram) -> Path | None:
    """Return where a runner program is that is new enough; None where it has to be fetched.

    Raises:
        UsageError: the one that was named is too old, or cannot be run.
    """
    for path in program.candidates(wish.program):
        if _is_good(wish, host, program, path):
            return path
    return None


def _is_good(wish: Wish, host: RunnerHost, program: RunnerProgram, path: Path) -> bool:
    try:
        _refuse_old(wish, host, program, path)
    except UsageError as error:
        if wish.program:
            raise
        log.warning("%s", error.message)
        return False
    return True


def _refuse_old(wish: Wish, host: RunnerHost, program: RunnerProgram, path: Path) -> None:
    version = program.version(path)
    reason = program.lacks(path, persistent=wish.persistent)
    if asking.is_older(version, host.oldest_runner):
        reason = f"no jobs are given to one before {host.oldest_runner}"
    if reason:
        raise UsageError(
            f"{program.name} {version} at {path} is too old: {reason}",
            hint="update it, or leave --program out to fetch the newest",
        )


def ready(wish: Wish, host: RunnerHost, program: RunnerProgram) -> Path:
    """Return where a runner program is that is new enough, fetched if need be.

    Raises:
        UsageError: the one that was named is too old.
        PublishError: it cannot be fetched, or is another one than the forge says.
    """
    path = found(wish, host, program)
    if path:
        return path
    newest = wish.supply or host.runner_program(
        system=platform.system(), machine=platform.machine()
    )
    target = wish.home / "program"
    fetching.fetch(newest.url, newest.sha256, target, archive=program.archive)
    log.info("%s %s is in place", program.name, program.version(target))
    return target
