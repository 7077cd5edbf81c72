"""What revisions record of a file that DVC keeps is read from the cache, or from the remote."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cml import pipeline
from cml.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lab import Lab

    Opened = Callable[[Lab, Path], AbstractContextManager[pipeline.Project]]


def test_a_file_of_a_revision_is_read_from_wherever_dvc_keeps_it(lab: Lab, opened: Opened) -> None:
    prepared = (lab.work / "prepared.csv").read_bytes()
    data = (lab.work / "data/2.txt").read_bytes()
    lab.git("rm", "-q", "data.dvc")
    lab.commit("Without data")
    shutil.rmtree(lab.work / ".dvc/cache")

    with opened(lab, lab.work) as project:
        assert pipeline.content(project, "HEAD~1", "prepared.csv") == prepared
        assert pipeline.content(project, "HEAD~1", "data/2.txt") == data
        for path in ("data", "data/9.txt", "data/2.txt/x", "nothing", "metrics.json", "dvc.yaml"):
            assert pipeline.content(project, "HEAD~1", path) is None
        assert pipeline.content(project, "HEAD", "data/2.txt") is None
        assert pipeline.content(project, pipeline.WORKSPACE, "prepared.csv") == prepared

        shutil.rmtree(lab.work / ".dvc/cache")
        shutil.rmtree(lab.storage / "files")
        for path in ("prepared.csv", "data/2.txt"):
            with pytest.raises(PipelineError, match="neither in the cache nor in the DVC remote"):
                pipeline.content(project, "HEAD~1", path)
