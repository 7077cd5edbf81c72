"""Dependencies that are edited while their stage runs: recorded as they were when it began."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


def hold(stage: Any) -> None:
    """Make DVC record the dependencies as they are now, whoever edits them meanwhile.

    DVC records what they are at the end: results of the old code would pass for the new code's,
    here and by the run-cache on every machine. What a run merely adds to a folder or removes from
    it, such as byte code, is recorded as DVC does it.
    """
    record = stage.save_deps
    record()
    began = [(dep, dep.hash_info, dep.meta, _content(dep)) for dep in stage.deps]

    def save_deps(**options: Any) -> None:
        record(**options)
        for dep, info, meta, content in began:
            now = _content(dep)
            if any(now[name] != content[name] for name in now.keys() & content.keys()):
                log.warning("%s was edited while stage %s ran", dep, stage.addressing)
                dep.hash_info, dep.meta = info, meta

    stage.save_deps = save_deps


def _content(dep: Any) -> Mapping[Any, Any]:
    """Return the hash of each file of a folder, the value of each parameter, or a file's hash."""
    value = dep.hash_info.value
    if isinstance(value, dict):
        return value
    if dep.hash_info.isdir and dep.obj is not None:
        return {name: info for name, _, info in dep.obj}
    return {"": value}
