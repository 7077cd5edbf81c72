"""The GPUs of a machine are told as its driver tells them, and become labels that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gpu_kit
import pytest

from cml import machine
from cml.errors import UsageError
from cml.machine import Gpu

if TYPE_CHECKING:
    from pathlib import Path

A100 = Gpu(name=gpu_kit.A100[0], memory=gpu_kit.A100[1])
T4 = Gpu(name=gpu_kit.T4[0], memory=gpu_kit.T4[1])
ASK = "from cml import machine; print(machine.driver(), machine.gpus())"


@gpu_kit.needs_compiler
def test_all_gpus_are_told_with_their_driver(tmp_path: Path) -> None:
    place = gpu_kit.driver(tmp_path, gpus=[gpu_kit.A100, gpu_kit.T4])
    told = gpu_kit.run(
        "from cml import machine; found = machine.driver(); print(found.version, found.cuda);"
        "print([(gpu.name, gpu.memory) for gpu in machine.gpus()])",
        place,
    )

    assert told.splitlines() == ["550.54.15 (12, 4)", str([gpu_kit.A100, gpu_kit.T4])]


@gpu_kit.needs_compiler
def test_a_driver_that_is_not_loaded_is_no_driver(tmp_path: Path) -> None:
    place = gpu_kit.driver(tmp_path, gpus=[], init=gpu_kit.NOT_LOADED)

    assert gpu_kit.run(ASK, place) == "None ()\n"


@gpu_kit.needs_compiler
def test_a_driver_that_fails_is_not_taken_for_none(tmp_path: Path) -> None:
    place = gpu_kit.driver(tmp_path, gpus=[], init=gpu_kit.MISMATCH)

    assert "the NVIDIA driver fails: RM has detected an NVML/RM version mismatch" in gpu_kit.run(
        ASK, place
    )


def test_a_machine_without_a_driver_has_no_gpu() -> None:
    if "Driver(" in (told := gpu_kit.run(ASK)):
        pytest.skip("this machine has a driver")

    assert told == "None ()\n"


@pytest.mark.parametrize(
    ("found", "added"),
    [
        ([], ()),
        ([A100, A100], ("a100-sxm4-40gb", "gpu-count-2", "gpu-memory-40gb")),
        ([A100, T4], ("a100-sxm4-40gb", "tesla-t4", "gpu-count-2", "gpu-memory-15gb")),
        (
            [Gpu(name="NVIDIA GeForce RTX 3090 (Ti), rev. 2", memory=24 * 2**30)],
            ("geforce-rtx-3090-ti-rev-2", "gpu-count-1", "gpu-memory-24gb"),
        ),
        (
            [Gpu(name="显卡", memory=2**30)],
            ("unknown-gpu", "gpu-count-1", "gpu-memory-1gb"),
        ),
    ],
)
def test_labels_say_which_gpus_there_are(found: list[Gpu], added: tuple[str, ...]) -> None:
    assert machine.labels(["cml", "x"], found) == ("cml", "x", *added)


def test_a_label_that_is_asked_for_twice_is_there_once() -> None:
    assert machine.labels(["gpu", "tesla-t4", "gpu"], [T4])[:3] == (
        "gpu",
        "tesla-t4",
        "gpu-count-1",
    )


def test_the_label_gpu_is_refused_where_there_is_none_unless_told() -> None:
    for label in ("gpu", "GPU"):
        with pytest.raises(UsageError, match="no NVIDIA GPU was found") as caught:
            machine.labels(["cml", label], [])
        assert "doctor --gpu" in str(caught.value.hint)
        assert machine.labels([label], [], without_gpu=True) == (label,)
    assert machine.labels(["gpu"], [T4])[0] == "gpu"


@pytest.mark.parametrize("label", ["", " ", "a b", "a,b", "-x", "a\nb", "$(id)", "ü", "x" * 101])
def test_what_no_forge_takes_as_a_label_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="is no label"):
        machine.labels([label], [])
