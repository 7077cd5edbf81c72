"""Looks at what a job needs to use the GPUs of this machine, in a container too."""

from __future__ import annotations

import functools
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cml import machine
from cml.commands.doctor import Finding, look
from cml.errors import UsageError
from cml.machine import cuda, devices, docker, leftovers, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cml.machine import Driver
    from cml.machine.cuda import Installed

_GIB = 2**30
_DRIVER = (
    "On the machine install the driver, as `sudo ubuntu-drivers install`, and restart. In a "
    "container: start it with `--gpus all`, and have nvidia-container-toolkit on the machine."
)
_RENEW = (
    "A container loses its GPUs when systemd reloads (`systemctl daemon-reload`): start it again. "
    "After an update of the driver restart the machine."
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where to look: the environment, the root of the file system, and the runner's folder."""

    environ: Mapping[str, str]
    root: Path = Path("/")
    folder: Path = Path()

    @property
    def is_container(self) -> bool:
        """Whether this is inside a container."""
        return any((self.root / name).exists() for name in (".dockerenv", "run/.containerenv"))


def examine(here: Machine) -> Iterator[Finding]:
    """Look at the driver, CUDA, the device files, Docker and the work folder."""
    looks: list[tuple[str, Callable[[Machine], str]]] = [
        ("NVIDIA driver", _driver),
        ("nvidia-smi", _nvidia_smi),
        ("CUDA", _cuda),
        ("device files", _devices),
        ("work folder", _folder),
        ("docker", _docker),
    ]
    if shutil.which("docker", path=here.environ.get("PATH")):
        looks += [("container toolkit", _toolkit), ("GPUs in a container", _in_container)]
    for name, one in looks:
        finding = look(name, functools.partial(one, here))
        yield finding
        if name == "docker" and not finding.healthy:
            break


def _driver(_: Machine) -> str:
    found = machine.driver()
    if found is None:
        raise UsageError("no NVIDIA driver was found", hint=_DRIVER)
    if not found.gpus:
        raise UsageError(f"driver {found.version} sees no GPU", hint=_DRIVER)
    names = ", ".join(f"{gpu.name} ({gpu.memory / _GIB:.0f} GiB)" for gpu in found.gpus)
    return f"{found.version}, for CUDA up to {_dotted(found.cuda)}: {names}"


def _nvidia_smi(here: Machine) -> str:
    said = programs.ask("nvidia-smi", "-L", environ=here.environ)
    if said is None:
        raise UsageError(
            "there is no nvidia-smi",
            hint="It comes with the driver. In a container: "
            "`-e NVIDIA_DRIVER_CAPABILITIES=compute,utility`.",
        )
    if said.status != 0:
        raise UsageError(f"nvidia-smi fails: {said.why}", hint=_RENEW)
    return f"lists {len(said.output.splitlines())}"


def _cuda(here: Machine) -> str:
    found = cuda.installed(here.environ, here.root)
    if not found:
        return "none is installed here; images and PyTorch bring their own"
    newest = max(found, key=lambda one: one.version)
    driver = machine.driver()
    if driver is None:
        return f"{_dotted(newest.version)} of {newest.name}, with no driver to compare"
    return _compared(newest, driver)


def _compared(newest: Installed, driver: Driver) -> str:
    """Compare as https://docs.nvidia.com/deploy/cuda-compatibility/ says."""
    ours, theirs = _dotted(newest.version), _dotted(driver.cuda)
    if newest.version[0] > driver.cuda[0]:
        raise UsageError(
            f"CUDA {ours} of {newest.name} needs a newer driver: {driver.version} is for {theirs}",
            hint=f"Update the driver, or use an image or a PyTorch for CUDA {driver.cuda[0]}.",
        )
    if newest.version > driver.cuda:
        return (
            f"{ours} of {newest.name} is newer than the driver's {theirs}: what is compiled runs, "
            "what is compiled at run time (PTX) does not"
        )
    return f"{ours} of {newest.name}, driver for {theirs}"


def _devices(here: Machine) -> str:
    return devices.check(here.root)


def _docker(here: Machine) -> str:
    found = docker.info(here.environ)
    if found is None:
        where = "this is a container" if here.is_container else "jobs run without containers"
        return f"not installed: {where}"
    return f"{found.get('ServerVersion')} answers"


def _toolkit(here: Machine) -> str:
    return docker.toolkit(docker.info(here.environ) or {}, here.environ)


def _in_container(here: Machine) -> str:
    image = docker.image(here.environ)
    if image is None:
        return "not tried: there is no image with cuda or cml in its name, and none is pulled"
    return docker.try_gpu(image, here.environ)


def _folder(here: Machine) -> str:
    user = os.geteuid()
    if user == 0:
        return "root may change all; GitHub's runner wants another user, or RUNNER_ALLOW_RUNASROOT"
    found = leftovers.of_others(here.folder, user)
    if found:
        raise UsageError(
            f"{len(found)} files of others below {here.folder.resolve()}, as {found[0]}: the next "
            "job cannot clean up",
            hint="`sudo chown -R $(id -u):$(id -g) .` there, and start containers as the runner's "
            "user: `options: --user 1000:1000` with the numbers that `id` shows.",
        )
    return "all of it belongs to this user"


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
