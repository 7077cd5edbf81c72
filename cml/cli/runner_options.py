"""The options that the commands about runners share, and what they come to."""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cml import record
from cml.cli import job, options
from cml.config import values
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.commands.run import Surroundings
    from cml.commands.runner_register import Wish
    from cml.commands.runner_terms import Hosts
    from cml.config import Settings
    from cml.forges.base import RunnerHost
    from cml.record import Context

MINUTES = click.FloatRange(min=0, min_open=True)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")
_OWN = "CML_RUNNER_"  # what is meant for us, and for no job
_REMEMBERED = "options.json"
_DEFAULTS = {"labels": "cml", "runner_group": 1, "executor": "docker", "image": "python:3.12"}
_OPTIONS = (
    click.option("--repository", metavar="OWNER/NAME", help="Take jobs of this repository."),
    click.option(
        "--organisation",
        "--group",
        metavar="PATH",
        help="Take jobs of this whole organisation (GitLab: group).",
    ),
    click.option(
        "--runner-group", metavar="N", type=int, help="GitHub's number of a runner group."
    ),
    click.option("--labels", metavar="A,B", help="What jobs ask for.  [default: cml]"),
    click.option("--name", metavar="NAME", help="The runner's name.  [default: cml-HOST]"),
    click.option("--persistent/--ephemeral", default=None, help="Many jobs, or one a time."),
    click.option("--single/--no-single", default=None, help="End after one job."),
    click.option("--idle-timeout", metavar="MIN", type=MINUTES, help="End when idle that long."),
    click.option("--max-lifetime", metavar="MIN", type=MINUTES, help="Then take no more jobs."),
    click.option("--allow-forks/--no-allow-forks", default=None, help="Run strangers' code here."),
    click.option("--program", metavar="PATH", help="The runner program, in place of our own."),
    click.option("--executor", type=click.Choice(["docker", "shell"]), help="GitLab: run jobs so."),
    click.option("--image", metavar="IMAGE", help="GitLab: the image of jobs that name none."),
    click.option("--home", metavar="DIR", help="Where it is kept.  [~/.cml-run/runners/NAME]"),
    options.only("forge"),
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked for: the runner, its forge, and what its program may see."""

    wish: Wish
    hosts: Hosts
    environ: Mapping[str, str]


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the options of a runner; None stands for not given."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def folder(flags: Mapping[str, Any]) -> Path:
    """Return the runner's folder.

    Raises:
        UsageError: its name is no name.
    """
    name = _name(flags)
    home = flags["home"]
    return Path(home).absolute() if home else Path.home() / ".cml-run" / "runners" / name


def recalled(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given, or else given when the runner was registered, or else the default."""
    before: dict[str, Any] = {}
    path = folder(flags) / _REMEMBERED
    if path.exists():
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{path} cannot be read", hint="remove it") from error
    given = {name: value for name, value in flags.items() if value is not None}
    return {**flags, **_DEFAULTS, **before, **given, "home": str(folder(flags))}


def remember(flags: Mapping[str, Any]) -> None:
    """Keep what was given, for `cml-run runner start`."""
    from cml.runners import home

    path = folder(flags)
    home.make(path)
    kept = {name: value for name, value in flags.items() if value is not None and name != "home"}
    home.put(path / _REMEMBERED, json.dumps(kept, indent=1))


def asked(flags: Mapping[str, Any], *, jit: bool = False) -> Asked:
    """Return what options come to.

    Args:
        flags: the options, with their defaults.
        jit: whether somebody else has registered the runner, so that no token is needed.

    Raises:
        UsageError: an option is wrong, or the forge is not known.
    """
    from cml.commands.runner_terms import Hosts
    from cml.forges.waiting import Patience

    settings, around, context = gathered(flags, flags["forge"] or ("github" if jit else None))
    if not (around.token or jit):
        raise UsageError(
            "there is no token to register a runner with",
            hint="set repo_token to one of somebody who administers runners; a job's may not",
        )

    def opened(most: float) -> RunnerHost:
        return host(job.forge(settings, context, around.token, patience=Patience(most=most)))

    hosts = Hosts(hasty=opened(0), opened=opened)
    seen = {
        name: value
        for name, value in os.environ.items()
        if name not in around.secrets and not name.startswith(_OWN)
    }
    return Asked(wish=_wish(flags, context, jit=jit), hosts=hosts, environ=seen)


def gathered(flags: Mapping[str, Any], forge: str | None) -> tuple[Settings, Surroundings, Context]:
    """Return the settings, what is around, and whose jobs to take as the options say it."""
    settings, around = job.gather({"forge": forge, "publish": False})
    context = record.replace(around.context, forge=settings.forge or around.context.forge)
    if flags["repository"]:
        context = record.replace(context, repository=flags["repository"])
    return settings, around, context


def host(forge: object) -> RunnerHost:
    """Return a forge that gives jobs to runners.

    Raises:
        UsageError: there is none.
    """
    from cml.forges.base import RunnerHost

    if not isinstance(forge, RunnerHost):
        raise UsageError(
            "there is no forge that could give jobs to a runner",
            hint="name it: --forge github or --forge gitlab, with --repository owner/name",
        )
    return forge


def _wish(flags: Mapping[str, Any], context: Context, *, jit: bool) -> Wish:
    from cml import machine
    from cml.commands.runner_register import Wish
    from cml.runners.gitlab_program import Executor

    if flags["persistent"] and flags["runner_group"] != _DEFAULTS["runner_group"]:
        raise UsageError(
            "--runner-group is for runners of one job",
            hint="leave --persistent out, or move the runner to its group in GitHub's settings",
        )
    gpus = machine.gpus()
    kind = flags["executor"]
    return Wish(
        forge="gitlab" if context.forge == "gitlab" else "github",
        owner="one job" if jit else flags["organisation"] or _repository(context),
        name=_name(flags),
        labels=machine.labels(values.split(flags["labels"]), gpus),
        organisation=flags["organisation"],
        group=flags["runner_group"],
        persistent=bool(flags["persistent"]),
        allow_forks=bool(flags["allow_forks"]),
        program=Path(flags["program"]).absolute() if flags["program"] else None,
        home=Path(flags["home"]),
        executor=Executor(kind=kind, image=flags["image"], gpus=bool(gpus)),
    )


def _repository(context: Context) -> str:
    named = (os.environ.get(name) for name in ("GITHUB_REPOSITORY", "CI_PROJECT_PATH"))
    found = context.repository or next(filter(None, named), None)
    if not found:
        raise UsageError(
            "whose jobs the runner is to take is not known",
            hint="say it: --repository owner/name, or --organisation name",
        )
    return found


def _name(flags: Mapping[str, Any]) -> str:
    name: str = flags["name"] or f"cml-{re.sub(r'[^A-Za-z0-9.-]+', '-', platform.node())[:40]}"
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a runner", hint="use letters, digits and ._-, up to 50 of them"
        )
    return name
