"""Which CUDA is installed here, in the image, the toolkit and PyTorch; loads none of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from cml.ci.values import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Version = tuple[int, int]
_DOTTED = re.compile(r"(\d+)\.(\d+)")
_REQUIRED = re.compile(r"cuda>=(\d+)\.(\d+)")
_LOCAL = re.compile(r"\+cu(\d+)(\d)$")
_RUNTIMES = ("nvidia-cuda-runtime-cu11", "nvidia-cuda-runtime-cu12", "nvidia-cuda-runtime")


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A CUDA that is installed, and by whom."""

    name: str
    version: Version


def installed(environ: Mapping[str, str], root: Path) -> list[Installed]:
    """Return each CUDA that is found below `root` and in this environment."""
    return [
        Installed(name=name, version=version)
        for name, version in (*_of_image(environ), *_of_toolkit(root), *_of_python())
    ]


def _of_image(environ: Mapping[str, str]) -> Iterator[tuple[str, Version]]:
    """Read the variables of NVIDIA's images: https://hub.docker.com/r/nvidia/cuda."""
    for name, pattern in (("CUDA_VERSION", _DOTTED), ("NVIDIA_REQUIRE_CUDA", _REQUIRED)):
        if found := pattern.search(environ.get(name, "")):
            yield f"the image ({name})", (int(found[1]), int(found[2]))


def _of_toolkit(root: Path) -> Iterator[tuple[str, Version]]:
    try:
        content = json.loads((root / "usr/local/cuda/version.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if found := _DOTTED.match(text(content, "cuda.version") or ""):
        yield "the toolkit in /usr/local/cuda", (int(found[1]), int(found[2]))


def _of_python() -> Iterator[tuple[str, Version]]:
    """Read what PyTorch was built for: its own version tells, or the packages beside it."""
    patterns = {"torch": _LOCAL, **dict.fromkeys(_RUNTIMES, _DOTTED)}
    for name, pattern in patterns.items():
        try:
            found = pattern.search(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
        if found:
            yield f"the Python package {name}", (int(found[1]), int(found[2]))
