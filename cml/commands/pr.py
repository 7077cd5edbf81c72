"""The story of results that a shell has made: seen to be current, then saved by a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml import pipeline
from cml.commands import run
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.errors import ExitCode


def propose(settings: Settings, around: Surroundings) -> ExitCode:
    """Do the main job without running the pipeline, which must have run already.

    Raises:
        UsageError: a stage would run again, so what lies there is not its result.
    """
    with pipeline.open_project(around.start) as project:
        found = pipeline.plan(project, None)
    if stale := [stage.name for stage in found.stages if stage.state != "unchanged"]:
        raise UsageError(
            f"these stages are not up to date: {', '.join(stale)}",
            hint="run `dvc repro` first; or `cml-run --publish-as pull-request`, which runs them",
        )
    return run.run(settings, around)
