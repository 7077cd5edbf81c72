"""Run programs and measure them; knows nothing of what they do."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Wall-clock seconds; the peak of resident bytes of the largest process; bytes pulled."""

    seconds: float
    memory: int
    pulled: int = 0


def run(args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Sample:
    """Run a program to its end, and raise RuntimeError with its output where it fails."""
    log = cwd.with_name(f"{cwd.name}.log")
    with log.open("w+b") as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    log.unlink()
    if child.returncode:
        raise RuntimeError(f"{args} ended with {child.returncode}:\n{text}")
    return Sample(seconds=seconds, memory=usage.ru_maxrss * 1024)


def interleaved(programs: Sequence[Callable[[], Sample]], repetitions: int) -> list[Sample]:
    """Measure programs in turn, again and again; return the least of each.

    The least, since whatever else the machine does can only add to it. The first round is not
    counted: it fills the caches of the disk and compiles modules.
    """
    rounds = [[program() for program in programs] for _ in range(repetitions + 1)][1:]
    return [_least(samples) for samples in zip(*rounds, strict=True)]


def _least(samples: Sequence[Sample]) -> Sample:
    return Sample(
        seconds=min(sample.seconds for sample in samples),
        memory=min(sample.memory for sample in samples),
        pulled=min(sample.pulled for sample in samples),
    )
