"""Which files are the pipeline's results, and which files they depend on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.pipeline.project import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cml.pipeline.project import Project


OWN_ENTRIES = {"/cache", "/config.local", "/tmp"}  # noqa: S108 (below .dvc, not the machine's)


def files(project: Project, committed: Callable[[Path], bytes | None]) -> list[Path]:
    """Return the files that DVC writes, whether they changed or not.

    These are dvc.lock, .dvc files, outputs that DVC does not cache (metrics, plots), and each
    .gitignore whose every change since the commit is one that DVC makes.

    Args:
        project: the project.
        committed: gives a file's content in the last commit, or None where it has none.
    """
    with project.locked(), translated("cannot list the pipeline's results"):
        stages = list(project.repo.index.stages)
        found = {_state_file(stage) for stage in stages}
        outs = [out for stage in stages for out in _in_repo(stage.outs)]
        found |= {Path(out.fs_path) for out in outs if not out.use_cache}
        ignores = {Path(out.fs_path).parent / ".gitignore" for out in outs if out.use_cache}
        found |= {path for path in ignores if _written_by_dvc(path, committed(path), outs)}
        # DVC brings its own up to date as well, in repositories that are older than itself.
        own = project.root / ".dvc/.gitignore"
        found |= {own} if _differs_by(OWN_ENTRIES, own, committed(own)) else set()
        return sorted(path for path in found if path.exists() or committed(path) is not None)


def moved(project: Project, committed: Callable[[Path], bytes | None]) -> list[str]:
    """Return the stages (addresses) that dvc.lock records otherwise than in the last commit.

    That is more than what ran just now, where an earlier run was stopped before it could save.

    Args:
        project: the project.
        committed: as for `files`.
    """
    with project.locked(), translated("cannot read dvc.lock"):
        stages = [stage for stage in project.repo.index.stages if stage.cmd]
        found = {path: path.read_bytes() for path in map(_state_file, stages) if path.exists()}
        locks = {path for path, content in found.items() if content != committed(path)}
        now = {path: _entries(path, found[path]) for path in locks}
        then = {path: _entries(path, committed(path)) for path in locks}
        return [
            stage.addressing
            for stage, lock in ((stage, _state_file(stage)) for stage in stages)
            if lock in locks and now[lock].get(stage.name) != then[lock].get(stage.name)
        ]


def holds(project: Project) -> Callable[[Iterable[Path]], bool]:
    """Return a test: do the results still hold when these files have changed?

    They do not when a file is one that DVC reads or writes: a dependency, a parameter file,
    dvc.yaml, dvc.lock, a .dvc file, DVC's configuration, or an output.
    """
    with project.locked(), translated("cannot list what the pipeline depends on"):
        stages = list(project.repo.index.stages)
        known = {Path(out.fs_path) for stage in stages for out in _in_repo(stage.outs)}
        known |= {Path(dep.fs_path) for stage in stages for dep in _local(stage.deps)}
        known |= {path for stage in stages for path in _variables(stage)}
    return lambda changed: (
        not any(
            _touches(path, known) or (project.root in path.parents and _steers(path))
            for path in changed
        )
    )


def inputs(project: Project) -> set[Path]:
    """Return the local dependencies that are no output of the pipeline: files for git to keep.

    They may lie outside the project.
    """
    with project.locked(), translated("cannot list what the pipeline depends on"):
        index = project.repo.index
        made = {Path(out.fs_path) for out in index.outs}
        deps = {Path(dep.fs_path) for stage in index.stages for dep in _local(stage.deps)}
        return {path for path in deps if not made & {path, *path.parents}}


def _state_file(stage: Any) -> Path:
    from dvc.dvcfile import LOCK_FILE, ProjectFile

    path = Path(stage.path)
    return path.with_name(LOCK_FILE) if isinstance(stage.dvcfile, ProjectFile) else path


def _entries(path: Path, lock: bytes | None) -> Mapping[str, Any]:
    """Return what a dvc.lock says of each stage; nothing where it cannot be read."""
    from dvc.utils.serialize import ParseError, parse_yaml

    try:
        found = parse_yaml((lock or b"").decode(), str(path))
    except (ParseError, UnicodeDecodeError):
        return {}
    stages = found.get("stages") if isinstance(found, dict) else None
    return stages if isinstance(stages, dict) else {}


def _written_by_dvc(path: Path, before: bytes | None, outs: Iterable[Any]) -> bool:
    """Tell whether a .gitignore differs from the commit by nothing but DVC's own lines."""
    from scmrepo.git import GitWildMatchPattern

    held = (Path(out.fs_path) for out in outs)
    entries = {f"/{out.name}" for out in held if out.parent == path.parent}
    return _differs_by({*entries, *map(GitWildMatchPattern.escape, entries)}, path, before)


def _differs_by(entries: set[str], path: Path, before: bytes | None) -> bool:
    """Tell whether a file differs from the commit by nothing but some lines."""
    if not path.is_file():
        return False
    old, new = (before or b"").splitlines(), path.read_bytes().splitlines()
    return {*new} ^ {*old} <= {os.fsencode(entry) for entry in entries}


def _variables(stage: Any) -> set[Path]:
    """Return the files that a dvc.yaml may read its templates' variables from."""
    # DVC names them relative to the current folder.
    names = getattr(stage, "tracked_vars", ())
    read = {Path(os.path.normpath(Path.cwd() / name)) for name in names}
    return read | {Path(stage.path).with_name("params.yaml")}


def _touches(path: Path, known: set[Path]) -> bool:
    return bool(known & {path, *path.parents}) or any(path in other.parents for other in known)


def _steers(path: Path) -> bool:
    """Tell whether DVC reads a file of its project to know what there is."""
    if path.parent.name == ".dvc":
        return path.name == "config"
    return path.suffix == ".dvc" or path.name in {"dvc.yaml", "dvc.lock", ".dvcignore"}


def _local(items: Iterable[Any]) -> list[Any]:
    return [item for item in items if item.protocol == "local"]


def _in_repo(items: Iterable[Any]) -> list[Any]:
    return [item for item in _local(items) if item.is_in_repo]
