"""Metrics, parameters and data of revisions, read through DVC."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml import metrics
from cml.pipeline import recorded
from cml.pipeline.backends import describe
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE
from cml.record import DataChanges, Rename

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cml.pipeline.project import Project

PIPELINE = "the pipeline"


def read_metrics(
    project: Project, revisions: Sequence[str], targets: Sequence[str] | None = None
) -> dict[str, metrics.Reading]:
    """Read the metrics of revisions (`WORKSPACE` is the work tree), from git or from DVC.

    A file that the baseline never had is left out; one that is recorded but cannot be read is
    an error in the reading, and so is `PIPELINE` where DVC cannot read the revision at all. A
    revision that holds no DVC project has an empty reading.
    """
    return _read(project, revisions, "metrics", targets)


def read_params(project: Project, revisions: Sequence[str]) -> dict[str, metrics.Reading]:
    """Read the parameters of revisions, like `read_metrics`."""
    return _read(project, revisions, "params", None)


def _read(
    project: Project, revisions: Sequence[str], kind: str, targets: Sequence[str] | None
) -> dict[str, metrics.Reading]:
    paths = [project.relative(Path(target).absolute()) for target in targets or ()]
    with project.locked(), translated(f"cannot read the {kind}"):
        found = {revision: _show(project, revision, kind, paths) for revision in revisions}
        missing = {rev: _unread(found[rev]) for rev in revisions if rev != WORKSPACE}
        if recorded.pull(project, missing):
            found = {revision: _show(project, revision, kind, paths) for revision in revisions}
        return {revision: _reading(project, revision, found[revision]) for revision in revisions}


def _show(project: Project, revision: str, kind: str, paths: Sequence[str]) -> dict[str, Any]:
    """Return what DVC shows of one revision; nothing where that holds no project."""
    repo = project.repo
    if not recorded.holds_project(project, revision):
        return {}
    with repo.switch(revision):
        targets = [repo.fs.join(repo.root_dir, path) for path in paths]
        shown = getattr(repo, kind).show(targets=targets, hide_workspace=False)
    return dict(*shown.values())


def _unread(content: Mapping[str, Any]) -> set[str]:
    """Return the files that could not be read, of what DVC shows for one revision."""
    return {path for path, file in content.get("data", {}).items() if "error" in file}


def _reading(project: Project, revision: str, found: Mapping[str, Any]) -> metrics.Reading:
    """Make a reading of what DVC shows; a file that a revision never recorded is left out."""
    if error := found.get("error"):
        return metrics.Reading(errors={PIPELINE: describe(error)})
    files = {path.replace("\\", "/"): file for path, file in found.get("data", {}).items()}
    if revision != WORKSPACE:
        for path in _unrecorded(project, revision, files):
            del files[path]
    return metrics.Reading(
        values={p: metrics.flatten(c["data"]) for p, c in files.items() if "error" not in c},
        errors={p: describe(c["error"]) for p, c in files.items() if "error" in c},
    )


def _unrecorded(project: Project, revision: str, files: Mapping[str, Any]) -> set[str]:
    """Return the files that are not there since that revision has no result of theirs."""
    lost = {p for p, file in files.items() if isinstance(file.get("error"), FileNotFoundError)}
    outs = recorded.outputs(project, revision) if lost else {}
    return {path for path in lost if path not in outs or not outs[path].hash_info}


def of_outputs(
    project: Project, reading: metrics.Reading, outs: Collection[Path]
) -> metrics.Reading:
    """Return what a reading says of some outputs (absolute paths), and of files in them."""

    def counts(path: str) -> bool:
        place = project.root / path
        return path == PIPELINE or any(each in outs for each in (place, *place.parents))

    return metrics.Reading(
        values={path: values for path, values in reading.values.items() if counts(path)},
        errors={path: why for path, why in reading.errors.items() if counts(path)},
    )


def data_changes(project: Project, baseline: str) -> DataChanges:
    """Compare the data that DVC tracks with the baseline's, file by file where that is known.

    Reads what dvc.lock and .dvc files say; of data, only the listings of changed folders are
    pulled. A folder whose listing is lost is named as a whole.
    """
    with project.locked(), translated("cannot compare the data"):
        if _tracked(project, baseline) == _tracked(project, WORKSPACE):
            return DataChanges()
        found = _data_diff(project, baseline)
        folders = [path for path in found["modified"] if path.endswith("/")]
        if folders:
            paths = {folder.rstrip("/") for folder in folders}
            listings = recorded.hashes(project, {baseline: paths, WORKSPACE: paths})
            recorded.pull_objects(project, (info for info in listings if info.isdir))
            keys = [tuple(path.rstrip("/").split("/")) for path in folders]
            inside = _data_diff(project, baseline, granular=True, filter_keys=keys)
            known = [path for path in folders if not _any_below(path, inside["unknown"])]
            for kind in ("added", "modified", "deleted", "renamed"):
                found[kind] = [e for e in (*found[kind], *inside[kind]) if e not in known]
    return DataChanges(
        added=sorted({*found["added"]}),
        modified=sorted({*found["modified"]}),
        deleted=sorted({*found["deleted"]}),
        renamed=[Rename(old=item["old"], new=item["new"]) for item in found["renamed"]],
    )


def _tracked(project: Project, revision: str) -> dict[str, Any]:
    """Return what a revision records of the data that DVC keeps: path in the project -> facts."""
    if not recorded.holds_project(project, revision):
        return {}
    outs = recorded.outputs(project, revision)
    return {path: (o.hash_info, o.meta, o.files) for path, o in outs.items() if o.use_cache}


def _data_diff(project: Project, baseline: str, **options: Any) -> defaultdict[str, list[Any]]:
    from dvc.repo.data import _diff_head_to_index

    found = _diff_head_to_index(project.repo, head=baseline, with_renames=True, **options)
    return defaultdict(list, found)


def _any_below(folder: str, paths: Iterable[str]) -> bool:
    return any(path.startswith(folder) for path in paths)
