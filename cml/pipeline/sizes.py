"""How large outputs are, wherever they lie; dvc.lock can say anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import PipelineError
from cml.pipeline import recorded
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE, cache_path

if TYPE_CHECKING:
    from cml.pipeline.project import Project


def size(project: Project, revision: str, path: str) -> int | None:
    """Return the bytes of an output of a revision; None where that records no such output.

    They are counted where the output lies: in the work tree, in the cache or in the DVC remote,
    from where only a folder's listing is pulled. What the revision records of the size counts
    where the output is in none of them.

    Raises:
        PipelineError: the remote cannot be reached.
    """
    with project.locked(), translated(f"cannot read the size of {path}"):
        if not recorded.holds_project(project, revision):
            return None
        out = recorded.outputs(project, revision).get(path)
        if out is None or not out.hash_info:
            return None
        place = project.root / path
        if revision == WORKSPACE and place.exists():
            return _lying(project, place)
        kept = _kept(project, out) if out.use_cache else None
        return out.meta.size if kept is None else kept


def _lying(project: Project, place: Path) -> int:
    """Count the bytes of a file, or of all files in a folder that DVC would keep."""
    if place.is_file():
        return place.stat().st_size
    from dvc.fs import localfs

    files = project.repo.dvcignore.find(localfs, str(place))
    return sum(Path(file).stat().st_size for file in files)


def _kept(project: Project, out: Any) -> int | None:
    """Count the bytes that the cache and the remote hold; None where they lack something."""
    from dvc.config import RemoteConfigError

    try:
        infos = _files(project, out.hash_info)
        sizes = [_object(project, info) for info in infos]
        absent = [info for info, size in zip(infos, sizes, strict=True) if size is None]
        sizes += _remote_sizes(project, absent, out.remote) if absent else []
    except RemoteConfigError:  # there is none, or it keeps files by their names
        return None
    known = [size for size in sizes if size is not None]
    return sum(known) if infos and len(known) == len(infos) else None


def _files(project: Project, info: Any) -> list[Any]:
    """Return the hashes of the files in an output; nothing where its listing is lost."""
    if not info.isdir:
        return [info]
    recorded.pull_objects(project, [info])
    listed = cache_path(project.repo, info).exists()
    return recorded.contents(project, info) if listed else []


def _object(project: Project, info: Any) -> int | None:
    """Return the size of an object in the cache."""
    place = cache_path(project.repo, info)
    return place.stat().st_size if place.exists() else None


def _remote_sizes(project: Project, infos: list[Any], remote: str | None) -> list[int | None]:
    """Ask the remote for the sizes of objects; None for each that it does not hold."""
    odb = project.repo.cloud.get_remote_odb(remote, hash_name=infos[0].name)
    answers = odb.fs.info([odb.oid_to_path(info.value) for info in infos], return_exceptions=True)
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, FileNotFoundError):
            raise PipelineError(f"the DVC remote does not answer: {answer}") from answer
    return [None if isinstance(answer, Exception) else answer["size"] for answer in answers]
