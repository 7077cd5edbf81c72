"""Which data a stage cannot do without, and fetching just that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.pipeline import transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.pipeline.project import Project


def pull_missing(project: Project, stage: Any, outs: Sequence[Any]) -> None:
    """Pull a stage's missing dependencies, and the outputs that it goes on from (`persist`).

    `outs` are the outputs of the whole project.

    Raises:
        PipelineError: the data is not in the remote. Nothing has been removed or run by then.
    """
    targets = [target for dep in _local(stage.deps) for target in _missing(outs, dep)]
    targets += [
        out.fs_path
        for out in _local(stage.outs)
        if out.persist and out.hash_info and not out.exists
    ]
    if targets:
        transfer.pull(project, targets)


def complete_folders(project: Project, stage: Any, outs: Sequence[Any]) -> None:
    """Pull what is missing inside dependency folders that hold both git's and DVC's files.

    Such a folder exists in a clean clone, incomplete: taken as it is, it would look changed.
    """
    folders = [dep for dep in _local(stage.deps) if Path(dep.fs_path).is_dir()]
    targets = [target for dep in folders for target in _missing(outs, dep)]
    if targets:
        transfer.pull(project, targets)


def _missing(outs: Sequence[Any], dep: Any) -> list[str]:
    """Return the paths to pull so that a dependency is whole."""
    place = Path(dep.fs_path)
    targets = []
    for out in _local(outs):
        if not (out.use_cache and out.hash_info) or out.stage is dep.stage:
            continue
        held = Path(out.fs_path)
        if (held == place or place in held.parents) and not held.exists():
            targets.append(out.fs_path)
        elif held in place.parents and not place.exists():
            targets.append(dep.fs_path)
    return targets


def _local(items: Sequence[Any]) -> list[Any]:
    return [item for item in items if item.protocol == "local" and item.is_in_repo]
