"""Tells which tracked files DVC 3 cannot read or would misread; reads only those that may be."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cml.legacy import hashing, stagefile

if TYPE_CHECKING:
    from collections.abc import Iterable

_ELSEWHERE = {".git", ".dvc", ".venv", "node_modules"}
# Looked for before a file is parsed, words before lines: of 20,000 data files most have neither.
_WORDS = (b"\nmd5", b"cmd", b"deps", b"metric", b"plot", b"tags", b"{")
_LINES = re.compile(rb"\A\s*\{|^(?:cmd|md5|deps)\b|\b(?:metric|plot|tags)\b", re.MULTILINE)
_SCHEMA = re.compile(rb"^[\"']?schema\b", re.MULTILINE)


def find(root: Path, tracked: Iterable[str]) -> list[Path]:
    """Return the files that a migration has to convert, sorted, relative to `root`.

    These are stage files (a `Dvcfile`, a .dvc file with a command), lock files of DVC 1.x, and data
    files that DVC 3 refuses (`metric:` in an output, even if false) or would verify on each run
    because their own md5 is not the one that DVC 3 computes.

    Args:
        root: the folder that `tracked` is relative to; files of DVC projects below it are not its
            own where it is a project itself.
        tracked: the names that git tracks.
    """
    candidates = sorted({name for name in tracked if _may_be(name)})
    found = [Path(name) for name in candidates if _is_legacy(root, Path(name))]
    return [path for path in found if not _is_foreign(root, path) and not _is_ignored(root, path)]


def _may_be(name: str) -> bool:
    base = name.rpartition("/")[2]
    if not (base.endswith(".dvc") or base in {"Dvcfile", "dvc.lock"}):
        return False
    return not _ELSEWHERE.intersection(name.split("/"))


def _is_legacy(root: Path, path: Path) -> bool:
    try:
        content = (root / path).read_bytes()
        if path.name == "dvc.lock":
            return content.strip() != b"" and not _SCHEMA.search(content)
        if path.name != "Dvcfile" and not _may_need_conversion(content):
            return False
        data = stagefile.parse(content.decode())
    except (OSError, UnicodeDecodeError):
        return False
    return data is not None and needs_conversion(
        stagefile.StageFile(root=root, path=path, data=data)
    )


def _may_need_conversion(content: bytes) -> bool:
    lines = b"\n" + content
    return any(word in lines for word in _WORDS) and _LINES.search(content) is not None


def needs_conversion(file: stagefile.StageFile) -> bool:
    """Tell whether DVC 3 cannot read a stage file, or takes what it describes for changed."""
    if file.path.name == "Dvcfile" or file.kind in {"stage", "collector"}:
        return True
    if any(out.keys() & set(stagefile.REFUSED) for out in file.outs):
        return True
    if file.kind == "data":
        return file.data.get("md5") is not None
    return hashing.is_unedited(file) and hashing.current(file) != file.data["md5"]


def _is_foreign(root: Path, path: Path) -> bool:
    """Tell whether a file belongs to another DVC project, below one that `root` is."""
    below = [root / parent for parent in path.parents if parent != Path()]
    return (root / ".dvc").is_dir() and any((folder / ".dvc").is_dir() for folder in below)


def _is_ignored(root: Path, path: Path) -> bool:
    for parent in path.parents:
        ignores = root / parent / ".dvcignore"
        if ignores.is_file() and _names(ignores, PurePosixPath(path.relative_to(parent))):
            return True
    return False


def _names(ignores: Path, path: PurePosixPath) -> bool:
    from pathspec import GitIgnoreSpec

    lines = ignores.read_text(encoding="utf-8", errors="replace").splitlines()
    return bool(GitIgnoreSpec.from_lines(lines).match_file(path))
