"""Files of others in a work folder: what containers that run as root leave behind."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 20_000
"""Files that are looked at."""


def of_others(folder: Path, user: int) -> list[Path]:
    """Return files and folders below a folder that another user owns; each found folder once."""
    return [path for path in islice(_walk(folder, user), MOST) if _owner(path) not in {user, None}]


def _walk(folder: Path, user: int) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)
        folders[:] = [name for name in folders if _owner(Path(parent, name)) == user]


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None
