"""What a run would do, found without running, pulling or needing data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cml.pipeline import transfer
from cml.pipeline.project import translated
from cml.pipeline.reproduce import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cml.pipeline.project import Project

State = Literal["run", "may run", "unchanged"]


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A stage and whether it would run; `reasons` are short phrases."""

    name: str
    state: State
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Pull:
    """Data that would be pulled: a path, with files and bytes (None: not recorded)."""

    path: str
    files: int | None
    size: int | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The stages in order, the most that would be pulled, and data that the remote lacks."""

    stages: list[PlannedStage]
    pulls: list[Pull]
    missing: list[str]


def plan(project: Project, targets: Sequence[str] | None, *, run: bool = True) -> Plan:
    """Plan the run of `targets` (None: the whole pipeline); `run` False plans to run nothing.

    Raises:
        UsageError: a target is unknown, or dvc.yaml is invalid.
        PipelineError: the DVC remote cannot be reached.
    """
    with project.locked(), translated("cannot plan the run"):
        graph, steps = steps_of(project, targets)
        steps = steps if run else []
        planned: dict[Any, PlannedStage] = {}
        for stage in steps:
            plan = _plan_stage(stage, graph, planned)
            if stage.addressing in project.again:
                plan = replace(plan, state="run", reasons=[*plan.reasons, "is verified"])
            planned[stage] = plan
        running = [stage for stage, plan in planned.items() if plan.state != "unchanged"]
        pulls = _pulls(project, running)
    absent = transfer.absent_from_remote(project) if transfer.has_remote(project) else []
    made = {project.relative(out.fs_path) for stage in running if stage.cmd for out in stage.outs}
    return Plan(
        stages=[plan for stage, plan in planned.items() if stage.cmd],
        pulls=pulls,
        missing=[path for path in transfer.lost(project, absent) if path not in made],
    )


def _plan_stage(stage: Any, graph: Any, planned: dict[Any, PlannedStage]) -> PlannedStage:
    needs = list(graph.successors(stage))
    if stage.frozen:
        return PlannedStage(name=stage.addressing, state="unchanged", reasons=["is frozen"])
    if reasons := _reasons(stage, needs):
        return PlannedStage(name=stage.addressing, state="run", reasons=reasons)
    waits = [
        n.addressing for n in needs if n in planned and planned[n].state != "unchanged" and n.cmd
    ]
    if waits:
        return PlannedStage(
            name=stage.addressing, state="may run", reasons=[f"needs {name}" for name in waits]
        )
    return PlannedStage(name=stage.addressing, state="unchanged")


def _reasons(stage: Any, needs: list[Any]) -> list[str]:
    new = [str(out) for out in stage.outs if stage.cmd and not out.hash_info]
    if new and len(new) == len(stage.outs) and not _has_lock(stage):
        return ["never ran"]
    reasons = ["always runs"] if stage.is_callback or stage.always_changed else []
    reasons += [f"{path} was never made" for path in new]
    if stage.changed_stage():
        reasons.append("its definition changed")
    for dep in stage.deps:
        reasons += _dependency_reasons(dep, needs)
    changed = (out.status() for out in stage.outs)
    reasons += [
        f"{path} {how}"
        for status in changed
        for path, how in status.items()
        if how not in {"not in cache", "deleted"}
    ]
    return reasons


def _has_lock(stage: Any) -> bool:
    return any(dep.hash_info for dep in stage.deps)


def _dependency_reasons(dep: Any, needs: list[Any]) -> list[str]:
    reasons = []
    for path, how in dep.status().items():
        if isinstance(how, dict):
            reasons += [f"{name} in {path} {state}" for name, state in how.items()]
        elif how != "deleted":
            reasons.append(f"{path} {how}")
        elif made := [out for n in needs for out in n.outs if out.fs_path == dep.fs_path]:
            reasons += [f"{path} modified" for out in made if out.hash_info != dep.hash_info]
        elif not any(
            Path(out.fs_path) in Path(dep.fs_path).parents for n in needs for out in n.outs
        ):
            reasons.append(f"{path} is missing")
    return reasons


def _pulls(project: Project, running: Iterable[Any]) -> list[Pull]:
    """Return the inputs of stages that are neither here nor made by a stage that runs."""
    stages = list(running)
    made = {out.fs_path for stage in stages if stage.cmd for out in stage.outs if not out.persist}
    outs = [
        o for o in project.repo.index.outs if o.use_cache and o.hash_info and o.fs_path not in made
    ]
    wanted = {
        out.fs_path: out
        for stage in stages
        for item in (*stage.deps, *(o for o in stage.outs if o.persist))
        for out in outs
        if item.protocol == "local" and _overlap(item.fs_path, out.fs_path) and not out.exists
    }
    return [
        Pull(path=project.relative(path), files=_count(out), size=out.meta.size)
        for path, out in sorted(wanted.items())
        if out.changed_cache()
    ]


def _count(out: Any) -> int | None:
    return out.meta.nfiles if out.hash_info.isdir else 1


def _overlap(one: str, other: str) -> bool:
    a, b = Path(one), Path(other)
    return a == b or a in b.parents or b in a.parents
