"""`cml-run runner launch`: one machine, one job, no token there, nothing left behind on failure.

SkyPilot itself cannot start a machine here: a `sky` of our own writes down what it is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import forge_faults as faults
import pytest
from mirror_kit import Mirror, mirror
from ruamel.yaml import YAML
from told_kit import Told, on_github, on_gitlab, told

from cml.commands import runner_scripts

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["mirror", "on_github", "on_gitlab", "told"]

SKY = """#!{python}
import json, os, pathlib, shutil, sys
folder = pathlib.Path(__file__).parent
command = sys.argv[1]
said = {{"argv": sys.argv[1:], "env": dict(os.environ)}}
(folder / f"{{command}}.json").write_text(json.dumps(said))
if command == "launch":
    shutil.copy(sys.argv[-1], folder / "task.yaml")
    print("words of SkyPilot")
sys.exit(int((folder / "status").read_text()))
"""
SHA256 = hashlib.sha256(b"the program").hexdigest()
SECRET = "CML_RUNNER_JIT"


class Cloud:
    """A laptop with SkyPilot, and the forge whose runner is launched from it."""

    def __init__(self, told: Told, folder: Path, mirror: Mirror) -> None:
        self.told = told
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.folder = folder
        (self.bin / "sky").write_text(SKY.format(python=sys.executable))
        (self.bin / "sky").chmod(0o755)
        self.fails(with_status=0)
        told.fake.private = True
        self.environ = {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "repo_token": told.owner,
            "GITHUB_API_URL": told.fake.api,
            "GITHUB_SERVER_URL": told.fake.server,
            "GITHUB_REPOSITORY": told.fake.repository,
            "CI_API_V4_URL": told.fake.api,
            "CI_PROJECT_PATH": told.fake.repository,
            "CML_RUNNER_DOWNLOADS": f"{mirror.address}/v18.6.0",
            "AWS_ACCESS_KEY_ID": "of-the-cloud",
        }
        mirror.files["/v18.6.0/release.sha256"] = (
            f"{SHA256}\tbinaries/gitlab-runner-linux-amd64".encode()
        )

    def fails(self, *, with_status: int) -> None:
        (self.bin / "status").write_text(str(with_status))

    def comes(self, **state: bool) -> None:
        """Let the runner be there when the forge is asked for the first time."""

        def connect() -> None:
            for one in self.told.fake.runners:
                name = one["name" if self.told.vendor == "github" else "description"]
                self.told.fake.set_runner(name, **state)

        self.told.fake.before("GET", r"/runners/\d+$", connect)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "cml", "runner", "launch", "--forge", self.told.vendor),
                *(args or ("--cloud", "aws")),
            ],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def given(self, command: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.bin / f"{command}.json").read_text())
        return found

    def was_asked(self, command: str) -> bool:
        return (self.bin / f"{command}.json").exists()

    @property
    def task(self) -> Any:
        return YAML(typ="safe").load((self.bin / "task.yaml").read_text())


@pytest.fixture
def make(tmp_path: Path, mirror: Mirror) -> Callable[[Told], Cloud]:
    return lambda told: Cloud(told, tmp_path, mirror)


@pytest.fixture
def cloud(told: Told, make: Callable[[Told], Cloud]) -> Cloud:
    return make(told)


def test_the_machine_gets_the_secret_of_one_runner_and_no_token_of_the_forge(cloud: Cloud) -> None:
    cloud.comes()
    done = cloud.run("--cloud", "aws", "--region", "us-east-1", "--gpu", "T4:2", "--spot")

    assert done.returncode == 0, done.stderr
    (secret,) = cloud.told.fake.runner_secrets
    name = done.stdout.strip()
    given = cloud.given("launch")
    start = ["launch", "--yes", "--detach-run", "--cluster", name, "--secret", SECRET]
    assert given["argv"][:-1] == start
    assert given["env"][SECRET] == secret
    assert given["env"]["AWS_ACCESS_KEY_ID"] == "of-the-cloud"
    assert given["env"]["SKYPILOT_DISABLE_USAGE_COLLECTION"] == "1"
    assert cloud.told.owner not in json.dumps(given)
    shown = (cloud.bin / "task.yaml").read_text() + json.dumps(given["argv"]) + done.stderr
    assert secret not in shown + done.stdout
    assert not Path(given["argv"][-1]).exists()
    assert "words of SkyPilot" in done.stderr
    assert not cloud.was_asked("down")


def test_the_task_names_the_machine_and_goes_when_idle(cloud: Cloud) -> None:
    cloud.comes()
    options = ("--gpu", "L4:2", "--spot", "--disk-size", "200", "--idle-minutes", "7")
    cloud.run("--cloud", "gcp", "--region", "us-central1", *options)

    assert cloud.task["resources"] == {
        "infra": "gcp/us-central1",
        "accelerators": "L4:2",
        "disk_size": 200,
        "use_spot": True,
        "autostop": {"idle_minutes": 7, "down": True},
    }
    assert cloud.task["secrets"] == {SECRET: None}
    sent = cloud.task["envs"]["CML_RUNNER_PROGRAM_SHA256"]
    assert sent == (SHA256 if cloud.told.vendor == "gitlab" else "5b" * 32)
    for part in ("setup", "run"):
        checked = subprocess.run(["bash", "-n"], input=cloud.task[part], text=True, check=False)
        assert checked.returncode == 0


def test_the_supervisor_runs_one_job_there(cloud: Cloud) -> None:
    cloud.comes()
    done = cloud.run("--cloud", "aws", "--package", "cml-run @ https://x.example/$(id).whl")

    assert "pip install --quiet 'cml-run @ https://x.example/$(id).whl'" in cloud.task["setup"]
    named = f"--forge {cloud.told.vendor} --single --name {done.stdout.strip()}"
    expected = f"cml-run runner start {named}"
    assert expected in cloud.task["run"]
    assert "--idle-timeout 10" in cloud.task["run"]
    if cloud.told.vendor == "gitlab":
        assert cloud.task["envs"]["CI_SERVER_URL"] == cloud.told.fake.server
    else:
        assert cloud.task["envs"]["RUNNER_ALLOW_RUNASROOT"] == "1"


def test_the_labels_say_what_the_gpu_is(cloud: Cloud) -> None:
    cloud.comes()
    cloud.run("--cloud", "aws", "--gpu", "A100-80GB:4", "--labels", "cml,gpu")

    (runner,) = cloud.told.fake.runners
    if cloud.told.vendor == "gitlab":
        assert runner["tag_list"] == ["cml", "gpu", "a100-80gb", "gpu-count-4"]
    else:
        names = [label["name"] for label in runner["labels"]]
        assert names == ["self-hosted", "cml", "gpu", "a100-80gb", "gpu-count-4"]


def test_a_dry_run_shows_the_task_and_does_nothing(cloud: Cloud) -> None:
    done = cloud.run("--cloud", "azure", "--gpu", "T4", "--dry-run")

    assert done.returncode == 0, done.stderr
    shown = YAML(typ="safe").load(done.stdout)
    assert shown["resources"]["infra"] == "azure"
    assert shown["secrets"] == {SECRET: None}
    assert cloud.told.fake.runners == []
    assert not cloud.was_asked("launch")


def test_whose_jobs_to_take_can_be_said(cloud: Cloud) -> None:
    named = cloud.told.fake.repository
    del cloud.environ["GITHUB_REPOSITORY"], cloud.environ["CI_PROJECT_PATH"]
    assert "is not known" in cloud.run().stderr

    for owner in (("--repository", named), ("--organisation", named.rpartition("/")[0])):
        cloud.comes()
        options = ("--cloud", "aws", "--repository", named, "--allow-forks", *owner)
        assert cloud.run(*options).returncode == 0
    first, second = cloud.told.fake.runners
    assert first != second
    if cloud.told.vendor == "gitlab":
        assert [first["runner_type"], second["runner_type"]] == ["project_type", "group_type"]
    else:
        assert cloud.told.fake.count("POST", r"^/orgs/o/actions/runners/generate-jitconfig$") == 1


def test_a_cloud_that_fails_leaves_no_runner_and_no_machine(cloud: Cloud) -> None:
    cloud.fails(with_status=1)
    done = cloud.run()

    assert done.returncode == 2
    assert "SkyPilot could not start a machine" in done.stderr
    assert cloud.told.fake.runners == []
    name = cloud.given("launch")["argv"][4]
    assert cloud.given("down")["argv"] == ["down", "--yes", name]
    assert SECRET not in cloud.given("down")["env"]
    assert "look at `sky status`" in done.stderr


def test_a_runner_that_does_not_come_in_time_is_removed_with_its_machine(cloud: Cloud) -> None:
    done = cloud.run("--cloud", "aws", "--wait", "0.001")

    assert done.returncode == 2
    assert "did not come within" in done.stderr
    assert cloud.told.fake.runners == []
    assert cloud.was_asked("down")


def test_a_machine_on_which_a_job_runs_is_never_removed(cloud: Cloud) -> None:
    cloud.fails(with_status=1)
    cloud.comes(busy=True)
    done = cloud.run()

    assert done.returncode == 2
    assert "runs a job" in done.stderr
    assert len(cloud.told.fake.runners) == 1
    assert not cloud.was_asked("down")


def test_a_machine_to_which_a_job_comes_at_the_last_moment_is_never_removed(
    on_github: Told, make: Callable[[Told], Cloud]
) -> None:
    cloud = make(on_github)
    cloud.fails(with_status=1)

    def job_comes() -> None:
        (runner,) = on_github.fake.runners
        on_github.fake.set_runner(runner["name"], busy=True)

    on_github.fake.before("DELETE", "/runners/", job_comes)
    done = cloud.run()

    assert done.returncode == 2
    assert "currently running a job" in done.stderr
    assert len(on_github.fake.runners) == 1
    assert not cloud.was_asked("down")


def test_a_machine_of_which_the_forge_does_not_tell_is_not_removed(cloud: Cloud) -> None:
    cloud.fails(with_status=1)
    cloud.told.fake.fail("GET", r"/runners/\d+$", faults.status(403), times=None)
    done = cloud.run()

    assert done.returncode == 2
    assert "may run a job" in done.stderr
    assert not cloud.was_asked("down")


def test_a_runner_that_has_done_its_job_already_is_a_success(cloud: Cloud) -> None:
    cloud.told.fake.before("GET", r"/runners/\d+$", cloud.told.fake.runners.clear)

    assert cloud.run().returncode == 0


def test_without_skypilot_the_line_that_installs_it_is_told_before_anything_is_done(
    cloud: Cloud,
) -> None:
    (cloud.bin / "sky").unlink()
    cloud.environ["PATH"] = str(cloud.bin)
    done = cloud.run("--cloud", "gcp")

    assert done.returncode == 2
    assert "pipx install 'skypilot[gcp]'" in done.stderr
    assert cloud.told.fake.runners == []


def test_on_github_a_public_repository_is_refused_unless_told(
    on_github: Told, make: Callable[[Told], Cloud]
) -> None:
    cloud = make(on_github)
    on_github.fake.private = False
    done = cloud.run()
    assert done.returncode == 2
    assert "anybody could run code" in done.stderr
    assert on_github.fake.runners == []

    cloud.comes()
    assert cloud.run("--cloud", "aws", "--allow-forks").returncode == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--cloud", "../aws"), "no name of a cloud"),
        (("--cloud", "aws", "--region", "us east"), "no name of a cloud or a region"),
        (("--cloud", "aws", "--gpu", "T4; id"), "is no"),
        (("--cloud", "aws", "--name", "A b"), "no name of a machine"),
        (("--cloud", "aws", "--labels", "cml,gpu"), "and no GPU"),
        ((), "Missing option '--cloud'"),
    ],
)
def test_what_makes_no_sense_is_refused(cloud: Cloud, args: tuple[str, ...], says: str) -> None:
    done = cloud.run(*(args or ("--spot",)))

    assert done.returncode == 2
    assert says in done.stderr
    assert cloud.told.fake.log == []


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@needs_curl
def test_on_gitlabs_machine_the_supervisor_runs_one_job_and_the_runner_is_off_the_list_then(
    tmp_path: Path, mirror: Mirror
) -> None:
    program = tmp_path / "cml-run" / "bin" / "cml-run"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/argv; env > {tmp_path}/env; exit 3\n')
    program.chmod(0o755)
    mirror.files["/api/v4/runners"] = b""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CI_SERVER_URL": mirror.address,
        SECRET: "glrt-secret",
    }
    script = runner_scripts.run("authentication", "cml-1", idle_minutes=5)
    done = subprocess.run(["bash", "-c", script], env=environ, check=False)

    assert done.returncode == 3
    assert (tmp_path / "argv").read_text().split() == [
        *("runner", "start", "--forge", "gitlab", "--single"),
        *("--name", "cml-1", "--idle-timeout", "5"),
    ]
    assert f"{SECRET}=glrt-secret" in (tmp_path / "env").read_text()
    (asked,) = mirror.seen
    assert asked.startswith("DELETE /api/v4/runners ")
    assert "glrt-secret" in asked
