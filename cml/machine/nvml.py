"""Asks NVIDIA's management library, which comes with the driver, what there is; changes nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU: the name that its driver gives it, and its whole memory in bytes."""

    name: str
    memory: int


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A driver and its GPUs; `cuda` is the newest CUDA that it supports, as (12, 4)."""

    version: str
    cuda: tuple[int, int]
    gpus: tuple[Gpu, ...]


def gpus() -> tuple[Gpu, ...]:
    """Return the GPUs of this machine; none where there is no driver.

    Raises:
        UsageError: there is a driver, and it fails.
    """
    found = driver()
    return found.gpus if found else ()


def driver() -> Driver | None:
    """Ask the driver; None where there is none, or it is not loaded.

    Raises:
        UsageError: it fails, with its own words.
    """
    import pynvml

    absent = {pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED}
    try:
        with _opened():
            return Driver(
                version=pynvml.nvmlSystemGetDriverVersion(),
                cuda=_version(pynvml.nvmlSystemGetCudaDriverVersion()),
                gpus=tuple(_gpu(at) for at in range(pynvml.nvmlDeviceGetCount())),
            )
    except pynvml.NVMLError as error:
        if error.value in absent:
            return None
        raise UsageError(
            f"the NVIDIA driver fails: {error}",
            hint="Restart the machine, or the container; after an update of the driver its parts "
            "differ until then.",
        ) from error


@contextmanager
def _opened() -> Iterator[None]:
    import pynvml

    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _gpu(at: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(at)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
    return Gpu(name=pynvml.nvmlDeviceGetName(handle), memory=int(memory))


def _version(number: int) -> tuple[int, int]:
    """Read 12040 as 12.4: https://docs.nvidia.com/deploy/nvml-api/ ."""
    return number // 1000, number % 1000 // 10
