"""Stages that are frozen: DVC takes their results for good, whatever they depend on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.pipeline import recorded
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Collection

    from cml.pipeline.project import Project


def newly_frozen(project: Project, baseline: str, paths: Collection[str]) -> list[str]:
    """Return the stages (addresses) that a change has frozen on the way to some files.

    A stage that is new, or has another name, was not frozen before.
    """
    with project.locked(), translated("cannot read which stages are frozen"):
        before, now = _frozen(project, baseline), _frozen(project, WORKSPACE)
        fresh = {stage for place, stage in now.items() if place not in before}
        if not fresh:
            return []
        return sorted(stage.addressing for stage in fresh & _leading_to(project, paths))


def _frozen(project: Project, revision: str) -> dict[tuple[str, str], Any]:
    """Return the frozen stages of a revision: file in the project and name -> stage."""
    if not recorded.holds_project(project, revision):
        return {}
    with project.repo.switch(revision):
        fs, root = project.repo.fs, project.repo.root_dir
        stages = [stage for stage in project.repo.index.stages if stage.frozen and stage.cmd]
        return {(fs.relpath(stage.path, root), stage.name): stage for stage in stages}


def _leading_to(project: Project, paths: Collection[str]) -> set[Any]:
    """Return the stages that make some files, and those before them, frozen ones too."""
    from dvc.repo.graph import get_subgraph_of_nodes

    wanted = {
        place for path in paths for place in (project.root / path, *(project.root / path).parents)
    }
    index = project.repo.index
    makers = [out.stage for out in index.outs if Path(out.fs_path) in wanted]
    return {*get_subgraph_of_nodes(index.graph, makers)} if makers else set()
