"""A count of the data that moves, and where its objects lie; loads no DVC."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

# DVC's name for the files as they lie in the work tree.
WORKSPACE = "workspace"


@dataclass
class Traffic:
    """A running count of files and bytes of data in one direction."""

    files: int = 0
    size: int = 0

    def add(self, sizes: Iterable[int]) -> None:
        """Count one file for each size in bytes."""
        for size in sizes:
            self.files += 1
            self.size += size


def cache_path(repo: Any, info: Any) -> Path:
    """Return where the object with DVC's hash `info` lies in the local cache."""
    from dvc.cachemgr import LEGACY_HASH_NAMES

    odb = repo.cache.legacy if info.name in LEGACY_HASH_NAMES else repo.cache.local
    return Path(odb.oid_to_path(info.value))
