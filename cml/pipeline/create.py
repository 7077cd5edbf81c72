"""A DVC project made from nothing, for demonstrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.pipeline.project import open_project, quieten, translated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def create(root: Path, storage: Path, data: Sequence[str]) -> None:
    """Make a DVC project in a git repository, with a local remote that holds `data`.

    Args:
        root: the top of the git repository.
        storage: the folder for the DVC remote; it is made.
        data: files and folders, relative to `root`, to track.
    """
    with translated("cannot make the DVC project"):
        from dvc.repo import Repo

        quieten()
        with Repo.init(str(root)) as repo, repo.config.edit("repo") as settings:
            settings["remote"]["storage"] = {"url": str(storage)}
            settings["core"]["remote"] = "storage"
        storage.mkdir(parents=True)
    with open_project(root) as project, project.locked(), translated("cannot track data"):
        project.repo.add([str(root / name) for name in data])
        project.repo.push()
