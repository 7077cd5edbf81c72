"""The device files of NVIDIA's driver, and whether this user may open them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_GPU = re.compile(r"nvidia\d+")
_CONTROL = "nvidiactl"
_MEMORY = "nvidia-uvm"
_GIVE = (
    "On the machine: `sudo nvidia-modprobe -c 0 -u` makes them. In a container: start it with "
    "`--gpus all`."
)


def check(root: Path) -> str:
    """Return how many GPUs have a device file here.

    Raises:
        UsageError: one that CUDA needs is missing, or closed to this user.
    """
    folder = root / "dev"
    gpus = [path for path in folder.glob("nvidia*") if _GPU.fullmatch(path.name)]
    if not gpus:
        raise UsageError("there is no /dev/nvidia0", hint=_GIVE)
    needed = [folder / _CONTROL, folder / _MEMORY, *gpus]
    if missing := [path.name for path in needed if not path.exists()]:
        raise UsageError(f"there is no /dev/{missing[0]}, which CUDA needs", hint=_GIVE)
    closed = [path for path in needed if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        group = closed[0].stat().st_gid
        raise UsageError(
            f"this user may not open {', '.join(f'/dev/{path.name}' for path in closed)}",
            hint=f"They are of group {group}: add the user to it, or give the container "
            f"`--group-add {group}`.",
        )
    return f"{len(gpus)}, open to this user"
