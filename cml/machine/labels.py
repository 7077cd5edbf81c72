"""What a runner's machine is good for, in labels (GitLab: tags) that jobs can ask for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cml.machine.nvml import Gpu

GPU = "gpu"
_GIB = 2**30
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}")


def labels(
    wanted: Sequence[str], found: Sequence[Gpu], *, without_gpu: bool = False
) -> tuple[str, ...]:
    """Return the labels of a runner: those asked for, and what its GPUs are.

    Two of NVIDIA's A100 with 40 GiB add `a100-sxm4-40gb`, `gpu-count-2` and `gpu-memory-40gb`. The
    memory is that of the smallest one in GiB, rounded, so that a job which asks for it fits.

    Args:
        wanted: the labels asked for.
        found: the GPUs of the machine that the runner is for.
        without_gpu: take the label `gpu` also where none was found.

    Raises:
        UsageError: a label holds something else than letters, digits and `._:/+-`; or `gpu` is
            wanted and there is none, so that jobs would fail here which other runners could do.
    """
    for label in wanted:
        if not _LABEL.fullmatch(label):
            raise UsageError(
                f"{label!r} is no label of a runner",
                hint="Use letters, digits and ._:/+-, up to 100 of them; a comma parts two labels.",
            )
    if GPU in (label.lower() for label in wanted) and not found and not without_gpu:
        raise UsageError(
            "the label gpu is asked for, and no NVIDIA GPU was found",
            hint="`cml-run doctor --gpu` says what is missing.",
        )
    return tuple(dict.fromkeys((*wanted, *_described(found))))


def _described(found: Sequence[Gpu]) -> Iterator[str]:
    if not found:
        return
    yield from (_model(gpu.name) for gpu in found)
    yield f"gpu-count-{len(found)}"
    yield f"gpu-memory-{round(min(gpu.memory for gpu in found) / _GIB)}gb"


def _model(name: str) -> str:
    """Turn `NVIDIA A100-SXM4-40GB` into `a100-sxm4-40gb`."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower().removeprefix("nvidia ")).strip("-")
    return plain[:100] or "unknown-gpu"
