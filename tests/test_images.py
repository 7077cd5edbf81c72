"""The images, built by a real Docker on bases that stand in for those of registries."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import docker_kit
import pytest
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

    from docker_kit import Images
    from lab import Lab

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

MOST = {"cpu": 350, "slim": 200}
"""Megabytes, uncompressed, on top of the Python base."""
NOBODY = "4321:4321"
"""A user that no image knows."""
USERS = ["1001:1001", "0:0", NOBODY]
OURS = "/opt/cml-run/bin/python"
REMOTES = {
    "azure": "adlfs",
    "gdrive": "pydrive2.fs",
    "gs": "gcsfs",
    "http": "aiohttp",
    "oss": "ossfs",
    "s3": "s3fs",
    "ssh": "sshfs",
    "webdav": "webdav4.fsspec",
}
"""The library behind each remote."""


def run(images: Images, variant: str, script: str, *options: str) -> CompletedProcess[str]:
    """Run a shell script in an image."""
    return images.engine.run(images[variant], "bash", "-c", script, options=options)


def work(images: Images, lab: Lab, user: str, script: str, *options: str) -> CompletedProcess[str]:
    """Run a script in a laboratory that is mounted from outside and belongs to user 4321."""
    subprocess.run(["chown", "-R", NOBODY, str(lab.root)], check=True)
    lab.root.chmod(0o777)
    if user != NOBODY:
        subprocess.run(["chmod", "-R", "a+rwX", str(lab.root)], check=True)
    mounted = (f"--volume={lab.root}:{lab.root}", f"--workdir={lab.work}", f"--user={user}")
    return run(images, "cpu", script, *mounted, *options)


@pytest.mark.parametrize("variant", ["cpu", "slim", "cuda"])
def test_an_image_is_no_larger_than_promised(
    images: Images, variant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    base = docker_kit.CUDA_BASE if variant == "cuda" else docker_kit.PYTHON_BASE
    total, below = (images.engine.size(name) / 1e6 for name in (images[variant], base))
    with capsys.disabled():
        sys.stderr.write(f"\n{images[variant]}: {total - below:.0f} MB on top of {base}\n")
    assert total - below <= MOST.get(variant, 1000)


@pytest.mark.parametrize("variant", ["cpu", "slim", "cuda"])
def test_the_demo_runs_and_draws_its_plots(images: Images, variant: str) -> None:
    script = "cml-run demo --keep /tmp/demo && ls /tmp/demo/work/.cml/plots"
    done = run(images, variant, script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ".png" in done.stdout
    assert "accuracy" in done.stdout + done.stderr


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_nothing_but_the_product_is_on_stdout(images: Images, variant: str) -> None:
    done = images.engine.run(images[variant], "cml-run", "--version")
    assert re.fullmatch(r"cml-run, version \d+\.\d+\.\d+\n", done.stdout), done.stdout + done.stderr


def test_an_image_without_a_command_is_cml_run(images: Images) -> None:
    done = images.engine.run(images["cpu"])
    assert done.returncode == 2
    assert "git" in done.stderr


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_an_image_says_what_it_is_and_what_is_in_it(images: Images, variant: str) -> None:
    shown = images.engine.call("image", "inspect", images[variant]).stdout
    config = json.loads(shown)[0]["Config"]
    labels = config["Labels"]
    assert {
        name: labels[f"org.opencontainers.image.{name.lower()}"] for name in docker_kit.LABELS
    } == docker_kit.LABELS
    assert config["User"] == "1001:1001"
    assert not config["Entrypoint"]
    found = json.loads(run(images, variant, "cat /opt/cml-run/sbom.cdx.json").stdout)
    names = {component["name"] for component in found["components"]}
    assert found["bomFormat"] == "CycloneDX"
    assert {"cml-run", "dvc", "gitpython", "git", "libc6"} <= names


@pytest.mark.parametrize("variant", ["cpu", "slim", "cuda"])
def test_there_is_what_jobs_call_and_no_compiler(images: Images, variant: str) -> None:
    there = "for name in cml-run dvc_cml_run dvc git git-lfs ssh python python3 pip bash; do"
    script = f"{there} command -v $name || exit 1; done; git lfs version; ! command -v cc"
    done = run(images, variant, script)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("user", USERS)
def test_a_pipeline_from_outside_runs_as_any_user(images: Images, lab: Lab, user: str) -> None:
    lab.change_rate(3.0)
    done = work(images, lab, user, "cml-run --no-publish")
    assert done.returncode == 0, done.stdout + done.stderr
    states = {stage["name"]: stage["state"] for stage in lab.record()["stages"]}
    assert states == {"prepare": "unchanged", "train": "ran", "evaluate": "ran"}


def test_a_user_without_any_name_may_run_a_pipeline(images: Images, lab: Lab) -> None:
    done = work(images, lab, NOBODY, "unset LOGNAME && cml-run --no-publish")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("user", ["0:0", NOBODY])
def test_the_home_that_github_mounts_is_not_written(
    images: Images, lab: Lab, tmp_path: Path, user: str
) -> None:
    lab.change_rate(3.0)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1001, 1001)
    options = (f"--volume={home}:/github/home", "--env=HOME=/github/home")
    done = work(images, lab, user, "cml-run --no-publish", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lab.record()["stages"][1]["state"] == "ran"
    assert not list(home.iterdir())


def test_who_may_not_write_the_work_tree_is_told_so(images: Images, lab: Lab) -> None:
    subprocess.run(["chmod", "-R", "go-w", str(lab.work)], check=True)
    script = "cml-run; cml-run doctor; cml-run plan"
    done = run(images, "cpu", script, f"--volume={lab.work}:/repo")
    assert "Traceback" not in done.stderr
    assert "run as a user who may write there, or name another folder" in done.stderr
    assert "FAIL pipeline: cannot lock the project: " in done.stdout
    assert "run as a user who may write there; in a container, with --user" in done.stderr


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_all_modules_of_python_find_their_libraries(images: Images, variant: str) -> None:
    code = "import _uuid, bz2, ctypes, curses, lzma, pyexpat, readline, sqlite3, ssl, zlib"
    done = images.engine.run(images[variant], "python", "-c", code)
    assert done.returncode == 0, done.stderr


# What users install is for their stages: tabulate of an old version, a broken click.
JOB = """
set -e
pip install --quiet 'tabulate==0.9.0' 'click==7.1.2'
tabulate -h > /dev/null
export PYTHONPATH=$PWD/src
mkdir -p src && echo 'raise SystemExit("the one of the users")' > src/requests.py
python -c 'import click, tabulate; assert click.__version__ == "7.1.2"'
cml-run --no-publish
pip install --quiet --upgrade pip
cml-run --version
"""
STAGE = """\
  users:
    cmd: python -c "import click, tabulate, sys; print(tabulate.__version__, file=open('v', 'w'))"
    outs: [v]
"""


@pytest.mark.parametrize("user", USERS)
def test_what_users_install_serves_their_stages_and_cannot_break_ours(
    images: Images, lab: Lab, user: str
) -> None:
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + STAGE)
    lab.commit("Ask for packages")
    done = work(images, lab, user, JOB)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (lab.work / "v").read_text() == "0.9.0\n"


@pytest.mark.parametrize("scheme", REMOTES)
def test_the_library_of_each_remote_is_whole(images: Images, scheme: str) -> None:
    code = (
        f"import {REMOTES[scheme]}; from dvc.fs import registry; "
        f"print(registry[{scheme!r}].get_missing_deps())"
    )
    done = images.engine.run(images["cpu"], OURS, "-I", "-c", code)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_hdfs_is_named_as_missing(images: Images) -> None:
    code = "from dvc.fs import registry; print(registry['hdfs'].get_missing_deps())"
    done = images.engine.run(images["cpu"], OURS, "-I", "-c", code)
    assert done.stdout == "['pyarrow']\n", done.stderr


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


BUCKET = """
import botocore.session, os
client = botocore.session.Session().create_client("s3", endpoint_url=os.environ["ENDPOINT"])
client.create_bucket(Bucket="data")
"""
S3 = """
set -e
cd /tmp && git init -q s3 && cd s3
/opt/cml-run/bin/python -I -c "$BUCKET"
dvc init -q
dvc remote add -q -d store s3://data/dvc
dvc remote modify -q store endpointurl "$ENDPOINT"
echo number > file
dvc add -q file
dvc push -q
rm -rf file .dvc/cache
dvc pull -q
cat file
"""


def test_data_goes_to_s3_and_comes_back(images: Images, s3: str) -> None:
    variables = {
        "ENDPOINT": s3,
        "BUCKET": BUCKET,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    options = [f"--env={name}={value}" for name, value in variables.items()]
    done = run(images, "cpu", S3, *options)
    assert (done.returncode, done.stdout) == (0, "number\n"), done.stderr


def test_chances_are_reckoned_as_outside(images: Images) -> None:
    code = (
        "from cml.statistics import proportions, student; from cml.trackers import tensorboard;"
        "import pandas; print(student.quantile(0.975, 4), proportions.mcnemar(2, 9, 40))"
    )
    here = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    done = images.engine.run(images["cpu"], OURS, "-I", "-c", code)
    assert done.stdout == here.stdout, done.stderr
    assert len(here.stdout) > 20


def test_the_slim_image_says_what_it_lacks(images: Images) -> None:
    code = "from cml.statistics import student; student.quantile(0.975, 4)"
    done = images.engine.run(images["slim"], OURS, "-I", "-c", code)
    assert "SciPy is not installed" in done.stderr
