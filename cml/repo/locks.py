"""Removes the lock files of git processes that were killed; touches no lock of a live one."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.repo.worktree import WorkTree

_OWN = ("index", "HEAD", "config.worktree")
_SHARED = ("shallow", "config", "packed-refs")
_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.1

log = logging.getLogger(__name__)


def clear_stale_locks(checkout: WorkTree) -> list[Path]:
    """Remove the locks that killed git processes left behind, so that git works again.

    A lock is stale when it stays for two seconds and no git process works in this repository. One
    whose folder cannot be seen counts as working here if its user has made one of the locks.

    Returns:
        The lock files that were removed.
    """
    locks = _locks(checkout)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while locks and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        # A lock that was made anew meanwhile is another one.
        locks = {path: made for path, made in _locks(checkout).items() if locks.get(path) == made}
    if not locks or _git_works_in(checkout, {owner for _, _, owner in locks.values()}):
        return []
    for path in locks:
        log.warning("removing %s, left behind by a git process that was killed", path)
        path.unlink(missing_ok=True)
    return sorted(locks)


def _locks(checkout: WorkTree) -> dict[Path, tuple[int, int, int]]:
    """Return each lock file with what tells it from a later one: inode, time, and owner."""
    paths = [checkout.git_dir / f"{name}.lock" for name in _OWN]
    paths += [checkout.common_dir / f"{name}.lock" for name in _SHARED]
    for folder in {checkout.git_dir, checkout.common_dir}:
        paths += _ref_locks(folder / "refs")
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_uid)
    return found


def _ref_locks(folder: Path) -> Iterator[Path]:
    """Name the lock files among the refs: git allows no ref to end in `.lock`."""
    for place, _, files in os.walk(folder):
        yield from (Path(place, name) for name in files if name.endswith(".lock"))


def _git_works_in(checkout: WorkTree, owners: set[int]) -> bool:
    import psutil

    places = _places(checkout)
    for process in psutil.process_iter(["name", "uids"]):
        name = process.info["name"] or ""
        if name != "git" and not name.startswith("git-"):
            continue
        try:
            folder = Path(process.cwd())
        except psutil.AccessDenied:
            users = process.info["uids"]
            if users is None or users.effective in owners:
                return True
        except psutil.Error:
            continue
        else:
            if places & {folder, *folder.parents}:
                return True
    return False


def _places(checkout: WorkTree) -> set[Path]:
    """Return the folders that the repository is worked on from: all its work trees share locks."""
    common = checkout.common_dir
    linked = common.glob("worktrees/*/gitdir")
    trees = {Path(os.fsdecode(file.read_bytes()).strip()).parent for file in linked}
    main = {common.parent} if common.name == ".git" else set()
    return {checkout.root, checkout.git_dir, common, *trees, *main}
