"""`cml-run runner start`: runners looked after on both forges, with programs that are processes."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import forge_faults as faults
import pytest
from runner_kit import github_machine, gitlab_machine, machine, until

if TYPE_CHECKING:
    from runner_kit import Machine

__all__ = ["github_machine", "gitlab_machine", "machine"]  # fixtures of another file

IDLE = ("--idle-timeout", "0.01")  # 0.6 seconds


def test_each_job_has_a_registration_of_its_own_and_the_end_leaves_none(machine: Machine) -> None:
    machine.control.plan += ["job", "job"]
    machine.control.quick = True
    process = machine.start(*IDLE)

    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("job ended") == 2
    assert len(set(machine.forge.runner_secrets)) == 3
    assert machine.forge.runners == []
    assert not (machine.home / "state.json").exists()


def test_a_single_one_ends_after_its_job(machine: Machine) -> None:
    machine.control.plan += ["job", "job"]
    machine.control.quick = True
    process = machine.start("--single")

    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("job ended") == 1
    assert machine.forge.runners == []


@pytest.mark.parametrize("limit", ["--idle-timeout", "--max-lifetime"])
def test_no_limit_ends_a_job_that_runs(machine: Machine, limit: str) -> None:
    machine.control.plan += ["job", "job"]
    process = machine.start(limit, "0.005")
    machine.control.wait("job began")
    time.sleep(1)

    assert process.poll() is None
    machine.control.finish()
    if limit == "--idle-timeout":
        machine.control.wait("job began", 2)
        machine.control.finish()
    assert machine.ends(process) == 0, machine.said
    assert "cancelled" not in machine.control.told
    assert machine.control.count("job ended") == (2 if limit == "--idle-timeout" else 1)
    assert machine.forge.runners == []


def test_a_job_that_comes_when_idle_was_just_said_goes_on(github_machine: Machine) -> None:
    machine = github_machine

    def job_comes() -> None:
        (runner,) = machine.forge.runners
        machine.forge.set_runner(runner["name"], busy=True)
        machine.control.plan.append("job")

    machine.forge.before("DELETE", "/runners/", job_comes)
    process = machine.start(*IDLE)
    machine.control.wait("job began")
    machine.control.finish()

    assert machine.ends(process) == 0, machine.said
    assert "currently running a job" in machine.said
    assert "cancelled" not in machine.control.told
    assert machine.control.count("job ended") == 1


def test_a_forge_that_cannot_be_reached_ends_no_job_and_no_idle_runner(machine: Machine) -> None:
    machine.control.plan += ["job"]
    process = machine.start("--persistent", *IDLE)
    machine.control.wait("job began")
    machine.forge.fail("GET", "runners", faults.status(503), times=None)
    machine.control.finish()
    machine.control.wait("job ended")
    time.sleep(1)

    assert process.poll() is None
    assert "it counts" in machine.said
    machine.forge._faults.clear()  # noqa: SLF001 - the forge is back
    assert machine.ends(process) == 0, machine.said
    assert "cancelled" not in machine.control.told


def test_a_program_that_crashes_is_started_again_and_not_for_ever(machine: Machine) -> None:
    machine.control.plan += ["crash", "crash", "job"]
    machine.control.quick = True
    process = machine.start(*IDLE)
    machine.control.wait("job ended")
    machine.control.plan += ["crash"] * 6

    assert machine.ends(process) == 2, machine.said
    assert "6 times in a row" in machine.said
    assert machine.forge.runners == []
    assert machine.control.count("began") == 2 + 1 + 6


def test_a_signal_ends_an_idle_runner_and_takes_it_off_the_list(machine: Machine) -> None:
    process = machine.start()
    machine.control.wait("began")
    process.send_signal(signal.SIGTERM)

    assert machine.ends(process) == 0, machine.said
    assert machine.forge.runners == []
    assert "cancelled" not in machine.control.told


def test_a_signal_waits_for_the_job_and_a_second_one_does_not(machine: Machine) -> None:
    machine.control.plan += ["job", "job"]
    process = machine.start()
    machine.control.wait("job began")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    assert process.poll() is None
    machine.control.finish()
    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("job ended") == machine.control.count("job began") == 1

    process = machine.start()
    machine.control.wait("job began", 2)
    process.send_signal(signal.SIGINT)
    until(lambda: "SIGINT came" in machine.said)
    process.send_signal(signal.SIGINT)
    until(lambda: "cancelled" in machine.control.told)
    assert machine.ends(process) == 130, machine.said
    assert machine.forge.runners == []


def test_a_terminal_that_is_closed_and_hangs_up_twice_ends_no_job(machine: Machine) -> None:
    machine.control.plan += ["job"]
    process = machine.start()
    machine.control.wait("job began")
    process.send_signal(signal.SIGHUP)
    until(lambda: "SIGHUP came" in machine.said)
    process.send_signal(signal.SIGHUP)
    time.sleep(1.5)
    assert process.poll() is None
    machine.control.finish()

    assert machine.ends(process) == 0, machine.said
    assert "cancelled" not in machine.control.told


def test_a_supervisor_that_was_killed_is_followed_by_one_that_takes_over(machine: Machine) -> None:
    machine.control.plan += ["job"]
    first = machine.start()
    machine.control.wait("job began")
    until(lambda: machine.state["worked"])
    first.kill()
    first.wait()
    second = machine.start("--single")
    until(lambda: "taking over" in machine.said)
    machine.control.finish()

    assert machine.ends(second) == 0, machine.said
    assert machine.control.count("began") == 1
    assert machine.forge.runners == []


def test_what_a_killed_supervisor_left_is_cleaned_up(machine: Machine) -> None:
    first = machine.start()
    began = machine.control.wait("began")
    pid = until(lambda: machine.state["process"])["pid"]
    first.kill()
    first.wait()
    os.killpg(pid, signal.SIGKILL)
    second = machine.start(*IDLE)

    assert machine.ends(second) == 0, machine.said
    assert machine.control.count("began") == 2
    assert machine.control.heard[-1]["pid"] != began["pid"]
    assert machine.forge.runners == []


def test_a_runner_that_stays_on_the_list_is_told_and_taken_off_later(
    gitlab_machine: Machine,
) -> None:
    process = gitlab_machine.start()
    gitlab_machine.control.wait("began")
    gitlab_machine.forge.fail("DELETE", "runners", faults.status(403), times=None)
    process.terminate()
    assert gitlab_machine.ends(process) == 4, gitlab_machine.said
    (left,) = gitlab_machine.forge.runners
    assert not (gitlab_machine.home / "config.toml").exists()
    gitlab_machine.forge._faults.clear()  # noqa: SLF001 - the forge takes it again

    assert gitlab_machine.ends(gitlab_machine.start(*IDLE)) == 0, gitlab_machine.said
    assert left not in gitlab_machine.forge.runners
    assert gitlab_machine.forge.runners == []


def test_a_program_that_was_replaced_is_registered_anew(machine: Machine) -> None:
    assert machine.run("register", "--persistent").returncode == 0
    if machine.vendor == "github":
        (machine.home / "program" / ".credentials").unlink()
    else:
        (machine.home / "config.toml").unlink()
    machine.control.plan += ["job"]
    machine.control.quick = True
    process = machine.start(*IDLE)

    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("began") == machine.control.count("job ended") == 1
    assert len(machine.forge.runner_secrets) == 2
    assert machine.forge.runners == []


def test_a_disk_that_is_full_ends_no_supervisor_of_a_job(machine: Machine) -> None:
    machine.control.plan += ["job"]
    process = machine.start("--single")
    machine.control.wait("began")
    until(lambda: machine.state["process"])
    (machine.home / ".state.json.new").mkdir()  # nothing can be written in its place
    machine.control.wait("job began")
    time.sleep(0.5)
    assert process.poll() is None
    machine.control.finish()

    assert machine.ends(process) == 0, machine.said
    assert "cannot write" in machine.said
    assert machine.control.count("job ended") == 1
    assert machine.forge.runners == []


@pytest.mark.parametrize("name", ["register", "start"])
def test_a_runner_that_cannot_be_written_down_is_taken_off_the_list(
    machine: Machine, name: str
) -> None:
    machine.home.mkdir(parents=True, mode=0o700)
    (machine.home / ".state.json.new").mkdir()
    done = machine.run(name)

    assert done.returncode == 2
    assert "cannot write" in done.stderr
    assert machine.control.count("began") == 0
    assert len(machine.forge.runner_secrets) == 1
    assert machine.forge.runners == []
    assert not (machine.home / "config.toml").exists()
