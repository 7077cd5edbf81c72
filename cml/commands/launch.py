"""The story of a runner in a cloud: announced here, started there, watched until it is there."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cml.clusters import skypilot
from cml.clusters.skypilot import Task
from cml.commands import runner_register, runner_scripts
from cml.errors import CmlError, UsageError
from cml.forges.base import Registration, RunnerRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cml.clusters.skypilot import Machine
    from cml.forges.base import Program, RunnerHost

log = logging.getLogger("cml")

# What clouds give by default; SkyPilot's images are for these.
SYSTEM, PROCESSOR = "Linux", "x86_64"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A runner for one job, and the machine that it is for.

    Attributes:
        name: how it is called, with a suffix of its own for each launch.
        labels: what jobs ask for.
        organisation: whose jobs it takes, where not the one repository's.
        group: the number of GitHub's runner group.
        allow_forks: whether code of strangers may run there.
        machine: where it runs.
        package: what pip installs there.
        kind: which credential the forge gives, for a rehearsal.
    """

    name: str
    labels: tuple[str, ...]
    organisation: str | None
    group: int
    allow_forks: bool
    machine: Machine
    package: str
    kind: Literal["just-in-time", "authentication"]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """How long to wait for the runner, in seconds, and how often to look."""

    most: float
    poll: float
    pause: Callable[[float], object] = time.sleep


def rehearse(plan: Plan, host: RunnerHost, environ: Mapping[str, str]) -> str:
    """Return the task that would be given to SkyPilot; nothing is registered and started.

    Raises:
        UsageError: strangers could run code there, or SkyPilot is not installed.
        PublishError: the forge refused.
    """
    program = _ready(plan, host, environ)
    pretended = Registration(
        id=None, name=f"{plan.name}-000000", url="https://the-server", kind=plan.kind, credential=""
    )
    return skypilot.written(_task(plan, pretended, program))


def launch(plan: Plan, host: RunnerHost, environ: Mapping[str, str], watch: Watch) -> str:
    """Start a machine in a cloud that runs one job; return the runner's name when it is there.

    Where that fails, the runner is off the forge's list again and the machine is removed, unless
    a job runs on it already.

    Args:
        plan: the runner and its machine.
        host: the forge, asked from here: the machine has no token for it.
        environ: what SkyPilot may see: credentials of the cloud, none of the forge.
        watch: how long to wait.

    Raises:
        UsageError: strangers could run code there, SkyPilot failed, or no runner came.
        PublishError: the forge refused.
    """
    program = _ready(plan, host, environ)
    request = RunnerRequest(
        name=f"{plan.name}-{secrets.token_hex(3)}",
        labels=plan.labels,
        organisation=plan.organisation,
        group=plan.group,
    )
    given = host.register_runner(request)
    log.info("registered %s; its machine is being started", given.name)
    try:
        skypilot.launch(_task(plan, given, program), environ)
        _await(given, plan, host, watch)
    except BaseException:
        _undo(given, plan, host, environ)
        raise
    return given.name


def _ready(plan: Plan, host: RunnerHost, environ: Mapping[str, str]) -> Program:
    """Look at all that can be known before anything is done."""
    skypilot.check(plan.machine, environ)
    runner_register.refuse_strangers(plan, host, "that machine")
    return host.runner_program(system=SYSTEM, machine=PROCESSOR)


def _task(plan: Plan, given: Registration, program: Program) -> Task:
    return Task(
        name=given.name,
        machine=plan.machine,
        setup=runner_scripts.setup(plan.package),
        run=runner_scripts.run(given.kind, given.name, idle_minutes=plan.machine.idle_minutes),
        envs=runner_scripts.envs(given, program),
        secrets={runner_scripts.SECRET: given.credential},
    )


def _await(given: Registration, plan: Plan, host: RunnerHost, watch: Watch) -> None:
    """Wait until the forge sees the runner; one that has gone has done its job."""
    waited = 0.0
    while waited < watch.most:
        found = host.find_runner(given, plan.organisation)
        if found is None or found.online:
            log.info("%s is there", given.name)
            return
        seconds = min(watch.poll, watch.most - waited)
        watch.pause(seconds)
        waited += seconds
    if watch.most:
        raise UsageError(
            f"{given.name} did not come within {watch.most / 60:.0f} minutes",
            hint=f"look at what its machine said: `sky logs {given.name}`, with a longer --wait",
        )


def _undo(given: Registration, plan: Plan, host: RunnerHost, environ: Mapping[str, str]) -> None:
    """Take the runner off the list and then remove the machine, but never one with a job.

    What cannot be asked counts as a job: such a machine goes by itself when it is idle.
    """
    try:
        found = host.find_runner(given, plan.organisation)
        if found and found.busy:
            log.warning("%s runs a job: it stays, and ends by itself", given.name)
            return
        host.remove_runner(given, plan.organisation)
    except CmlError as error:  # a job may have come just now
        log.warning(
            "%s may run a job, so it stays on the forge's list, and its machine where there is "
            "one: %s",
            given.name,
            error.message,
        )
        return
    skypilot.remove(given.name, environ)
