"""DVC's list of locked paths, without the entries of processes that are gone; loads no DVC."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

_CLOCK_SECONDS = 5


def clear_rwlock(folder: str) -> None:
    """Remove the list in DVC's `folder` where it is broken, or nobody in it lives any more.

    DVC knows holders by their process number alone, and in containers other processes soon have
    it again. The repository lock is held.
    """
    file = Path(folder, "rwlock")
    try:
        holders = {*_holders(json.loads(file.read_text(encoding="utf-8")))}
        written = file.stat().st_mtime
    except FileNotFoundError:
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        log.warning("removing %s, which a killed DVC left broken", file)
        file.unlink(missing_ok=True)
        return
    if holders and not any(_lived(number, written) for number in holders):
        log.warning("removing %s, left behind by a DVC that was killed", file)
        file.unlink(missing_ok=True)


def _holders(locks: dict[str, Any]) -> Iterator[int]:
    yield from (holder["pid"] for holder in locks.get("write", {}).values())
    yield from (holder["pid"] for readers in locks.get("read", {}).values() for holder in readers)


def _lived(number: int, moment: float) -> bool:
    """Tell whether the process of that number is older than a moment (seconds since 1970)."""
    import psutil

    try:
        born: float = psutil.Process(number).create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
    return born < moment + _CLOCK_SECONDS
