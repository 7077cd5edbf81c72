"""Fetches a runner program: nothing of it is unpacked or run before its checksum was seen."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from cml.errors import PublishError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("cml")

MOST = 2 << 30
"""The most bytes that a program may have, packed."""

_CHUNK = 1 << 20
_CONNECT_SECONDS, _READ_SECONDS = 10, 60


def fetch(url: str, sha256: str, target: Path, *, archive: bool) -> None:
    """Put a program in place of an earlier one, whole or not at all.

    Args:
        url: where it is, by HTTP or HTTPS.
        sha256: what it must be, as hex digits.
        target: where it goes: a folder for an archive, else a file.
        archive: whether it is a .tar.gz.

    Raises:
        PublishError: it cannot be had, or is another one.
        UsageError: it cannot be unpacked.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as name:
        folder = Path(name)
        packed = folder / "packed"
        log.info("fetching %s", url)
        _download(url, packed, sha256)
        fresh = folder / "fresh"
        if archive:
            _unpack(packed, fresh)
        else:
            packed.chmod(0o700)
            packed.rename(fresh)
        _swap(fresh, target, folder / "old")


def _download(url: str, path: Path, sha256: str) -> None:
    found = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        for chunk in _chunks(url):
            found.update(chunk)
            size += len(chunk)
            if size > MOST:
                raise PublishError(f"{url} is larger than a runner program can be")
            file.write(chunk)
    if found.hexdigest() != sha256.lower():
        raise PublishError(
            f"{url} is not the runner program: its SHA-256 is {found.hexdigest()}, not {sha256}",
            hint="nothing of it was run. Try again; if it stays so, somebody changes what you "
            "fetch: install the program yourself, and name it by --program",
        )


def _chunks(url: str) -> Iterator[bytes]:
    import requests

    def nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request  # else a password in ~/.netrc would be sent

    seconds = (_CONNECT_SECONDS, _READ_SECONDS)
    try:
        with requests.get(url, stream=True, timeout=seconds, auth=nobody) as answer:
            answer.raise_for_status()
            yield from answer.iter_content(_CHUNK)
    except (requests.RequestException, OSError) as error:
        raise PublishError(
            f"the runner program cannot be fetched: {error}",
            hint="look at the address and at the network; or install it, and name it by --program",
        ) from error


def _unpack(packed: Path, folder: Path) -> None:
    """Unpack an archive; what would lie outside, or be more than files and links, is refused."""
    if not hasattr(tarfile, "data_filter"):
        raise UsageError(
            "this Python cannot unpack an archive safely",
            hint="use Python 3.10.12, 3.11.4, 3.12 or a newer one",
        )
    folder.mkdir()
    try:
        with tarfile.open(packed, "r:gz") as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UsageError(
            f"the archive of the runner program cannot be unpacked: {error}"
        ) from error


def _swap(fresh: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
