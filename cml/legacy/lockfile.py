"""dvc.lock in the schema that DVC 3 reads; changes documents in memory, writes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cml.legacy import params, stages

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "2.0"


def add(lock: Any, name: str, entry: dict[str, Any]) -> None:
    """Put a stage's entry into a lock file, in the place of an older one."""
    lock.setdefault("schema", SCHEMA)
    if not isinstance(lock.get("stages"), dict):
        lock["stages"] = {}
    lock["stages"][name] = entry


def modernise(folder: Path, lock: Any, pipeline: Any) -> None:
    r"""Turn a lock file of DVC 1.x, stages at the top, into one of schema 2.0; its hashes stay.

    A command of DVC 1.x is taken literally. Where it has `${`, which DVC from 2.0 on fills in, and
    the lock file shows that it ran as it stands, dvc.yaml gets `\${` for it.

    Args:
        folder: the folder of both files, in which their stages' paths begin.
        lock: the lock file, changed in place.
        pipeline: the dvc.yaml beside it, changed in place.
    """
    if not lock or isinstance(lock.get("schema"), str):
        return
    entries = {name: lock.pop(name) for name in list(lock)}
    definitions = pipeline.get("stages") or {}
    for name, entry in entries.items():
        definition = definitions.get(name)
        if isinstance(definition, dict) and isinstance(entry, dict):
            _modernise(folder, entry, definition)
    lock.update({"schema": SCHEMA, "stages": entries})


def _modernise(folder: Path, entry: Any, definition: Any) -> None:
    workdir = folder / str(definition.get("wdir") or ".")
    recorded = entry.get("params")
    for path, values in recorded.items() if isinstance(recorded, dict) else ():
        if isinstance(values, dict):
            values.update(params.reread(workdir / str(path), dict(values)))
    cmd = definition.get("cmd")
    if "${" in str(cmd) and cmd == entry.get("cmd"):
        definition["cmd"] = stages.escape(cmd)
