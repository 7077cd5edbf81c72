"""What results cost: the seconds of a stage, the bytes of an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml import pipeline
from cml.checks.model import Values

if TYPE_CHECKING:
    from cml.checks.model import Check
    from cml.pipeline import Project
    from cml.record import Record


def values(check: Check, record: Record, project: Project | None) -> Values:
    """Return what a check of `seconds` or of `bytes` judges."""
    if check.source == "seconds":
        return _seconds(check.subject, record, project)
    return _size(check, record, project)


def _seconds(name: str, record: Record, project: Project | None) -> Values:
    """Return what a stage took in this run, which is nothing where it did not run."""
    stage = next((stage for stage in record.stages if stage.name == name), None)
    if stage and stage.state == "ran":
        return Values(now={name: stage.seconds})
    if stage:
        return Values(exempt=f"Stage {name} did not run: it is {stage.state}.")
    if project and name in pipeline.stages(project):
        return Values(exempt=f"Stage {name} was not asked to run.")
    return Values()


def _size(check: Check, record: Record, project: Project | None) -> Values:
    """Return the size of an output here, and at the baseline where that is asked for."""
    if project is None:
        return Values()
    path, before = check.subject, None
    if record.baseline and check.relative:
        before = pipeline.size(project, record.baseline.sha, path)
    return Values(
        now={path: pipeline.size(project, pipeline.WORKSPACE, path)},
        before=None if before is None else {path: before},
    )
