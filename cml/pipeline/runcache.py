"""DVC's run-cache across machines: only the entries of the stages at hand travel.

DVC itself copies every entry of the remote on each pull, and pushes the entries of a stage
without the objects they name when its outputs are not cached.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc.stage.cache import (
    RunCacheNotSupported,
    StageCache,
    _can_hash,
    _get_cache_hash,
    _get_stage_hash,
)
from dvc.stage.serialize import to_single_stage_lockfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.pipeline.project import Project

# The hash of what a run made; a file of another name is half-written.
_ENTRY = re.compile(r"[0-9a-f]{64}")


class RemoteRunCache(StageCache):  # type: ignore[misc]  # DVC ships no types
    """DVC's run-cache that asks the remote for the one entry a stage needs.

    Attributes:
        restored: addresses of the stages that were taken from the run-cache.
    """

    def __init__(self, repo: Any) -> None:
        super().__init__(repo)
        self.restored: set[str] = set()

    def restore(self, stage: Any, *, pull: bool = False, **options: Any) -> None:
        """Restore a stage's outputs, or raise DVC's RunCacheNotFoundError.

        Without a default remote there is nothing to pull from, and DVC would fail.
        """
        pull = pull and bool(self.repo.config["core"].get("remote"))
        super().restore(stage, pull=pull, **options)
        self.restored.add(stage.addressing)

    def _load(self, stage: Any) -> Any:
        key = _get_stage_hash(stage)
        remote = _remote(self.repo)
        if remote is not None:
            _copy(remote, self.repo.cache.legacy, f"runs/{key[:2]}/{key}")
        _drop_unfinished(Path(self._get_cache_dir(key)))
        return super()._load(stage)


def _drop_unfinished(folder: Path) -> None:
    """Remove what a killed DVC left in the folder of an entry: DVC takes it for the entry."""
    if not folder.is_dir():
        return
    files = {*folder.iterdir()}
    entries = {file for file in files if _ENTRY.fullmatch(file.name)}
    for file in files - entries:
        file.unlink()
    if not entries:
        folder.rmdir()


def push(project: Project, stages: Sequence[str]) -> None:
    """Push the run-cache entries of `stages` (addresses) and all objects that they name."""
    repo = project.repo
    remote = _remote(repo)
    if remote is None:
        return
    used = [_entry(stage) for name in stages for stage in repo.stage.collect(name)]
    pairs = [pair for pair in used if pair is not None]
    for odb, objects in repo.stage_cache.get_used_objs(pairs).items():
        repo.cloud.push(objects, odb=odb)
    for key, value in pairs:
        _copy(repo.cache.legacy, remote, f"runs/{key[:2]}/{key}/{value}")


def _entry(stage: Any) -> tuple[str, str] | None:
    if not _can_hash(stage):
        return None
    return _get_stage_hash(stage), _get_cache_hash(to_single_stage_lockfile(stage))


def _remote(repo: Any) -> Any:
    """Return the remote's object store that holds run-caches, or None where there is none."""
    from dvc.config import ConfigError
    from dvc.fs import HTTPFileSystem

    try:
        odb = repo.cloud.get_remote_odb(None, "run-cache", hash_name="md5-dos2unix")
    except (ConfigError, RunCacheNotSupported):
        return None
    return None if isinstance(odb.fs, HTTPFileSystem) else odb


def _copy(source: Any, target: Any, path: str) -> None:
    """Copy an entry, or a folder of them, between object stores; what is there already stays."""
    from dvc import fs

    start = source.fs.join(source.path, *path.split("/"))
    if not source.fs.exists(start):
        return
    for file in [start] if source.fs.isfile(start) else source.fs.find(start):
        copy = target.fs.join(target.path, *source.fs.relparts(file, source.path))
        if _ENTRY.fullmatch(source.fs.name(file)) and not target.fs.exists(copy):
            target.fs.makedirs(target.fs.parent(copy), exist_ok=True)
            fs.generic.copy(source.fs, file, target.fs, copy)
