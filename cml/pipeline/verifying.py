"""Stages that run again whatever dvc.lock says, and what the last commit claims they made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.metrics import Reading
from cml.pipeline import compare, recorded
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cml.pipeline.project import Project

HEAD = "HEAD"


def run_again(project: Project, names: Sequence[str]) -> None:
    """Make `reproduce` run some stages even where nothing changed, and without the run-cache.

    Raises:
        UsageError: one of the names is no stage with a command that can run.
    """
    with project.locked(), translated("cannot verify"):
        stages = [stage for name in names for stage in _stages(project, name)]
        wanted = {stage.addressing: _key(project, stage) for stage in stages}
        claims = _claims(project) if wanted else {}
    project.again = {address: claims.get(key) for address, key in wanted.items()}


def is_claimed(project: Project, stage: Any, needs: Sequence[Any]) -> bool:
    """Tell whether the last commit says what `stage` makes of the inputs that it has now."""
    claim = project.again[stage.addressing]
    return (
        claim is not None
        and claim == _inputs(stage)
        and not stage.changed_stage()
        and not stage.changed_deps(True, needs)  # noqa: FBT003 (DVC's signature)
    )


def claimed_metrics(project: Project) -> tuple[Reading, Reading]:
    """Return the metrics of the claims: as the last commit records them, and as computed now."""
    if not project.claimed:
        return Reading(), Reading()
    with project.locked():
        read = compare.read_metrics(project, [HEAD, WORKSPACE])
        stages = [stage for name in project.claimed for stage in project.repo.stage.collect(name)]
        outs = {Path(out.fs_path) for stage in stages for out in stage.outs}
    said, made = (compare.of_outputs(project, read[name], outs) for name in (HEAD, WORKSPACE))
    return said, made


def escaped(project: Project, names: Sequence[str], revision: str) -> dict[str, str]:
    """Return the metrics files of the work tree that some stages made before, and make no longer.

    Args:
        project: the project.
        names: the stages; one that the revision lacks made nothing there.
        revision: the commit before.

    Returns:
        Path in the project -> the stage that made it.

    Raises:
        UsageError: a name is no stage in the work tree.
    """
    with project.locked(), translated("cannot tell what verified stages made"):
        if not recorded.holds_project(project, revision):
            return {}
        read = compare.read_metrics(project, [revision, WORKSPACE])
        if compare.PIPELINE in read[revision].errors:
            return {}
        with project.repo.switch(revision):
            before = _outs(project, names, missing_ok=True)
        now = _outs(project, names)
    files = (*read[WORKSPACE].values, *read[WORKSPACE].errors)
    made = {path: _holder(before, path) for path in files}
    return {path: before[out] for path, out in made.items() if out and not _holder(now, path)}


def _outs(project: Project, names: Sequence[str], *, missing_ok: bool = False) -> dict[str, str]:
    """Return the outputs of stages: path in the project -> the stage."""
    from dvc.stage.exceptions import StageFileDoesNotExistError, StageNotFound

    fs, found = project.repo.fs, dict[str, str]()
    for name in names:
        try:
            stages = project.repo.stage.collect(name)
        except (StageFileDoesNotExistError, StageNotFound):
            if not missing_ok:
                raise
            continue
        for out in (out for stage in stages for out in stage.outs):
            found[fs.relpath(out.fs_path, project.repo.root_dir)] = name
    return found


def _holder(outs: Iterable[str], path: str) -> str | None:
    """Return the output that is a path, or the folder that holds it."""
    return next((out for out in outs if path == out or path.startswith(f"{out}/")), None)


def _stages(project: Project, name: str) -> list[Any]:
    found = list(project.repo.stage.collect(name))
    for stage in found:
        if not stage.cmd or stage.frozen:
            why = "is frozen" if stage.frozen else "has no command"
            raise UsageError(f"{name} cannot be verified: it {why}")
    return found


def _claims(project: Project) -> dict[Any, Any]:
    """Return the inputs that the last commit's dvc.lock holds results for, by stage."""
    if not recorded.holds_project(project, HEAD):
        return {}
    with project.repo.switch(HEAD):
        stages = [s for s in project.repo.index.stages if s.cmd and not s.changed_stage()]
        return {_key(project, stage): _inputs(stage) for stage in stages}


def _key(project: Project, stage: Any) -> tuple[str, str | None]:
    path = project.repo.fs.relpath(stage.path, project.repo.root_dir)
    return path, getattr(stage, "name", None)


def _inputs(stage: Any) -> dict[str, Any]:
    return {dep.def_path: dep.hash_info for dep in stage.deps}
