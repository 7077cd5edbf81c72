"""DVC's door to remotes, with a count of what passes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dvc.data_cloud import DataCloud
from dvc.fs import LocalFileSystem

from cml.pipeline.traffic import cache_path

if TYPE_CHECKING:
    from cml.pipeline.traffic import Traffic


class _Folder(LocalFileSystem):  # type: ignore[misc]  # DVC ships no types
    """A remote that is a folder: files come into it whole or not at all.

    DVC clones a file straight to its place where it can, and is killed half-way with an empty
    file there, which then counts as pushed. Into another class of file system it never clones,
    but copies to a temporary name.
    """


class CountingCloud(DataCloud):  # type: ignore[misc]  # DVC ships no types
    """Counts every object that DVC moves between the local cache and a remote."""

    def __init__(self, repo: Any, *, pulled: Traffic, pushed: Traffic) -> None:
        super().__init__(repo)
        self.pulled = pulled
        self.pushed = pushed

    def get_remote(self, name: str | None = None, command: str = "<command>") -> Any:
        """Open a remote as DVC does; returns DVC's Remote."""
        remote = super().get_remote(name, command)
        if isinstance(remote.fs, LocalFileSystem):
            remote.fs = _Folder()
        return remote

    def transfer(self, src_odb: Any, dest_odb: Any, objs: Any, **options: Any) -> Any:
        """Move objects as DVC does; returns DVC's TransferResult."""
        result = super().transfer(src_odb, dest_odb, objs, **options)
        local = (self.repo.cache.local, self.repo.cache.legacy)
        traffic = self.pulled if any(dest_odb is odb for odb in local) else self.pushed
        paths = (cache_path(self.repo, info) for info in result.transferred)
        traffic.add(path.stat().st_size for path in paths if path.exists())
        return result
