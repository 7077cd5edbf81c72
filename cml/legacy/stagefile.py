"""Reads the stage files of DVC before 1.0 (.dvc, Dvcfile); says what each is, changes nothing."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cml.errors import UsageError

Kind = Literal["stage", "collector", "import", "data"]

HASHES = ("md5", "etag", "checksum")
# DVC 3 reads no data file whose outputs have one of these, not even as `metric: false`.
REFUSED = ("metric", "plot", "tags")


@dataclass(frozen=True, kw_only=True)
class StageFile:
    """A stage file: `path` is relative to `root`, `data` is what it says."""

    root: Path
    path: Path
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The path as people write it."""
        return self.path.as_posix()

    @property
    def deps(self) -> list[dict[str, Any]]:
        """The dependencies, as recorded."""
        return list(self.data.get("deps") or ())

    @property
    def outs(self) -> list[dict[str, Any]]:
        """The outputs, as recorded."""
        return list(self.data.get("outs") or ())

    @property
    def kind(self) -> Kind:
        """What the file stands for: a collector has dependencies and no command."""
        if self.data.get("cmd"):
            return "stage"
        if not self.deps:
            return "data"
        return "import" if len(self.deps) == len(self.outs) == 1 else "collector"

    @functools.cached_property
    def project(self) -> Path:
        """The root of the DVC project that the file belongs to."""
        parents = (self.root / parent for parent in self.path.parents)
        return next((folder for folder in parents if (folder / ".dvc").is_dir()), self.root)

    def locate(self, path: str) -> Path:
        """Return the place in the file system of one of the file's own paths."""
        workdir = self.root / self.path.parent / (self.data.get("wdir") or ".")
        return Path(os.path.normpath(workdir / path))

    def is_external(self, path: str) -> bool:
        """Tell whether DVC takes a path to lie outside the project, as absolute paths always do."""
        if "://" in path or Path(path).is_absolute():
            return True
        return not self.locate(path).is_relative_to(self.project)


def read(root: Path, path: Path) -> StageFile:
    """Read a stage file.

    Raises:
        UsageError: the file cannot be read or is not what DVC before 1.0 wrote.
    """
    try:
        data = parse((root / path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.as_posix()}: {error}", hint="restore it from git") from error
    if data is None:
        raise UsageError(
            f"{path.as_posix()} is not a stage file of DVC",
            hint="restore it from git, or resolve its merge conflict",
        )
    return StageFile(root=root, path=path, data=data)


def parse(text: str) -> dict[str, Any] | None:
    """Return what a stage file says, or None where the text is not one.

    Hashes are taken as they are written: an md5 such as `66e12...` reads as a number in YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(text)
        written = YAML(typ="base", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    if not _is_stage(data):
        return None
    pairs = [(data, written)]
    for key in ("deps", "outs"):
        if data.get(key):
            pairs += zip(data[key], written[key], strict=True)
    for values, words in pairs:
        values.update({k: words[k] for k in HASHES if values.get(k) is not None})
    return dict(data)


def _is_stage(data: object) -> bool:
    return (
        isinstance(data, dict)
        and bool(data.keys() & {"cmd", "deps", "outs"})
        and _are(data, {"cmd": (str, list), "wdir": (str,), "deps": (list,), "outs": (list,)})
        and all(_is_item(dep, ("params", "db")) for dep in data.get("deps") or ())
        and all(_is_item(out, ()) for out in data.get("outs") or ())
    )


def _is_item(item: object, instead_of_path: tuple[str, ...]) -> bool:
    """Tell whether something describes a dependency or output, of which not all need a path."""
    return (
        isinstance(item, dict)
        and any(item.get(key) for key in ("path", *instead_of_path))
        and _are(item, {"path": (str,), "params": (dict, list), "tags": (dict,)})
        and _are(item, dict.fromkeys(HASHES, (str, int, float)))
    )


def _are(said: dict[str, Any], types: dict[str, tuple[type, ...]]) -> bool:
    return all(isinstance(said[key], kinds) for key, kinds in types.items() if said.get(key))
