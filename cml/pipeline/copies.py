"""A project in another work tree, with the storage of the first."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.pipeline import compare, parameters
from cml.pipeline.project import Project, translated
from cml.pipeline.reproduce import steps_of
from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.metrics import Reading


@contextmanager
def open_copy(project: Project, root: Path) -> Iterator[Project]:
    """Open a project in another work tree, and work there meanwhile: the current folder changes.

    Cache, remotes and their passwords are those of `project`, and what moves is counted there.

    Raises:
        UsageError: there is no DVC project.
    """
    from cml.pipeline.repository import Copy

    if not (root / ".dvc/config").is_file():
        raise UsageError("the revision holds no DVC project")
    with translated("cannot open the DVC project"):
        config = project.repo.config.read()
        config["cache"]["dir"] = project.repo.cache.local_cache_dir
        copy = Project(Copy(str(root), config), project.secrets)
    copy.pulled, copy.pushed = project.pulled, project.pushed
    before = Path.cwd()
    try:
        # DVC names stages and files as they are seen from the current folder.
        os.chdir(root)
        copy.count_transfers()
        yield copy
    finally:
        os.chdir(before)
        copy.close()


def maker(project: Project, path: str) -> str | None:
    """Return the stage (its address) that makes a file; None where none does."""
    with project.locked(), translated("cannot read the pipeline"):
        place = project.root / path
        outs = [out for out in project.repo.index.outs if out.stage.cmd]
        made = (out for out in outs if Path(out.fs_path) in {place, *place.parents})
        return next((out.stage.addressing for out in made), None)


def leads_to(project: Project, path: str, result: str) -> bool:
    """Tell whether a file is made by the stage that makes a result, or by one before it."""
    stage = maker(project, result)
    if stage is None:
        return False
    with project.locked(), translated("cannot read the pipeline"):
        _, steps = steps_of(project, [stage])
        outs = {Path(out.fs_path) for step in steps if step.cmd for out in step.outs}
        place = Path(os.path.normpath(project.root / path))
        return not outs.isdisjoint({place, *place.parents})


def made_metrics(project: Project, stage: str) -> Reading:
    """Read the metrics that a stage and those before it make, as they lie in the work tree."""
    with project.locked(), translated("cannot read the pipeline"):
        _, steps = steps_of(project, [stage])
        outs = {Path(out.fs_path) for step in steps for out in step.outs}
        read = compare.read_metrics(project, [WORKSPACE])[WORKSPACE]
        return compare.of_outputs(project, read, outs)


def steers(project: Project, stage: str, file: str, name: str, value: int) -> bool:
    """Tell whether a stage, or one before it, works otherwise once a parameter has a new value.

    The new value stays.
    """
    with project.locked(), translated("cannot read the pipeline"):
        place = project.root / file
        before = _seen(project, stage, place)
        parameters.set_parameter(project, file, name, value)
        return before != _seen(project, stage, place)


def _seen(project: Project, stage: str, file: Path) -> list[Any]:
    """Return what stages that can run take from a file: their commands' text, and their inputs."""
    _, steps = steps_of(project, [stage])
    return [
        (step.addressing, step.cmd, [dep.get_hash() for dep in step.deps if _holds(dep, file)])
        for step in steps
        if step.cmd and not step.frozen
    ]


def _holds(dep: Any, file: Path) -> bool:
    return dep.protocol == "local" and Path(dep.fs_path) in {file, *file.parents}
