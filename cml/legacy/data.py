"""A data file loses what DVC 3 refuses and keeps its comments; hashes of data are never touched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cml.legacy import documents, hashing, remotes, stages
from cml.legacy.change import Change
from cml.legacy.stagefile import HASHES, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.legacy.stagefile import StageFile


@dataclass(frozen=True, kw_only=True)
class Tidied:
    """A data file as DVC 3 reads it, and the metrics files among its outputs."""

    changes: tuple[Change, ...]
    metrics: tuple[tuple[StageFile, str], ...]


def tidy(file: StageFile) -> Tidied:
    """Return a .dvc file without what DVC 3 refuses or would verify; a Dvcfile gets such a name.

    The file's own md5 goes, or becomes the one that DVC 3 computes: it takes a file with another
    for changed, and then fails wherever the data has not been pulled.

    Raises:
        UsageError: the file cannot be read.
    """
    document, text = documents.load(file.root, file.path)
    for key in ("deps", "outs"):
        for item, recorded in zip(document.get(key) or (), file.data.get(key) or (), strict=True):
            _tidy_item(file, item, recorded)
    _sign(file, document)
    notes = tuple(f"{file.name}: {note}" for note in _notes(file))
    change = Change(path=_new_path(file), text=documents.dump(document, text), notes=notes)
    changes = (change,) if change.path == file.path else (change, Change(path=file.path, text=None))
    metrics = tuple((file, out["path"]) for out in file.outs if out.get("metric"))
    return Tidied(changes=changes, metrics=metrics)


def _notes(file: StageFile) -> Iterator[str]:
    for dep in file.deps:
        if isinstance(origin := dep.get("repo"), dict):
            yield (
                f"it imports from {origin.get('url')}; where that repository has files of DVC "
                f"before 3.0 at the revision imported, DVC 3 cannot pull from it: migrate it too, "
                f"then run `dvc update {file.name}`"
            )
    for out in file.outs:
        yield from stages.output_notes(file, out)


def _tidy_item(file: StageFile, item: Any, recorded: dict[str, Any]) -> None:
    for key in REFUSED:
        item.pop(key, None)
    named = remotes.hashes(file, recorded)
    for key in HASHES:
        if item.get(key) is not None and key not in named:
            del item[key]
    # Only where it differs: what is not touched keeps its quotes.
    item.update({key: value for key, value in named.items() if item.get(key) != value})


def _sign(file: StageFile, document: Any) -> None:
    """Give a file DVC 3's md5 of it, unless it was edited: then DVC is to see that it was."""
    if file.kind == "data":
        document.pop("md5", None)
    elif hashing.is_unedited(file):
        written = {key: [dict(item) for item in document[key]] for key in ("deps", "outs")}
        document["md5"] = hashing.current(replace(file, data=file.data | written))


def _new_path(file: StageFile) -> Path:
    """DVC 3 knows no Dvcfile: its data gets the file that `dvc add` would have written."""
    if file.path.name != "Dvcfile":
        return file.path
    first = PurePosixPath(file.outs[0]["path"]).name if file.outs else "Dvcfile"
    names = [f"{first}.dvc", "Dvcfile.dvc"]
    taken = [file.path.with_name(name) for name in names]
    return next((path for path in taken if not (file.root / path).exists()), taken[-1])
