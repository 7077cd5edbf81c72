"""Starts and removes machines in a cloud with SkyPilot's program `sky`; knows no forge."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("cml")

_INSTALL = "`pipx install 'skypilot[{cloud}]'`, or `pip install 'skypilot[{cloud}]'` in a venv"
_QUIET = {"SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}  # else it reports to its makers
_WORD = re.compile(r"[a-z0-9][a-z0-9-]*")
_GPU = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(:[1-9][0-9]*)?")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine to be: sizes in GB, and how many minutes it may be idle before it is removed."""

    cloud: str
    region: str | None = None
    gpu: str | None = None
    spot: bool = False
    disk_size: int | None = None
    idle_minutes: int = 10


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a machine does: `setup` once and then `run`, in bash.

    `envs` are written down for all to see. `secrets` are not, and reach the machine as variables.
    """

    name: str
    machine: Machine
    setup: str
    run: str
    envs: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def check(machine: Machine, environ: Mapping[str, str]) -> None:
    """Look whether SkyPilot is here and could make sense of a machine.

    Raises:
        UsageError: it is not installed, or a name is wrong.
    """
    for word in filter(None, (machine.cloud, machine.region)):
        if not _WORD.fullmatch(word):
            raise UsageError(f"{word!r} is no name of a cloud or a region")
    if machine.gpu and not _GPU.fullmatch(machine.gpu):
        raise UsageError(f"{machine.gpu!r} is no GPU", hint="say its name and how many: T4:1")
    if shutil.which("sky", path=environ.get("PATH")) is None:
        raise UsageError(
            "SkyPilot, which starts machines in a cloud, is not installed",
            hint=f"{_INSTALL.format(cloud=machine.cloud)}; then `sky check {machine.cloud}`",
        )


def written(task: Task) -> str:
    """Return a task as SkyPilot's YAML, with the names of its secrets and no secret.

    https://docs.skypilot.co/en/latest/reference/yaml-spec.html
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import LiteralScalarString

    content = {
        "name": task.name,
        "resources": _resources(task.machine),
        "envs": dict(task.envs),
        "secrets": dict.fromkeys(task.secrets),
        "setup": LiteralScalarString(task.setup),
        "run": LiteralScalarString(task.run),
    }
    text = io.StringIO()
    yaml = YAML()
    yaml.width = 10_000
    yaml.dump({key: value for key, value in content.items() if value}, text)
    return text.getvalue()


def launch(task: Task, environ: Mapping[str, str]) -> None:
    """Start a machine of the task's name with SkyPilot; return when its work has begun.

    A secret is in the environment of `sky` and nowhere else here: `--secret NAME` reads it there.

    Raises:
        UsageError: SkyPilot failed. There may be a machine all the same: see `remove`.
    """
    named = [part for name in task.secrets for part in ("--secret", name)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "task.yaml")
        path.write_text(written(task), encoding="utf-8")
        argv = ["sky", "launch", "--yes", "--detach-run", "--cluster", task.name, *named, str(path)]
        status = _run(argv, {**environ, **task.secrets})
    if status:
        raise UsageError(
            f"SkyPilot could not start a machine: `sky launch` ended with {status}",
            hint=f"look at its words above; `sky check {task.machine.cloud}` tells of credentials",
        )


def remove(name: str, environ: Mapping[str, str]) -> None:
    """Remove a machine, whether there is one or not; a failure is told, not raised."""
    if _run(["sky", "down", "--yes", name], environ):
        log.warning(
            "SkyPilot did not remove %s: look at `sky status` that nothing costs money", name
        )


def _resources(machine: Machine) -> dict[str, object]:
    place = f"{machine.cloud}/{machine.region}" if machine.region else machine.cloud
    given = {"accelerators": machine.gpu, "disk_size": machine.disk_size}
    return {
        "infra": place,
        **{key: value for key, value in given.items() if value is not None},
        **({"use_spot": True} if machine.spot else {}),
        "autostop": {"idle_minutes": machine.idle_minutes, "down": True},
    }


def _run(argv: list[str], environ: Mapping[str, str]) -> int:
    """Run `sky`, whose words go to stderr: stdout is ours."""
    env = {**_QUIET, **environ}
    path = shutil.which(argv[0], path=env.get("PATH")) or argv[0]
    with open(os.dup(2), "wb") as narration:  # noqa: PTH123 - a descriptor, not a path
        return subprocess.run(
            [path, *argv[1:]], env=env, stdin=subprocess.DEVNULL, stdout=narration, check=False
        ).returncode
