"""Plans a whole migration before anything is written: what each file becomes, folder by folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cml.legacy import data, pipelines, stagefile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cml.legacy.change import Change
    from cml.legacy.stagefile import StageFile


def convert(root: Path, files: Iterable[Path]) -> list[Change]:
    """Return what has to be written and removed for DVC 3 to read legacy files; writes nothing.

    A stage file becomes a stage of the dvc.yaml beside it, with the hashes that it recorded in
    dvc.lock, so that no stage runs again that DVC before 3.0 would not have run. A data file stays,
    without what DVC 3 refuses.

    Args:
        root: the folder that `files` are relative to.
        files: stage files, data files and lock files, as :func:`find` returns them.

    Raises:
        UsageError: a file cannot be read or converted, or a dvc.yaml already has a stage that
            writes the same output in another way.
    """
    root = Path(os.path.normpath(root.absolute()))
    paths = sorted(set(files))
    read = [stagefile.read(root, path) for path in paths if path.name != "dvc.lock"]
    made = [file for file in read if file.kind in {"stage", "collector"}]
    kept = [data.tidy(file) for file in read if file not in made]
    locks = {path.parent for path in paths if path.name == "dvc.lock"}
    metrics = [(file, path) for tidied in kept for file, path in tidied.metrics]
    folders = {file.path.parent for file in made} | {f.path.parent for f, _ in metrics} | locks
    changes = [change for tidied in kept for change in tidied.changes]
    for folder in sorted(folders):
        changes += pipelines.merge(root, folder, _in(folder, made), _metrics(folder, metrics))
    return sorted(changes, key=lambda change: change.path)


def _in(folder: Path, files: list[StageFile]) -> list[StageFile]:
    return [file for file in files if file.path.parent == folder]


def _metrics(folder: Path, metrics: list[tuple[StageFile, str]]) -> list[str]:
    """Metrics files that no stage makes, relative to the folder whose dvc.yaml will name them."""
    return [
        Path(os.path.relpath(file.locate(path), file.root / folder)).as_posix()
        for file, path in metrics
        if file.path.parent == folder
    ]
