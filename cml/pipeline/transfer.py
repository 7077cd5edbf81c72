"""Data between the DVC remote and here: what is missing, what moved, what must be pushed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import PipelineError
from cml.pipeline.project import translated
from cml.pipeline.traffic import cache_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cml.pipeline.project import Project

log = logging.getLogger(__name__)


def pull(project: Project, targets: Sequence[str] | None) -> None:
    """Fetch and check out what `targets` (paths or stages; None: everything) name.

    Raises:
        PipelineError: something is not in the remote, or the remote cannot be reached.
        UsageError: a target is not known to DVC.
    """
    what = "cannot pull " + (", ".join(map(_shown(project), targets)) if targets else "the data")
    with project.locked(), translated(what):
        wanted = _objects(project, targets)
        missing = [path for path in wanted if not path.exists()]
        project.repo.pull(targets=list(targets) if targets else None)
        project.repo.refresh()
        project.pulled.add(path.stat().st_size for path in missing if path.exists())


def absent_from_remote(project: Project) -> list[str]:
    """Return the outputs (paths in the project) that the remote does not hold; downloads nothing.

    A folder counts as held when its listing is there: DVC pushes the listing last.
    Returns an empty list where no output is cached by DVC.

    Raises:
        PipelineError: the remote cannot be reached.
        UsageError: outputs are cached, and no remote is configured.
    """
    from dvc.repo.data import _get_entries_not_in_remote

    with project.locked(), translated("cannot look into the DVC remote"):
        if not _cached_outputs(project):
            return []
        require_remote(project)
        return [
            path.rstrip("/")
            for path in _get_entries_not_in_remote(project.repo, remote_refresh=True)
        ]


def require_remote(project: Project) -> None:
    """See that outputs which DVC caches have somewhere to go.

    Raises:
        UsageError: no default remote is configured.
    """
    with project.locked(), translated("results cannot be saved"):
        if any(out.use_cache and not out.remote for out in project.repo.index.outs):
            project.repo.cloud.get_remote()


def has_remote(project: Project) -> bool:
    """Tell whether a DVC remote is configured, as the default or for some output."""
    with project.locked():
        default = project.repo.config["core"].get("remote")
        return bool(default or any(out.remote for out in project.repo.index.outs))


def lost(project: Project, absent: Iterable[str]) -> list[str]:
    """Return those of `absent` (paths in the project) that are not in the local cache either."""
    with project.locked():
        outs = {project.relative(out.fs_path): out for out in _cached_outputs(project)}
        return [path for path in absent if path in outs and outs[path].changed_cache()]


def push(project: Project, absent: Sequence[str], stages: Sequence[str]) -> None:
    """Push the outputs `absent` and the run-cache of `stages`, and see that they arrived.

    Raises:
        PipelineError: something could not be pushed, or is not there afterwards.
    """
    if absent:
        log.info("pushing data: %s", ", ".join(absent))
        with project.locked(), translated("cannot push data to the DVC remote"):
            _push_outputs(project, [str(project.root / path) for path in absent])
        if still := absent_from_remote(project):
            raise PipelineError(
                "after the push, the DVC remote still lacks " + ", ".join(still),
                hint="run `dvc push` by hand and read what it says",
            )
    with project.locked(), translated("cannot push the run-cache to the DVC remote"):
        from cml.pipeline import runcache

        runcache.push(project, stages)


def _push_outputs(project: Project, targets: list[str]) -> None:
    from dvc.exceptions import UploadError

    repo = project.repo
    remotes = [repo.cloud.get_remote(name) for name in {o.remote for o in _cached_outputs(project)}]
    if any(remote.fs.version_aware or remote.worktree for remote in remotes):
        sizes = [path.stat().st_size for path in _objects(project, targets) if path.exists()]
        if repo.push(targets=targets):
            project.pushed.add(sizes)
        return
    for odb, objects in repo.used_objs(targets, push=True).items():
        result = repo.cloud.push(objects, odb=odb)
        if result.failed:
            raise UploadError(len(result.failed))


def _cached_outputs(project: Project) -> list[Any]:
    return [out for out in project.repo.index.outs if out.use_cache and out.hash_info]


def _objects(project: Project, targets: Sequence[str] | None) -> set[Path]:
    """Return where the objects of `targets` lie in the local cache, there or not."""
    used = project.repo.used_objs(list(targets) if targets else None)
    return {cache_path(project.repo, info) for infos in used.values() for info in infos}


def _shown(project: Project) -> Any:
    return lambda target: project.relative(target) if Path(target).is_absolute() else target
