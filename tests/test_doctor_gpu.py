"""`cml-run doctor --gpu` finds what keeps a job from the GPUs, and says what to do about it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import gpu_kit
import pytest

from cml.cli import runner_launch
from cml.commands import doctor_gpu
from cml.commands.doctor_gpu import Machine
from cml.machine import cuda, leftovers

if TYPE_CHECKING:
    from cml.commands.doctor import Finding

IMAGES = "nvidia/cuda:12.4.1-base-ubuntu22.04"
DENIED = "permission denied while trying to connect to the Docker daemon socket"


class Place:
    """A machine of our own: programs, device files, and what Docker says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        self.environ = {"PATH": f"{self.bin}{os.pathsep}/usr/bin{os.pathsep}/bin"}
        (root / "work").mkdir()
        self.devices("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1")
        self.program("nvidia-smi", "echo GPU 0: Tesla T4; echo GPU 1: Tesla T4")
        self.docker()

    def devices(self, *names: str) -> None:
        folder = self.root / "dev"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for name in names:
            (folder / name).touch()

    def program(self, name: str, script: str) -> None:
        gpu_kit.program(self.bin, name, script)

    def docker(
        self,
        *,
        runtimes: tuple[str, ...] = ("runc", "nvidia"),
        devices: tuple[str, ...] = (),
        images: str = IMAGES,
        run: str = "echo GPU 0: Tesla T4",
    ) -> None:
        said = json.dumps(
            {
                "ServerVersion": "28.2.2",
                "Runtimes": {key: {} for key in runtimes},
                "DiscoveredDevices": [{"Source": "cdi", "ID": name} for name in devices],
            }
        )
        self.program(
            "docker",
            f'echo "$@" >> {self.root}/asked\n'
            f"case $1 in info) echo '{said}';; images) echo '{images}';; run) {run};; esac",
        )

    def findings(self, **facts: object) -> dict[str, Finding]:
        here = Machine(environ=self.environ, root=self.root, folder=self.root / "work", **facts)  # type: ignore[arg-type]
        return {one.name: one for one in doctor_gpu.examine(here)}

    def wrong(self, name: str) -> str:
        finding = self.findings()[name]
        assert not finding.healthy
        assert finding.hint
        return f"{finding.seen} | {finding.hint}"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def whole(place: Place, driver: Path | None, **environ: str) -> tuple[int, str]:
    """Run the command itself, in a folder that is no repository; return exit code and output."""
    env = {**place.environ, **environ, "HOME": str(place.root)}
    if driver:
        env["LD_LIBRARY_PATH"] = str(driver)
    done = subprocess.run(
        [sys.executable, "-m", "cml", "doctor", "--gpu"],
        cwd=place.root / "work",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@gpu_kit.needs_compiler
def test_the_command_tells_the_driver_and_what_it_is_for_outside_any_repository(
    place: Place,
) -> None:
    driver = gpu_kit.driver(place.root, gpus=[gpu_kit.A100, gpu_kit.T4])
    code, said = whole(place, driver, CUDA_VERSION="12.4.1")

    expected = "550.54.15, for CUDA up to 12.4: NVIDIA A100-SXM4-40GB (40 GiB), Tesla T4 (15 GiB)"
    assert f"ok   NVIDIA driver: {expected}" in said
    assert "ok   CUDA: 12.4 of the image (CUDA_VERSION), driver for 12.4" in said
    assert code == ("FAIL" in said)  # of the real /dev here, which this command looks into


@gpu_kit.needs_compiler
@pytest.mark.parametrize(
    ("cuda_version", "says"),
    [
        ("13.0.0", "FAIL CUDA: CUDA 13.0 of the image (CUDA_VERSION) needs a newer driver"),
        ("12.8.1", "ok   CUDA: 12.8 of the image (CUDA_VERSION) is newer than the driver's 12.4"),
        ("11.8.0", "ok   CUDA: 11.8 of the image (CUDA_VERSION), driver for 12.4"),
    ],
)
def test_the_cuda_of_an_image_is_compared_with_the_drivers(
    place: Place, cuda_version: str, says: str
) -> None:
    driver = gpu_kit.driver(place.root, gpus=[gpu_kit.T4])
    code, said = whole(place, driver, CUDA_VERSION=cuda_version)

    assert says in said
    assert code == 1 or "FAIL" not in says


def test_without_a_driver_the_command_ends_with_1_and_says_where_to_get_one(place: Place) -> None:
    if "Driver(" in gpu_kit.run("from cml import machine; print(machine.driver())"):
        pytest.skip("this machine has a driver")
    code, said = whole(place, None)

    assert code == 1
    assert "FAIL NVIDIA driver: no NVIDIA driver was found" in said
    assert "--gpus all" in said


@gpu_kit.needs_compiler
def test_a_driver_without_gpus_and_one_that_fails_are_told(place: Place) -> None:
    none = gpu_kit.driver(place.root, gpus=[])
    assert "FAIL NVIDIA driver: driver 550.54.15 sees no GPU" in whole(place, none)[1]
    broken = gpu_kit.driver(place.root, gpus=[], init=gpu_kit.MISMATCH)
    assert "FAIL NVIDIA driver: the NVIDIA driver fails" in whole(place, broken)[1]


def test_a_machine_as_it_should_be_has_nothing_to_complain_of_but_its_driver(
    place: Place,
) -> None:
    found = place.findings()

    assert [name for name, one in found.items() if not one.healthy] in ([], ["NVIDIA driver"])
    assert found["device files"].seen == "2, open to this user"
    assert found["GPUs in a container"].seen == f"1 in {IMAGES}"
    assert found["nvidia-smi"].seen == "lists 2"


def test_the_container_that_is_tried_is_not_pulled_and_has_no_network(place: Place) -> None:
    place.findings()

    asked = (place.root / "asked").read_text().splitlines()
    assert [line for line in asked if line.startswith("run")] == [
        f"run --rm --pull never --network none --gpus all --entrypoint nvidia-smi {IMAGES} -L"
    ]


def test_without_an_image_of_cuda_no_container_is_started(place: Place) -> None:
    place.docker(images="debian:12\n<none>:<none>")

    assert place.findings()["GPUs in a container"].seen.startswith("not tried")
    assert "run" not in (place.root / "asked").read_text()


@pytest.mark.parametrize(
    ("run", "hint"),
    [
        (
            "echo could not select device driver with capabilities: [[gpu]] >&2; exit 125",
            "nvidia-ctk runtime configure",
        ),
        (
            "echo exec: nvidia-smi: executable file not found in PATH >&2; exit 127",
            "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        ),
        (
            "echo 'requirement error: unsatisfied condition: cuda>=13.0' >&2; exit 125",
            "newer CUDA than the driver",
        ),
        ("true", "nvidia-ctk runtime configure"),
    ],
)
def test_a_container_without_gpus_is_told_with_the_reason(
    place: Place, run: str, hint: str
) -> None:
    place.docker(run=run)

    assert hint in place.wrong("GPUs in a container")


def test_a_docker_without_the_toolkit_is_told_which_package_is_missing(place: Place) -> None:
    place.docker(runtimes=("runc",))
    assert "Install nvidia-container-toolkit" in place.wrong("container toolkit")
    place.docker(runtimes=("runc",), devices=("nvidia.com/gpu=all",))
    assert place.findings()["container toolkit"].seen == "the GPUs are known to Docker by CDI"
    place.docker(runtimes=("runc",))
    place.program("nvidia-ctk", "true")
    assert place.findings()["container toolkit"].seen == "nvidia-ctk is installed"


@pytest.mark.parametrize(
    ("why", "hint"),
    [(DENIED, "usermod -aG docker"), ("Is the docker daemon running?", "systemctl start docker")],
)
def test_a_docker_that_does_not_answer_is_told_once(place: Place, why: str, hint: str) -> None:
    place.program("docker", f"echo '{why}' >&2; exit 1")

    assert hint in place.wrong("docker")
    assert "container toolkit" not in place.findings()


def test_without_docker_nothing_is_wrong(place: Place) -> None:
    (place.bin / "docker").unlink()
    place.environ["PATH"] = str(place.bin)
    assert place.findings()["docker"].seen == "not installed: jobs run without containers"
    (place.root / ".dockerenv").touch()
    assert place.findings()["docker"].seen == "not installed: this is a container"


def test_an_nvidia_smi_that_is_missing_or_fails_is_told(place: Place) -> None:
    place.program("nvidia-smi", "echo Failed to initialize NVML: Unknown Error; exit 255")
    assert "Unknown Error | A container loses its GPUs when systemd" in place.wrong("nvidia-smi")
    (place.bin / "nvidia-smi").unlink()
    place.environ["PATH"] = str(place.bin)
    assert "NVIDIA_DRIVER_CAPABILITIES" in place.wrong("nvidia-smi")


def test_device_files_that_are_missing_are_named(place: Place) -> None:
    place.devices("nvidiactl", "nvidia0")
    assert "there is no /dev/nvidia-uvm" in place.wrong("device files")
    place.devices()
    assert "there is no /dev/nvidia0" in place.wrong("device files")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open all")
def test_device_files_that_are_closed_to_the_user_are_named(place: Place) -> None:
    (place.root / "dev" / "nvidia1").chmod(0o000)

    assert "may not open /dev/nvidia1" in place.wrong("device files")


def test_files_that_another_user_left_in_the_work_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "model.pkl").touch()
    (tmp_path / "loss.csv").symlink_to("nowhere")
    me = os.geteuid()

    assert leftovers.of_others(tmp_path, me) == []
    found = {path.relative_to(tmp_path) for path in leftovers.of_others(tmp_path, me + 1)}
    assert found == {Path("a"), Path("loss.csv")}


@pytest.mark.parametrize(
    ("environ", "version"),
    [
        ({"CUDA_VERSION": "12.4.1"}, (12, 4)),
        ({"NVIDIA_REQUIRE_CUDA": "cuda>=12.6 brand=tesla,driver>=470,driver<471"}, (12, 6)),
        ({"CUDA_VERSION": "no number"}, None),
        ({}, None),
    ],
)
def test_the_cuda_of_an_image_is_read_from_its_variables(
    tmp_path: Path, environ: dict[str, str], version: tuple[int, int] | None
) -> None:
    found = [one.version for one in cuda.installed(environ, tmp_path) if "image" in one.name]

    assert found == ([version] if version else [])


def test_the_cuda_of_a_toolkit_and_of_pytorch_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "usr/local/cuda"
    place.mkdir(parents=True)
    (place / "version.json").write_text('{"cuda": {"name": "CUDA SDK", "version": "12.5.0"}}')
    for name, version in (("torch", "2.5.1+cu121"), ("nvidia_cuda_runtime_cu12", "12.3.101")):
        folder = tmp_path / "site" / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        dashed = name.replace("_", "-")
        said = f"Metadata-Version: 2.1\nName: {dashed}\nVersion: {version}\n"
        (folder / "METADATA").write_text(said)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    found = {one.name: one.version for one in cuda.installed({}, tmp_path)}
    assert found["the toolkit in /usr/local/cuda"] == (12, 5)
    assert found["the Python package torch"] == (12, 1)
    assert found["the Python package nvidia-cuda-runtime-cu12"] == (12, 3)


def test_the_manual_tells_of_every_check_and_of_options_that_exist(place: Place) -> None:
    manual = (Path(__file__).parent.parent / "docs" / "gpu.md").read_text(encoding="utf-8")
    checks = re.findall(
        r"^\| `([^`]+)` \|", manual.partition("## A machine, step")[0], re.MULTILINE
    )
    own = re.findall(r"^\| `(--[^|]*)\|", manual, re.MULTILINE)
    told = {flag for row in own for flag in re.findall(r"--[a-z-]+", row)}
    known = {flag for param in runner_launch.command.params for flag in param.opts}

    assert checks == list(place.findings())
    assert {"--cloud", "--gpu", "--spot", "--idle-minutes"} <= told <= known
