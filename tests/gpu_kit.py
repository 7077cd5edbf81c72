"""An NVIDIA driver's library of our own, compiled from C: to be found in place of the real one.

    folder = driver(tmp_path, gpus=[("NVIDIA A100-SXM4-40GB", 42_505_273_344)])
    environ = {"LD_LIBRARY_PATH": str(folder)}     # of a process that is started then

The real nvidia-ml-py loads it and calls it as it would call NVIDIA's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
A100 = ("NVIDIA A100-SXM4-40GB", 42_505_273_344)
T4 = ("Tesla T4", 15_835_660_288)
SUCCESS, NO_PERMISSION, NOT_LOADED, MISMATCH = 0, 4, 9, 18

_SOURCE = """
int snprintf(char *, unsigned long, const char *, ...);
typedef struct { unsigned long long total, free, used; } memory_t;
static const char *names[] = { %(names)s 0 };
static const unsigned long long sizes[] = { %(sizes)s 0 };
int nvmlInitWithFlags(unsigned flags) { return %(init)d; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    snprintf(text, size, "%(version)s"); return 0;
}
int nvmlSystemGetCudaDriverVersion(int *number) { *number = %(cuda)d; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = %(count)d; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned at, void **device) {
    *device = (void *)(unsigned long)(at + 1); return 0;
}
int nvmlDeviceGetName(void *device, char *text, unsigned size) {
    snprintf(text, size, "%%s", names[(unsigned long)device - 1]); return 0;
}
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->free = memory->used = 0;
    memory->total = sizes[(unsigned long)device - 1]; return 0;
}
"""


def driver(
    folder: Path,
    *,
    gpus: list[tuple[str, int]],
    cuda: int = 12040,
    init: int = SUCCESS,
) -> Path:
    """Compile a driver's library with these GPUs; return the folder that it is in.

    Args:
        folder: where to put it.
        gpus: name and bytes of memory of each.
        cuda: the newest CUDA that it supports, as NVML numbers it.
        init: what it answers when it is opened.
    """
    assert COMPILER
    place = folder / "driver"
    place.mkdir(exist_ok=True)
    source = place / "nvml.c"
    source.write_text(
        _SOURCE
        % {
            "names": "".join(f'"{name}",' for name, _ in gpus),
            "sizes": "".join(f"{size}ULL," for _, size in gpus),
            "count": len(gpus),
            "version": "550.54.15",
            "cuda": cuda,
            "init": init,
        },
        encoding="utf-8",
    )
    # Without the C library's headers: they are a package of their own.
    flags = ["-shared", "-fPIC", "-nostdlib", "-fno-stack-protector", "-fno-builtin"]
    library = place / "libnvidia-ml.so.1"
    subprocess.run([COMPILER, *flags, "-o", library, source], check=True)
    return place


def program(folder: Path, name: str, script: str) -> None:
    """Put a program of that name into a folder, to be found on the PATH: a script of the shell."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def run(code: str, place: Path | None = None) -> str:
    """Run Python on a machine with that driver, or with none; return what it printed."""
    environ = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    if place:
        environ["LD_LIBRARY_PATH"] = str(place)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr
