"""The dvc.yaml and dvc.lock of one folder take in converted stages; writes neither."""

from __future__ import annotations

import graphlib
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.legacy import documents, lockfile, stages
from cml.legacy.change import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.legacy.stagefile import StageFile


def merge(root: Path, folder: Path, files: list[StageFile], metrics: list[str]) -> list[Change]:
    """Return a folder's new dvc.yaml and dvc.lock, and the removal of the files they take in.

    Args:
        root: the folder that all paths of changes are relative to.
        folder: where dvc.yaml and dvc.lock lie, or will.
        files: the folder's stage files.
        metrics: metrics files that no stage makes, relative to the folder.

    Raises:
        UsageError: dvc.yaml has another stage that writes the same output, or cannot be read.
    """
    pipeline, pipeline_text = documents.load(root, folder / "dvc.yaml")
    lock, lock_text = documents.load(root, folder / "dvc.lock")
    before = documents.dump(pipeline, pipeline_text)
    lockfile.modernise(root / folder, lock, pipeline)
    removals = [_take_in(file, pipeline, lock) for file in _in_order(files)]
    known = pipeline.get("metrics") or []
    if unknown := [path for path in metrics if path not in known]:
        pipeline["metrics"] = [*known, *unknown]
    gained = tuple(stage for change in removals for stage in change.stages)
    written = []
    if (after := documents.dump(pipeline, pipeline_text)) != before:
        written.append(Change(path=folder / "dvc.yaml", text=after, stages=gained))
    if lock:
        text = documents.dump(lock, lock_text)
        written.append(Change(path=folder / "dvc.lock", text=text))
    return written + removals


def _take_in(file: StageFile, pipeline: Any, lock: Any) -> Change:
    stage = stages.convert(file)
    if not isinstance(pipeline.get("stages"), dict):
        pipeline["stages"] = {}
    present = pipeline["stages"]
    name = _name(file, stage, present)
    cmd = stage.definition["cmd"]
    shown = {"cmd": documents.block(cmd)} if isinstance(cmd, str) else {}
    present.setdefault(name, stage.definition | shown)
    if stage.lock:
        lockfile.add(lock, name, stage.lock)
    address = (file.path.parent / "dvc.yaml").as_posix()
    return Change(
        path=file.path,
        text=None,
        stages=(name if address == "dvc.yaml" else f"{address}:{name}",),
        notes=stage.notes,
    )


def _name(file: StageFile, stage: stages.Stage, present: dict[str, Any]) -> str:
    """Return the stage's name in dvc.yaml: new there, or that of the very same stage.

    The very same stage is there where an earlier migration was stopped half-way.
    """
    wanted = stages.name(file)
    for name, definition in present.items():
        if definition == stage.definition and name.startswith(wanted):
            return str(name)
        if shared := _outputs(definition) & _outputs(stage.definition):
            raise UsageError(
                f"{file.name} and the stage {name} of the dvc.yaml beside it both write "
                f"{min(shared)}",
                hint="remove the one that is out of date, then migrate again",
            )
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, len(present) + 3))]
    return next(name for name in names if name not in present)


def _outputs(definition: Any) -> set[str]:
    """The places, relative to dvc.yaml, that a stage writes; none for one that is a template."""
    if not isinstance(definition, dict):
        return set()
    workdir = Path(str(definition.get("wdir") or "."))
    found = [out for key in ("outs", "metrics", "plots") for out in definition.get(key) or ()]
    paths = [path for out in found for path in (out if isinstance(out, dict) else [out])]
    return {posixpath.normpath((workdir / str(path)).as_posix()) for path in paths}


def _in_order(files: list[StageFile]) -> Iterator[StageFile]:
    """Put stages after those whose outputs they depend on, else by name, as a person would."""
    made = {file.locate(out["path"]): file for file in files for out in file.outs}
    by_path = {file.path: file for file in files}
    graph = {file.path: _before(file, made) for file in files}
    try:
        order = list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError:
        order = list(by_path)
    return (by_path[path] for path in order)


def _before(file: StageFile, made: dict[Path, StageFile]) -> list[Path]:
    places = [file.locate(dep["path"]) for dep in file.deps if dep.get("path")]
    makers = [made[p] for place in places for p in (place, *place.parents) if p in made]
    return sorted({maker.path for maker in makers if maker is not file})
