"""A stage file becomes a stage of dvc.yaml and its entry in dvc.lock; computes, writes nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.legacy import hashing, params, remotes
from cml.legacy.stagefile import HASHES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.legacy.stagefile import StageFile

_FLAGS = ("desc", "type", "labels", "meta", "remote", "push")
_PLOT = ("template", "x", "y", "x_label", "y_label", "title", "header")
_META = ("size", "nfiles", "isexec")
# What a stage that only collects others runs, as DVC 3 knows no stage without a command.
_NOTHING = "true"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage as dvc.yaml and dvc.lock tell it; `lock` is None where it never ran."""

    definition: dict[str, Any]
    lock: dict[str, Any] | None
    notes: tuple[str, ...]


def convert(file: StageFile) -> Stage:
    """Return the stage that a stage file with a command, or one that collects others, describes.

    Raises:
        UsageError: the file has outputs, and no command that makes them.
    """
    if file.kind == "collector" and file.outs:
        raise UsageError(
            f"{file.name} has dependencies and outputs, and no command that makes one of the other",
            hint="give it the `cmd` that does, or split it with `dvc add`; then migrate again",
        )
    return Stage(
        definition=escape(_definition(file)),
        lock=_lock(file),
        notes=tuple(f"{file.name}: {note}" for note in _notes(file)),
    )


def name(file: StageFile) -> str:
    """Return a name that DVC allows for a file's stage: the file's, or for a Dvcfile its output's.

    DVC takes letters, digits, `_` and `-`; every dot, space or other sign becomes a hyphen.
    """
    first = PurePosixPath(file.outs[0]["path"]).stem if file.outs else "all"
    stem = first if file.path.name == "Dvcfile" else file.path.stem
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "stage"


def escape(value: Any) -> Any:
    r"""Write `${` as `\${` throughout, since DVC from 2.0 on fills in what stands in `${...}`."""
    if isinstance(value, str):
        return value.replace("${", r"\${")
    if isinstance(value, dict):
        return {escape(key): escape(item) for key, item in value.items()}
    return [escape(item) for item in value] if isinstance(value, list) else value


def _definition(file: StageFile) -> dict[str, Any]:
    data = file.data
    outs = sorted(file.outs, key=lambda out: out["path"])
    parts = {
        "desc": data.get("desc"),
        "cmd": data.get("cmd") or _NOTHING,
        "wdir": None if data.get("wdir") == "." else data.get("wdir"),
        "deps": sorted(dep["path"] for dep in _files(file)),
        "params": list(_params(file)),
        "outs": [_output(file, out) for out in outs if not out.get("metric") and not _plot(out)],
        "metrics": [_output(file, out) for out in outs if out.get("metric")],
        "plots": [_output(file, out) for out in outs if _plot(out)],
        "frozen": _is_frozen(file),
        "always_changed": data.get("always_changed") or _ran_always(file),
        "meta": data.get("meta"),
    }
    return {key: value for key, value in parts.items() if value}


def _files(file: StageFile) -> list[dict[str, Any]]:
    """The dependencies that are files or folders."""
    return [dep for dep in file.deps if dep.get("path") and not dep.get("params")]


def _params(file: StageFile) -> Iterator[Any]:
    for dep in file.deps:
        if dep.get("params"):
            path = _params_path(file, dep)
            yield from dep["params"] if path == "params.yaml" else [{path: list(dep["params"])}]


def _params_path(file: StageFile, dep: dict[str, Any]) -> str:
    """A parameters file without a path is the one at the project's root."""
    if dep.get("path"):
        return str(dep["path"])
    root = os.path.relpath(file.project / "params.yaml", file.locate("."))
    return PurePosixPath(root).as_posix()


def _plot(out: dict[str, Any]) -> Any:
    return not out.get("metric") and out.get("plot")


def _output(file: StageFile, out: dict[str, Any]) -> Any:
    flags = {key: out[key] for key in _FLAGS if out.get(key) not in (None, [], {}, True)}
    if out.get("cache") is False or file.is_external(out["path"]):
        flags["cache"] = False
    if out.get("persist"):
        flags["persist"] = True
    if isinstance(plot := _plot(out), dict):
        flags |= {key: plot[key] for key in _PLOT if plot.get(key) is not None}
    return {out["path"]: flags} if flags else out["path"]


def _is_frozen(file: StageFile) -> bool:
    return bool(file.data.get("locked") or file.data.get("frozen"))


def _ran_always(file: StageFile) -> bool:
    """Before 2.0 a stage without dependencies ran each time; since then only without outputs."""
    return not file.deps and bool(file.outs) and not _is_frozen(file)


def _lock(file: StageFile) -> dict[str, Any] | None:
    items = [file.data, *file.deps, *file.outs]
    if not any(item.get(key) for item in items for key in HASHES):
        return None
    # An entry of another command keeps the data reachable and has DVC run an edited stage again.
    cmd = (file.data.get("cmd") or _NOTHING) if hashing.is_unedited(file) else ""
    parts = {
        "deps": _entries(file, _files(file)),
        "params": {
            _params_path(file, dep): params.reread(
                file.locate(_params_path(file, dep)), dep["params"]
            )
            for dep in file.deps
            if isinstance(dep.get("params"), dict) and dep["params"]
        },
        "outs": _entries(file, file.outs),
    }
    return {"cmd": cmd} | {key: value for key, value in parts.items() if value}


def _entries(file: StageFile, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"path": item["path"]}
        | ({"hash": item["hash"]} if "hash" in item else {})
        | remotes.hashes(file, item)
        | {key: item[key] for key in _META if item.get(key) is not None}
        for item in sorted(items, key=lambda item: str(item["path"]))
    ]


def _notes(file: StageFile) -> Iterator[str]:
    if file.kind == "collector":
        yield f"it only collected other stages; its stage runs `{_NOTHING}` when they change"
    if _ran_always(file) and not file.data.get("always_changed"):
        yield (
            "DVC before 2.0 ran it each time, as it has no dependencies, and `always_changed` "
            "keeps it so; take that out to have it run only when its outputs are missing"
        )
    if file.data.get("md5") and not hashing.is_unedited(file):
        yield "it was edited after its last run, so it will run again"
    yield from remotes.notes(file)
    for out in file.outs:
        yield from output_notes(file, out)


def output_notes(file: StageFile, out: dict[str, Any]) -> Iterator[str]:
    """Say what of an output's description has no place in DVC 3."""
    path, metric = out["path"], out.get("metric")
    if isinstance(metric, dict) and (metric.get("type") or metric.get("xpath")):
        how = ", ".join(f"{key} {value!r}" for key, value in metric.items() if value)
        yield (
            f"the metrics file {path} was read with {how}; DVC 3 reads all of a JSON, YAML or TOML "
            "file"
        )
    if out.get("tags"):
        tags = ", ".join(f"{tag} ({_tagged(said)})" for tag, said in out["tags"].items())
        yield f"tags of {path} are left out, as DVC has none since 0.94: {tags}"
    if file.kind == "stage" and out.get("cache") is not False and file.is_external(path):
        yield f"{path} lies outside the project, where DVC 3 keeps no copies: it has `cache: false`"


def _tagged(said: object) -> object:
    return said.get("md5") if isinstance(said, dict) else said
