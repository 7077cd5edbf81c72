"""Hashes of data outside a project, under the names that DVC 3 gives them; asks no remote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cml.legacy.stagefile import HASHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cml.legacy.stagefile import StageFile

# The hash by which each file system of DVC 3 knows a file (its PARAM_CHECKSUM); others go by md5.
_COMPARED = {
    **dict.fromkeys(("http", "https", "hdfs", "webhdfs"), "checksum"),
    **dict.fromkeys(("s3", "gs", "azure", "oss"), "etag"),
}


def hashes(file: StageFile, item: dict[str, Any]) -> dict[str, str]:
    """Return an item's recorded hashes; what HTTP calls an ETag was `etag` and is `checksum`."""
    recorded = {key: item[key] for key in HASHES if item.get(key)}
    if _scheme(file, item).startswith("http") and "etag" in recorded:
        recorded["checksum"] = recorded.pop("etag")
    return recorded


def notes(file: StageFile) -> Iterator[str]:
    """Say which recorded hashes DVC 3 has no use for, so that the stage runs again."""
    for item in [*file.deps, *file.outs]:
        scheme, recorded = _scheme(file, item), hashes(file, item)
        if recorded and _COMPARED.get(scheme, next(iter(recorded))) not in recorded:
            yield (
                f"{item['path']} was recorded by its {next(iter(recorded))}, which DVC 3 does not "
                f"compare on {scheme}: it will run again, unless `dvc commit` says it need not"
            )


def options(config: Path) -> Iterator[tuple[int, str, str, str]]:
    """Read a config file of DVC as (line number, section, option, value), names in lower case."""
    section = ""
    try:
        lines = config.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, start=1):
        if header := re.match(r"\s*\[\s*(['\"]?)(.*?)\1\s*\]", line):
            section = header[2].strip()
        elif pair := re.match(r"\s*([^#=\s]+)\s*=\s*(.*?)\s*$", line):
            yield number, section, pair[1].lower(), pair[2].strip("'\"")


def _scheme(file: StageFile, item: dict[str, Any]) -> str:
    url = urlsplit(item.get("path") or "")
    if url.scheme != "remote":
        return url.scheme
    section = f'remote "{url.netloc}"'
    configs = [file.project / ".dvc" / name for name in ("config", "config.local")]
    urls = [
        value
        for config in configs
        for _, where, option, value in options(config)
        if option == "url" and where == section
    ]
    return urlsplit(urls[-1]).scheme if urls else ""
