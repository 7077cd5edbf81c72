"""The record on disk with its report and pictures: written whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import posixpath
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cml import record as records
from cml import report as reports
from cml.errors import UsageError
from cml.record import Plot, Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = "record.json"
REPORT = "report.md"
LARGEST = 20_000_000
"""Bytes that a record may have which somebody else has made."""
JUNIT = "junit.xml"
METRICS = "metrics.txt"
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"}


class Bundle:
    """A bundle in the making; it lies beside its place until it is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._staging = folder.with_name(f"{folder.name}.partial")
        self._claim: int | None = None

    def begin(self) -> None:
        """Make the folder to write to, so that a place that cannot be written is known early."""
        if self.folder.exists() and not self._is_replaceable():
            raise UsageError(
                f"{self.folder} holds other files than a bundle's",
                hint="name a folder for the bundle alone: --out DIR",
            )
        self._staging.mkdir(parents=True, exist_ok=True)
        self._claim = _claimed(self._staging, self.folder)
        for leftover in self._staging.iterdir():
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        (self._staging / "plots").mkdir()
        (self._staging / ".gitignore").write_text("*\n", encoding="utf-8")

    def picture(self, plot: str, content: bytes, chart: str | None = None) -> Plot:
        """Add the picture of a plot: a PNG, or the image that the name of `plot` says.

        `chart` is the same plot in Mermaid, where it is simple enough.
        """
        base, suffix = posixpath.splitext(plot)
        suffix = suffix.lower() if suffix.lower() in IMAGES else ".png"
        stem = re.sub(r"[^A-Za-z0-9]+", "-", base).strip("-")[:60] or "plot"
        taken = {file.stem for file in (self._staging / "plots").iterdir()}
        names = (stem if n == 1 else f"{stem}-{n}" for n in range(1, len(taken) + 2))
        name = next(name for name in names if name not in taken)
        (self._staging / "plots" / f"{name}{suffix}").write_bytes(content)
        return Plot(id=plot, file=f"plots/{name}{suffix}", chart=chart)

    def finish(self, record: Record, report: str) -> None:
        """Write the record and its views, and put the bundle in its place.

        A run that was skipped has nothing to tell a reader of tests or metrics.
        """
        (self._staging / RECORD).write_bytes(records.to_json(record))
        self._write(REPORT, report)
        if record.outcome != "skipped":
            self._write(JUNIT, reports.junit(record))
            self._write(METRICS, reports.openmetrics(record))
        old = self.folder.with_name(f"{self.folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(old)
        self._staging.rename(self.folder)
        self._release()
        shutil.rmtree(old, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        (self._staging / name).write_bytes(text.encode("utf-8", "backslashreplace"))

    def rewrite(self, record: Record) -> None:
        """Bring the record of a finished bundle up to date, all of it or nothing."""
        new = self.folder / f"{RECORD}.partial"
        new.write_bytes(records.to_json(record))
        new.replace(self.folder / RECORD)

    def abandon(self) -> None:
        """Leave nothing behind of a bundle that was not finished."""
        if self._claim is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._release()

    def _release(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _is_replaceable(self) -> bool:
        return self.folder.is_dir() and (
            (self.folder / RECORD).is_file() or not any(self.folder.iterdir())
        )


def read(folder: Path) -> Record:
    """Read the record of a bundle that anybody may have made.

    Raises:
        UsageError: there is none, or it is too large, or not a record.
    """
    path = folder / RECORD
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST:,} bytes")
        return records.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="name the folder of a bundle"
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is not a record: {error}") from error


def _claimed(staging: Path, folder: Path) -> int:
    """Lock a folder for this process until its descriptor is closed, in whatever way."""
    # A link that the repository brings along must not lead anywhere else.
    descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UsageError(
            f"another cml-run is at work for {folder}", hint="wait until it has ended"
        ) from error
    except OSError:
        pass  # a file system without locks, such as some network drives
    return descriptor


@contextmanager
def staging(folder: Path) -> Iterator[Bundle]:
    """Make a bundle that will stand at `folder`, replacing an earlier one when it is finished.

    Raises:
        UsageError: the folder cannot be written, holds other things than a bundle, or another
            process is making one for it.
    """
    bundle = Bundle(folder)
    try:
        bundle.begin()
        yield bundle
    except OSError as error:
        if error.filename and str(error.filename).startswith(str(folder)):
            raise UsageError(
                f"cannot write the bundle to {folder}: {error.strerror}",
                hint="run as a user who may write there, or name another folder: --out DIR",
            ) from error
        raise
    finally:
        bundle.abandon()
