"""Asks Docker whether its containers can have the GPUs; pulls nothing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError
from cml.machine import programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.machine.programs import Said

_SEEN = ("nvidia-container-runtime-hook", "nvidia-ctk")
_INSTALL = (
    "Install nvidia-container-toolkit, then `sudo nvidia-ctk runtime configure --runtime=docker` "
    "and `sudo systemctl restart docker`."
)
_GROUP = (
    "`sudo usermod -aG docker $USER`, then log in again and start the runner again: whoever is in "
    "that group is as good as root on this machine."
)


def info(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what Docker tells of itself; None where it is not installed.

    Raises:
        UsageError: it cannot be reached.
    """
    said = programs.ask("docker", "info", "--format", "{{json .}}", environ=environ)
    if said is None:
        return None
    try:
        found = json.loads(said.output) if said.status == 0 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        denied = "permission denied" in said.why.lower()
        raise UsageError(
            f"Docker does not answer: {said.why}",
            hint=_GROUP if denied else "Start it: `sudo systemctl start docker`.",
        )
    return found


def toolkit(found: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Return how Docker gives GPUs to containers.

    Raises:
        UsageError: it cannot.
    """
    if "nvidia" in (found.get("Runtimes") or {}):
        return "the nvidia runtime is known to Docker"
    devices = [str(one.get("ID")) for one in found.get("DiscoveredDevices") or []]
    if any(name.startswith("nvidia.com/gpu") for name in devices):
        return "the GPUs are known to Docker by CDI"
    for name in _SEEN:
        if shutil.which(name, path=environ.get("PATH")):
            return f"{name} is installed"
    raise UsageError("Docker has no way to give GPUs to containers", hint=_INSTALL)


def image(environ: Mapping[str, str]) -> str | None:
    """Return an image of CUDA or of ours that is here already, None where there is none."""
    said = programs.ask("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", environ=environ)
    names = said.output.split() if said else []
    known = [name for name in names if "<none>" not in name]
    return next((name for name in known if "cuda" in name or "cml" in name), None)


def try_gpu(image: str, environ: Mapping[str, str]) -> str:
    """Return the GPUs that a container of an image sees, as nvidia-smi lists them.

    Raises:
        UsageError: it sees none.
    """
    options = ("--rm", "--pull", "never", "--network", "none", "--gpus", "all")
    started = ("docker", "run", *options, "--entrypoint", "nvidia-smi", image, "-L")
    said = programs.ask(*started, environ=environ)
    if said is None or said.status != 0 or "GPU" not in said.output:
        raise UsageError(
            f"a container of {image} sees no GPU: {said.why if said else 'no docker'}",
            hint=_hint(said),
        )
    return f"{len(said.output.splitlines())} in {image}"


def _hint(said: Said | None) -> str:
    why = said.why if said else ""
    if "executable file not found" in why:
        return (
            "The image asks for no utilities of the driver: "
            "`-e NVIDIA_DRIVER_CAPABILITIES=compute,utility`."
        )
    if "unsatisfied condition" in why:
        return (
            "The image is for a newer CUDA than the driver's: update the driver, or take an "
            "older image."
        )
    return _INSTALL
