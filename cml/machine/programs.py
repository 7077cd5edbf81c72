"""Runs programs of this machine that tell about it; changes nothing."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a program said; `why` is the last line of its complaint."""

    status: int
    output: str
    why: str


def ask(*argv: str, environ: Mapping[str, str], seconds: float = _SECONDS) -> Said | None:
    """Run a program; None where there is none of that name. One that hangs is ended."""
    path = shutil.which(argv[0], path=environ.get("PATH"))
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, *argv[1:]],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Said(status=-1, output="", why=f"no answer within {seconds:.0f} seconds")
    except OSError as error:
        return Said(status=-1, output="", why=str(error.strerror))
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return Said(status=done.returncode, output=done.stdout, why=lines[-1] if lines else "nothing")
