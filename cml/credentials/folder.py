"""A private folder for keys, outside the work tree; gone whatever becomes of this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Its standard input ends when this process does, however that ends.
_GUARD = 'read -r _; rm -rf -- "$1"'


@contextmanager
def holding(texts: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Write each text to a file of mode 0600, and remove all of them at the end.

    Yields:
        The path of each text's file; nothing is written where there is no text.

    Raises:
        UsageError: all places for temporary files lie in the work tree.
    """
    if not texts:
        yield {}
        return
    with _guarded(_place(environ)) as folder:
        yield {name: str(_write(folder / name.lower(), text)) for name, text in texts.items()}


@contextmanager
def _guarded(place: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="cml-keys-", dir=place))
    try:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(folder)],
            cwd="/",
            env={"PATH": os.defpath},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield folder
        finally:
            guard.kill()
            guard.communicate()
    finally:
        shutil.rmtree(folder)


def _write(path: Path, text: str) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _place(environ: Mapping[str, str]) -> Path:
    """Return a folder for temporary files that is outside the work tree; GitHub empties its own."""
    work_tree = _work_tree(Path.cwd().resolve())
    for name in (environ.get("RUNNER_TEMP"), tempfile.gettempdir()):
        place = Path(name or "").resolve()
        if name and place.is_dir() and not (work_tree and place.is_relative_to(work_tree)):
            return place
    raise UsageError(
        f"keys are not written to {tempfile.gettempdir()}, which lies in the work tree",
        hint="set TMPDIR to a folder outside of it",
    )


def _work_tree(start: Path) -> Path | None:
    """Return the top of the work tree that a folder lies in."""
    return next((one for one in (start, *start.parents) if (one / ".git").exists()), None)
