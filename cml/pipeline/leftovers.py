"""Removes the half-made files of a killed DVC from the work tree, and nothing else."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cml.pipeline.project import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.pipeline.project import Project

log = logging.getLogger(__name__)

# As dvc_objects.fs.utils.tmp_fname makes them: 16 random bytes in base64.
_TEMPORARY = re.compile(r"\.[A-Za-z0-9_-]{22}\.tmp")


def clear_leftovers(project: Project) -> None:
    """Remove the files that a killed DVC was making beside and inside the outputs.

    They would make the work tree look edited, and a folder look changed that a stage reads.
    """
    with project.locked(), translated("cannot list the pipeline's outputs"):
        places = {Path(out.fs_path) for out in project.repo.index.outs if out.protocol == "local"}
        for file in {*_temporary(places)}:
            log.warning("removing %s, which a killed DVC left behind", project.relative(file))
            file.unlink(missing_ok=True)


def _temporary(places: set[Path]) -> Iterator[Path]:
    """Name DVC's temporary files beside and inside the outputs."""
    for folder in {place.parent for place in places}:
        if folder.is_dir():
            yield from (file for file in folder.iterdir() if _TEMPORARY.fullmatch(file.name))
    for place in places:
        for inside, _, names in os.walk(place):
            yield from (Path(inside, name) for name in names if _TEMPORARY.fullmatch(name))
