"""A parameter in its file: read at any revision, and set in the work tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from cml.pipeline.project import Project

_MISSING = object()
_NUMBER = re.compile(r"[-+]?[0-9]+(?=[\s,\]}#]|$)")


def parameter(project: Project, revision: str, file: str, name: str) -> Any:
    """Return a parameter of a revision.

    Args:
        project: the project.
        revision: a commit, or `WORKSPACE`.
        file: the parameters' file, as seen from the project.
        name: the parameter; dots go down.

    Raises:
        UsageError: there is no such parameter.
        PipelineError: there is no such file.
    """
    from dvc.utils.serialize import load_path

    with project.locked(), translated(f"cannot read {file}"), project.repo.switch(revision):
        fs = project.repo.fs
        found = _value(load_path(fs.join(project.repo.root_dir, file), fs), name)
    if found is _MISSING:
        raise UsageError(f"{file} holds no {name}")
    return found


def set_parameter(project: Project, file: str, name: str, value: int) -> None:
    """Set a whole number in the work tree's YAML, JSON or TOML file; all else in it stays.

    Raises:
        UsageError: there is no such parameter, the file lies elsewhere or is a stage's output, or
            the number cannot be changed alone.
        PipelineError: there is no such file.
    """
    from dvc.utils.serialize import MODIFIERS

    if parameter(project, WORKSPACE, file, name) == value:
        return
    place = project.root / file
    if project.root.resolve() not in place.resolve().parents:
        raise UsageError(f"{file} leads out of the project, so {name} cannot be set in it")
    suffix = place.suffix.lower()
    with project.locked(), translated(f"cannot set {name} in {file}"):
        if any(place == Path(out.fs_path) for out in project.repo.index.outs):
            raise UsageError(f"{file} is made by a stage, so {name} cannot be set in it")
        if suffix in {".json", ".toml"}:
            with MODIFIERS[suffix](str(place)) as data:
                _put(data, name, value)
        else:
            text = place.read_bytes().decode()
            place.write_bytes(_yaml_with(text, file, name, value).encode())
        project.repo.refresh()


def _yaml_with(text: str, file: str, name: str, value: int) -> str:
    """Return YAML with one number changed.

    DVC would write the whole file anew, without quotes: a text `"no"` becomes `no`, which many
    programs take for false.
    """
    from dvc.utils.serialize import parse_yaml, parse_yaml_for_update

    line, column = _position(parse_yaml_for_update(text, file), name)
    lines = text.splitlines(keepends=True)
    old = lines[line] if line < len(lines) else ""
    number = _NUMBER.match(old, column)
    if number is not None:
        lines[line] = f"{old[:column]}{value}{old[number.end() :]}"
    wanted, changed = parse_yaml(text, file), "".join(lines)
    _put(wanted, name, value)
    # As text, since no NaN equals another.
    if repr(parse_yaml(changed, file)) != repr(wanted):
        raise UsageError(f"{name} in {file} cannot be set alone: write it as a plain number there")
    return changed


def _position(data: Any, name: str) -> tuple[int, int]:
    """Return line and column, from 0, of a parameter in YAML that was read with its places."""
    holder, key = _holder(data, name)
    places = holder.lc
    found = places.item(key) if isinstance(holder, list) else places.value(key)
    return found or (0, 0)


def _put(data: Any, name: str, value: int) -> None:
    holder, key = _holder(data, name)
    holder[key] = value


def _holder(data: Any, name: str) -> tuple[Any, str | int]:
    way, _, last = name.rpartition(".")
    holder = _value(data, way) if way else data
    return holder, _key(holder, last)


def _value(data: Any, name: str) -> Any:
    try:
        for part in name.split("."):
            data = data[_key(data, part)]
    except (KeyError, IndexError, TypeError, ValueError):
        return _MISSING
    return data


def _key(data: Any, part: str) -> str | int:
    return int(part) if isinstance(data, list) else part
