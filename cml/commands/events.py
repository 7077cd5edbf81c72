"""What event files hold, of this run where there is one."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from cml import pipeline
from cml.trackers import tensorboard

if TYPE_CHECKING:
    from pathlib import Path

    from cml.commands.evidence import Evidence
    from cml.pipeline import Project

log = logging.getLogger(__name__)


def scalars(found: Evidence) -> dict[str, list[float]]:
    """Return the values of each scalar tag, without files that this run cannot have logged.

    These are committed as they are, by no stage: anybody can have made them. Where nothing runs,
    all files count.

    Raises:
        UsageError: tensorboard is not installed, or an event file cannot be read.
    """
    files = tensorboard.files(found.logdir)
    if found.project is None or found.repeater is None:
        return tensorboard.scalars(files)
    dirty = found.checkout.dirty()
    committed = {
        found.checkout.root / name for name in found.checkout.tracked() if name not in dirty
    }
    old = [file for file in files if _place(file) in committed and not _made(found.project, file)]
    if old:
        log.warning("event files that are committed, not logged by this run: %d left out", len(old))
    return tensorboard.scalars([file for file in files if file not in old])


def _place(file: Path) -> Path:
    """Return a file's place in the work tree; itself, though it be a link."""
    return file.parent.resolve() / file.name


def _made(project: Project, file: Path) -> bool:
    """Tell whether a stage makes a file, and git keeps it."""
    path = os.path.relpath(_place(file), project.root.resolve())
    return pipeline.maker(project, path) is not None
