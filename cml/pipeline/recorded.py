"""What revisions record of the pipeline's outputs, and fetching it where it is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cml.errors import PipelineError
from cml.pipeline.project import translated
from cml.pipeline.traffic import cache_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cml.pipeline.project import Project


def holds_project(project: Project, revision: str) -> bool:
    """Tell whether the project's folder was there already; a revision may be older."""
    from dvc.exceptions import NotDvcRepoError

    try:
        with project.repo.switch(revision):
            return True
    except NotDvcRepoError:
        return False


def outputs(project: Project, revision: str) -> dict[str, Any]:
    """Return the outputs of a revision that holds the project: path in the project -> output."""
    with project.repo.switch(revision):
        fs, root = project.repo.fs, project.repo.root_dir
        return {fs.relpath(out.fs_path, root): out for out in project.repo.index.outs}


def making(project: Project, revision: str, path: str) -> str | None:
    """Return what a revision records of the run that made an output: what went in and came out.

    None where it records nothing. Revisions with the same text hold the result of the same run.
    """
    with project.locked(), translated(f"cannot read the pipeline of {revision[:7]}"):
        if not holds_project(project, revision):
            return None
        out = outputs(project, revision).get(path)
        if out is None or not out.hash_info:
            return None
        known = (*out.stage.deps, *out.stage.outs)
        return repr(sorted((item.def_path, str(item.hash_info)) for item in known))


def content(project: Project, revision: str, path: str) -> bytes | None:
    """Return a file that DVC keeps as a revision records it, also one inside of a folder.

    It comes from the cache, or else from the DVC remote. None where the revision records no such
    file, or leaves it to git.

    Raises:
        PipelineError: the file is in neither.
    """
    with project.locked(), translated(f"cannot read {path} of {revision[:7]}"):
        if not holds_project(project, revision):
            return None
        info = _recorded(project, revision, path)
        return None if info is None else _fetched(project, info, path).read_bytes()


def _recorded(project: Project, revision: str, path: str) -> Any:
    """Return the hash of a file that DVC keeps, alone or in a folder; None where it keeps none."""
    from dvc_data.hashfile import load

    outs = outputs(project, revision)
    place = next((place for place in outs if _is_or_holds(place, {path})), path)
    out = outs.get(place)
    if out is None or not out.use_cache or not out.hash_info:
        return None
    if not out.hash_info.isdir:
        return out.hash_info if place == path else None
    _fetched(project, out.hash_info, path)
    listing = load(project.repo.cache.local, out.hash_info)
    _, info = listing.get(tuple(path[len(place) + 1 :].split("/"))) or (None, None)
    return info


def _fetched(project: Project, info: Any, path: str) -> Path:
    """Return where an object lies in the cache, pulled if need be."""
    pull_objects(project, [info])
    place = cache_path(project.repo, info)
    if not place.exists():
        raise PipelineError(
            f"{path}, as DVC recorded it, is neither in the cache nor in the DVC remote",
            hint="run `dvc push` where the data is; `cml-run doctor` looks further",
        )
    return place


def stages(project: Project) -> set[str]:
    """Return the addresses of the stages that have a command."""
    with project.locked(), translated("cannot read the pipeline"):
        return {stage.addressing for stage in project.repo.index.stages if stage.cmd}


def hashes(project: Project, wanted: Mapping[str, set[str]]) -> set[Any]:
    """Return the hashes of the outputs that hold the `wanted` paths of each revision."""
    return {
        out.hash_info
        for revision, paths in wanted.items()
        if paths
        for path, out in outputs(project, revision).items()
        if out.hash_info and _is_or_holds(path, paths)
    }


def pull(project: Project, wanted: Mapping[str, set[str]]) -> bool:
    """Pull the `wanted` paths of each revision, as far as they are outputs.

    DVC itself looks for what earlier revisions recorded in the local cache alone.

    Returns:
        Whether anything came.
    """
    infos = hashes(project, wanted)
    came = pull_objects(project, infos)
    folders = [info for info in infos if info.isdir and cache_path(project.repo, info).exists()]
    return pull_objects(project, {i for f in folders for i in contents(project, f)}) or came


def pull_objects(project: Project, infos: Iterable[Any]) -> bool:
    """Pull the objects with these hashes that are not here; return whether any came."""
    absent = {info for info in infos if not cache_path(project.repo, info).exists()}
    return bool(absent and project.repo.cloud.pull(absent).transferred)


def contents(project: Project, folder: Any) -> list[Any]:
    """Return the hashes of all files that a folder's listing, in the cache, names."""
    from dvc_data.hashfile import load

    return [info for _, _, info in load(project.repo.cache.local, folder)]


def _is_or_holds(recorded: str, paths: set[str]) -> bool:
    return any(path == recorded or path.startswith(f"{recorded}/") for path in paths)
