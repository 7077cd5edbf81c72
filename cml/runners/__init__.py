"""Runner programs on this machine: found, fetched, started, stopped; knows no forge's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cml.runners.base import RunnerProgram
    from cml.runners.gitlab_program import Executor

__all__ = ["open_program"]


def open_program(
    forge: str, home: Path, environ: Mapping[str, str], executor: Executor
) -> RunnerProgram:
    """Return the runner program of a forge; starts nothing yet.

    Args:
        forge: `github` or `gitlab`.
        home: the folder of this runner.
        environ: what the program and its jobs may see.
        executor: how GitLab's jobs are run.
    """
    if forge == "github":
        from cml.runners.github_program import GitHubProgram

        return GitHubProgram(home, environ)
    from cml.runners.gitlab_program import GitLabProgram

    return GitLabProgram(home, environ, executor)
