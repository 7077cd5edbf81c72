"""Runs a program to its end and reads what it says; nothing of it is believed beyond that."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MOST = 2_000
"""The most characters of a program's words in a message."""

_SECONDS = 60
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: Path | None = None,
    seconds: float = _SECONDS,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program; its stdout and stderr come as one.

    Raises:
        UsageError: it cannot be run, or takes too long.
    """
    try:
        return subprocess.run(
            argv,
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"cannot run {argv[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{argv[0]} does not end") from error


def version(argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Ask a program for its version: the first `1.2.3` that it says.

    Raises:
        UsageError: it says none.
    """
    done = run(argv, environ)
    found = _VERSION.search(done.stdout.decode(errors="replace"))
    if done.returncode or not found:
        raise UsageError(f"{argv[0]} does not tell its version", hint="look at what it says")
    return found[0]


def is_older(version: str, floor: str) -> bool:
    """Compare two versions, number by number."""
    return _numbers(version) < _numbers(floor)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
