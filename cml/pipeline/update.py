"""Imported data is brought up to date before the pipeline runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.pipeline.project import translated
from cml.record import Update

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.pipeline.project import Project


def update(project: Project, targets: Sequence[str]) -> list[Update]:
    """Do what `dvc update` does for each import named; return those that changed.

    Raises:
        UsageError: a target is no import.
        PipelineError: its source cannot be reached.
    """
    changes = []
    for target in targets:
        with project.locked(), translated(f"cannot update {target}"):
            (stage,) = project.repo.stage.collect(target) or (None,)
            if stage is None or not (stage.is_import or stage.is_repo_import):
                raise UsageError(
                    f"{target} is no import, so there is nothing to update it from",
                    hint="name .dvc files made by `dvc import` or `dvc import-url`",
                )
            before = _version(stage)
            stage.update()
            stage.dump()
            after = _version(stage)
            project.repo.refresh()
        if before != after:
            changes.append(
                Update(path=project.relative(stage.outs[0].fs_path), old=before, new=after)
            )
    return changes


def _version(stage: Any) -> str | None:
    """Return what names the imported version: the source's git revision, else the data's hash."""
    locked = getattr(stage.deps[0], "def_repo", {}).get("rev_lock")
    return str(locked or stage.outs[0].hash_info.value or "") or None
