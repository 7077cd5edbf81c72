"""Looks at everything a run relies on, and says what to do about each failure."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml import credentials, numerals, pipeline, repo
from cml.commands import gate, legacy_files, run
from cml.errors import CmlError, PipelineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cml.commands.run import Surroundings
    from cml.config import Settings

# GIT_CONFIG_COUNT, by which credentials reach git without a file or an argument.
OLDEST_GIT = (2, 31)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at: what was seen, and what to do where it is not as it should be."""

    name: str
    healthy: bool
    seen: str
    hint: str | None = None


def examine(settings: Settings, around: Surroundings) -> Iterator[Finding]:
    """Look at git, DVC, their remotes, the forge, the baseline and the credentials."""
    looks: list[tuple[str, Callable[[Settings, Surroundings], str]]] = [
        ("settings", _settings),
        ("git", _git),
        ("git remote", _git_remote),
        ("forge", _forge),
        ("checks", _checks),
        ("baseline", _baseline),
        ("pipeline", _pipeline),
        ("credentials", _credentials),
        ("data", _data),
    ]
    for name, one in looks:
        yield look(name, functools.partial(one, settings, around))


def look(name: str, see: Callable[[], str]) -> Finding:
    """Look at one thing; what it raises is what is wrong with it."""
    try:
        return Finding(name=name, healthy=True, seen=see())
    except CmlError as error:
        return Finding(name=name, healthy=False, seen=error.message, hint=error.hint)


def _settings(settings: Settings, around: Surroundings) -> str:
    numerals.check(settings.metrics_format)
    where = "saves" if around.publish else "only shows"
    return f"valid; a run here {where} its results"


def _git(_: Settings, around: Surroundings) -> str:
    checkout = repo.find(around.start, around.environ)
    if checkout.git_version < OLDEST_GIT:
        raise UsageError(
            f"git {_dotted(checkout.git_version)} is too old",
            hint=f"install git {_dotted(OLDEST_GIT)} or newer: it takes credentials unseen",
        )
    legacy_files.refuse(checkout, around.start)
    shallow = ", shallow" if checkout.is_shallow else ""
    return f"{checkout.branch or 'detached HEAD'} at {checkout.short('HEAD')}{shallow}"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _git_remote(_: Settings, around: Surroundings) -> str:
    checkout = run.open_checkout(around)
    if not checkout.has_remote():
        raise UsageError(
            "no git remote named origin, so results cannot be saved",
            hint="add one: `git remote add origin URL`",
        )
    checkout.probe()
    token = "with a token" if around.token else "with git's own credentials"
    return f"{checkout.remote_url} answers, {token}"


def _forge(_: Settings, around: Surroundings) -> str:
    if around.forge is None:
        return "nobody is told from here"
    context = run.located(around.context, run.open_checkout(around))
    found = around.forge.pull_requests(context.branch) if context.branch else []
    numbers = ", ".join(str(one.number) for one in found)
    return f"{context.repository} answers; open for this branch: {numbers or 'none'}"


def _checks(_: Settings, around: Surroundings) -> str:
    found = gate.rules_here(around.start, run.open_checkout(around))
    count = len(found.own.checks) + len(found.gradient.checks)
    return f"{count} set; a run is judged by those of its baseline"


def _baseline(settings: Settings, around: Surroundings) -> str:
    checkout = run.open_checkout(around)
    found = checkout.baseline(settings.baseline, run.located(around.context, checkout))
    return f"{found.revision} ({found.sha[:7]})" if found else "none yet: this is the first commit"


def _pipeline(settings: Settings, around: Surroundings) -> str:
    with pipeline.open_project(around.start) as project:
        found = pipeline.plan(project, settings.repro_targets.names or None)
    runs = [stage.name for stage in found.stages if stage.state != "unchanged"]
    return f"{len(found.stages)} stages, {len(runs)} to run"


def _credentials(_: Settings, around: Surroundings) -> str:
    return f"for DVC remotes: {', '.join(credentials.seen(around.environ)) or 'no variable is set'}"


def _data(_: Settings, around: Surroundings) -> str:
    with pipeline.open_project(around.start) as project:
        if not pipeline.has_remote(project):
            raise UsageError(
                "no default DVC remote, so data stays on this machine",
                hint="add one: `dvc remote add -d storage URL`, and commit .dvc/config",
            )
        absent = pipeline.absent_from_remote(project)
        if lost := pipeline.lost(project, absent):
            raise PipelineError(
                f"neither here nor in the DVC remote: {', '.join(lost)}",
                hint="run `dvc push` where this data is",
            )
    waits = f"; a push would bring {', '.join(absent)}" if absent else ""
    return f"the DVC remote answers{waits}"
