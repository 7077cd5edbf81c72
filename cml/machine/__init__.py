"""The machine and its NVIDIA GPUs, as its driver tells of them; knows no forge."""

from cml.machine.labels import labels
from cml.machine.nvml import Driver, Gpu, driver, gpus

__all__ = ["Driver", "Gpu", "driver", "gpus", "labels"]
