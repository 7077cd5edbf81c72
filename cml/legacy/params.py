"""Recorded parameters as DVC 3 reads them; tells a changed value from one only read differently."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MISSING = object()


def reread(file: Path, recorded: dict[str, Any]) -> dict[str, Any]:
    """Return recorded values as DVC 3 would have recorded them.

    DVC before 2.0 read parameters as YAML 1.1, where `1e-3` is text and `yes` is true; DVC 3 reads
    YAML 1.2, where the first is a number and the second is text. A value that the file still holds
    when read the old way is given in the new way; any other is left, so that DVC sees the change.

    Args:
        file: the parameters file in the work tree.
        recorded: values by dotted name.
    """
    if file.suffix.lower() not in {".yaml", ".yml"}:
        return recorded
    try:
        before, today = _readings(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return recorded
    fresh = {}
    for name, value in recorded.items():
        now = _at(today, name)
        held = now is not _MISSING and _same(_at(before, name), value)
        fresh[name] = now if held else value
    return fresh


@functools.lru_cache(maxsize=16)
def _readings(text: str) -> tuple[Any, Any]:
    """Return what a text says in YAML 1.1 and in 1.2; nothing where it is not valid in both."""
    import yaml
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return yaml.safe_load(text), YAML(typ="safe", pure=True).load(text)
    except (yaml.YAMLError, YAMLError, ValueError, RecursionError):
        return None, None


def _at(values: Any, name: str) -> Any:
    for key in name.split("."):
        if isinstance(values, dict) and key in values:
            values = values[key]
        elif isinstance(values, list) and key.isdigit() and int(key) < len(values):
            values = values[int(key)]
        else:
            return _MISSING
    return values


def _same(before: Any, recorded: Any) -> bool:
    # True equals 1 in Python, and is another value in a parameters file.
    return isinstance(before, bool) == isinstance(recorded, bool) and bool(before == recorded)
