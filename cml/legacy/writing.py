"""Writes a planned migration: all of it or, where something fails, nothing; plans nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cml.legacy.change import Change

_SUFFIX = ".cml-new"


def write(root: Path, changes: Sequence[Change]) -> None:
    """Write and remove files as planned.

    New texts are written beside their files first, then put in place, and only then are files
    removed: a migration that is killed half-way can be run again. Where the file system refuses,
    all is put back.

    Raises:
        UsageError: a file cannot be written or removed; then none has changed.
    """
    before: dict[Path, bytes | None] = {}
    texts = [change for change in changes if change.text is not None]
    try:
        before |= {change.path: _content(root / change.path) for change in changes}
        for change in texts:
            _stage(root / change.path, change.text or "")
        for change in texts:
            _staged(root / change.path).replace(root / change.path)
        for change in changes:
            if change.text is None:
                (root / change.path).unlink(missing_ok=True)
    except OSError as error:
        _put_back(root, before)
        raise UsageError(
            f"the migration could not be written, and nothing has changed: {error}",
            hint="see that the files and their folders can be written, then migrate again",
        ) from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _staged(path: Path) -> Path:
    return path.with_name(path.name + _SUFFIX)


def _stage(path: Path, text: str) -> None:
    staged = _staged(path)
    with staged.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, staged)


def _put_back(root: Path, before: dict[Path, bytes | None]) -> None:
    for path, content in before.items():
        with contextlib.suppress(OSError):
            _staged(root / path).unlink(missing_ok=True)
            if content is None:
                (root / path).unlink(missing_ok=True)
            elif _content(root / path) != content:
                (root / path).write_bytes(content)
