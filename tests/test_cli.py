"""The commands beside the main job, and what every command promises."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from click.testing import CliRunner

from cml import __version__
from cml.cli.main import NAMES, command

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

COMMANDS: list[list[str]] = [[], *([name] for name in NAMES)]


def plan(lab: Lab, *args: str, **env: str) -> dict[str, Any]:
    done = lab.cml("plan", "--json", *args, **env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("args", COMMANDS)
def test_every_command_has_help_with_an_example(args: list[str]) -> None:
    done = CliRunner().invoke(command, [*args, "--help"])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert " ".join(["cml-run", *args]) in done.output


def test_the_version_is_told() -> None:
    assert __version__ in CliRunner().invoke(command, ["--version"]).output


def test_options_before_a_command_are_not_silently_dropped(lab: Lab) -> None:
    done = lab.cml("--baseline", "main", "plan")
    assert done.returncode == 2
    assert "behind" in done.stderr


def test_a_plan_tells_stages_data_baseline_and_what_is_saved(lab: Lab) -> None:
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.commit("Train faster")
    fresh = lab.clone("fresh")
    done = lab.cml("plan", "--publish", "--tag-prefix", "exp-", cwd=fresh)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "unchanged: prepare" in lines
    assert "run: train (its definition changed; train.rate in params.yaml modified)" in lines
    assert "may run: evaluate (needs train)" in lines
    assert "pull: prepared.csv (14 B, 1 files)" in lines
    sha = lab.git("rev-parse", "--short=7", "HEAD")
    assert f"committed to main and tagged exp-{sha}" in lines[-1]
    assert not (fresh / ".cml").exists()
    assert lab.git("status", "--porcelain", cwd=fresh) == ""
    assert lab.runs == []


def test_a_plan_as_json_holds_the_same(lab: Lab) -> None:
    found = plan(lab)
    assert found["skip"] is None
    assert [s["state"] for s in found["pipeline"]["stages"]] == ["unchanged"] * 3
    assert found["pipeline"]["pulls"] == []
    assert "--publish" in found["publish"]


def test_a_plan_of_a_skipped_commit_says_why(lab: Lab) -> None:
    lab.commit("Nothing [ci skip]")
    assert "[ci skip]" in plan(lab)["skip"]


def test_a_plan_names_data_that_nobody_pushed(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    done = lab.cml("plan", cwd=fresh)
    assert "missing: prepared.csv is neither here nor remote" in done.stdout


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_a_lock_that_cannot_be_had_is_no_bug_of_ours(lab: Lab, command: str) -> None:
    lock = lab.work / ".dvc" / "tmp" / "lock"
    lock.unlink(missing_ok=True)
    lock.mkdir(parents=True)
    done = lab.cml(command)
    assert "cannot lock the project: " in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_settings_that_are_valid_and_change_nothing(lab: Lab) -> None:
    assert lab.cml("init").returncode == 0
    text = (lab.work / "cml.yaml").read_text()
    assert "# baseline: auto" in text
    assert lab.cml("--repro-targets", "-").returncode == 0
    lab.write("cml.yaml", "jobs: 2\n")
    assert lab.cml("init").returncode == 2
    assert (lab.work / "cml.yaml").read_text() == "jobs: 2\n"
    assert lab.cml("init", "--force").returncode == 0
    assert (lab.work / "cml.yaml").read_text() == text


def test_doctor_is_content_with_a_healthy_repository(lab: Lab) -> None:
    done = lab.cml("doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    names = ("settings", "git", "git remote", "forge", "checks", "baseline", "pipeline")
    names += ("credentials", "data")
    assert [line.split(":")[0].removeprefix("ok").strip() for line in done.stdout.splitlines()] == [
        *names
    ]


def test_doctor_says_what_to_do_about_each_failure(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    shutil.rmtree(lab.origin)
    done = lab.cml("doctor", "--baseline", "gone", cwd=fresh)
    assert done.returncode == 1
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failed] == [
        "FAIL git remote",
        "FAIL baseline",
        "FAIL data",
    ]
    assert "dvc push" in done.stdout


def test_doctor_finds_a_git_that_is_too_old(lab: Lab) -> None:
    script = 'case "$*" in *version) echo git version 2.30.2;; *) exec {} "$@";; esac'
    old = lab.write("../bin/git", f"#!/bin/sh\n{script.format(shutil.which('git'))}\n")
    old.chmod(0o755)
    done = lab.cml("doctor", PATH=f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 1
    assert "FAIL git: git 2.30.2 is too old" in done.stdout


def test_doctor_misses_remotes(lab: Lab) -> None:
    lab.git("remote", "remove", "origin")
    lab.write(".dvc/config", "")
    done = lab.cml("doctor")
    assert done.returncode == 1
    assert "git remote add origin" in done.stdout
    assert "dvc remote add" in done.stdout


def cancelled(lab: Lab, marker: Path) -> int:
    """Terminate the main job once a stage has written its number; return the job's exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cml"],
        cwd=lab.work,
        env=lab.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with process:
        while not (marker.exists() and marker.read_text()):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    return process.returncode


def lives(marker: Path) -> bool:
    try:
        return psutil.Process(int(marker.read_text())).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_cancelled_job_stops_its_stage_writes_its_bundle_and_ends_with_130(lab: Lab) -> None:
    marker = lab.root / "pid"
    lab.write(
        "evaluate.py",
        f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n",
    )
    assert cancelled(lab, marker) == 130
    assert lab.record()["failure"]["exit_code"] == 130
    assert not lives(marker)


def test_what_a_stopped_stage_started_is_stopped_too_however_deaf(lab: Lab) -> None:
    marker = lab.root / "pid"
    lab.write(
        "deaf.py",
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n",
    )
    lab.write(
        "evaluate.py",
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, 'deaf.py'], stdout=subprocess.DEVNULL)\n"
        "time.sleep(60)\n",
    )
    assert cancelled(lab, marker) == 130
    assert not lives(marker)


def test_a_reader_that_goes_away_does_not_change_the_exit_code(lab: Lab) -> None:
    lab.write("evaluate.py", "open('metrics.json', 'w').write('{}')\n")
    lab.commit("Lose the metrics")
    script = f"{sys.executable} -m cml 2> err.log | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=lab.work, env=lab.environ(), check=False, capture_output=True
    )
    assert done.returncode == 5
    assert "Traceback" not in (lab.work / "err.log").read_text()
