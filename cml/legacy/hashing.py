"""The md5 that a stage file carries of itself, as each generation of DVC computes it; no files."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from cml.legacy.stagefile import StageFile

# What a file says without the stage being another for it, by generation of DVC; found by running
# 0.20, 0.35, 0.59, 0.94, 1.0 and 3.67 (where it is `dvc.stage.utils.compute_md5`).
_NOT_0_2X = {"locked"}
_NOT_0_X = {"locked", "metric", "persist", "tags"}
_NOT_1_X = {"locked", "frozen", "desc", "metric", "persist", "checkpoint", "size", "nfiles"}
_NOT_3_X = _NOT_1_X - {"checkpoint"} | {"isexec", "type", "labels", "meta"}


def is_unedited(file: StageFile) -> bool:
    """Tell whether a file is as DVC left it after the stage's last run, in any DVC before 3.0."""
    recorded = file.data.get("md5")
    return recorded is not None and recorded in (
        _md5(file, file.outs, _NOT_0_2X),
        _md5(file, [{"cache": True, **out} for out in file.outs], _NOT_0_X),
        _md5(file, _only_uncached(file), _NOT_1_X),
        _md5(file, _only_uncached(file), _NOT_3_X),
    )


def current(file: StageFile) -> str | None:
    """Return the md5 that DVC 3 expects in a file without a command; None where it expects none."""
    if file.kind != "import":
        return None
    deps = [
        {**dep, "hash": "md5"}
        if "path" in dep and "repo" not in dep and file.is_external(dep["path"])
        else dep
        for dep in file.deps
    ]
    return _md5(file, _only_uncached(file), _NOT_3_X, deps=deps)


def _only_uncached(file: StageFile) -> list[dict[str, Any]]:
    """The outputs as DVC from 1.0 on writes them: no word of a cache where it is used."""
    return [
        {key: value for key, value in out.items() if (key, value) != ("cache", True)}
        for out in file.outs
    ]


def _md5(
    file: StageFile,
    outs: list[dict[str, Any]],
    excluded: Collection[str],
    *,
    deps: list[dict[str, Any]] | None = None,
) -> str:
    said = {**file.data, "outs": outs, "deps": file.deps if deps is None else deps}
    kept = {k: v for k, v in said.items() if v and k not in {"md5", "meta", "desc"}}
    if kept.get("wdir") == ".":
        del kept["wdir"]
    text = json.dumps(_without(kept, excluded), sort_keys=True, default=str)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _without(value: Any, excluded: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, excluded) for item in value]
    if isinstance(value, dict):
        return {k: _without(v, excluded) for k, v in value.items() if k not in excluded}
    return value
