import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest
from lab import environment

PROJECT = Path(str(resources.files("cml"))) / "demo" / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(PROJECT, tmp_path / "project", ignore=ignored))


@pytest.fixture
def dvc(project: Path, tmp_path: Path) -> Callable[..., str]:
    def call(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *args],
            cwd=project,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    call("init", "--no-scm", "-q")
    call("add", "-q", "raw.csv")
    return call


def metrics(project: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads((project / "metrics.json").read_text())
    return values


def test_the_pipeline_gives_a_mediocre_model_that_more_epochs_make_good(
    project: Path, dvc: Callable[..., str]
) -> None:
    dvc("repro", "-q")
    before = metrics(project)
    params = project / "params.yaml"
    changed = params.read_text().replace("epochs: 5", "epochs: 60")
    assert changed != params.read_text()
    params.write_text(changed)
    output = dvc("repro")
    after = metrics(project)

    assert before == pytest.approx({"accuracy": 0.687, "auc": 0.740, "log_loss": 0.610}, abs=0.02)
    assert after == pytest.approx({"accuracy": 0.860, "auc": 0.927, "log_loss": 0.422}, abs=0.02)
    assert "Stage 'prepare' didn't change" in output


def test_every_file_has_an_owner_and_both_plots_can_be_drawn(
    project: Path, dvc: Callable[..., str]
) -> None:
    shipped = {path.name for path in project.iterdir()}
    dvc("repro", "-q")
    made = {path.name for path in project.iterdir()} - shipped
    plots = {"loss.csv", "confusion.csv"}

    assert made == {"dvc.lock", "prepared", "model.json", "metrics.json"} | plots
    assert json.loads(dvc("plots", "show", "--json"))["data"].keys() == plots
    assert "Data and pipelines are up to date" in dvc("status")


def test_the_shipped_data_is_what_its_script_writes(project: Path) -> None:
    shipped = (project / "raw.csv").read_bytes()
    (project / "raw.csv").unlink()
    subprocess.run([sys.executable, "make_raw.py"], cwd=project, check=True)

    assert (project / "raw.csv").read_bytes() == shipped
    assert len(shipped) < 50_000


def test_rows_to_test_with_are_never_trained_with(project: Path) -> None:
    split = ["prepare.py", "--test-share", "0.25", "--seed", "1"]
    subprocess.run([sys.executable, *split], cwd=project, check=True, capture_output=True)
    train, test = (
        (project / "prepared" / name).read_text().splitlines()[1:]
        for name in ("train.csv", "test.csv")
    )

    assert (len(train), len(test)) == (450, 150)
    assert not set(train) & set(test)
