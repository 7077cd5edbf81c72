"""`cml-run runner register`, and what of it may be seen by whom."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import forge_faults as faults
import psutil
import pytest
import tomlkit
from click.testing import CliRunner
from forge_faults import Answer
from forge_server import Server
from runner_kit import (
    PROGRAM,
    archive,
    github_machine,
    gitlab_machine,
    machine,
    offered,
    unpacked,
    until,
)

from cml.cli.main import command
from cml.cli.runner import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge_http import Request
    from runner_kit import Machine

__all__ = ["github_machine", "gitlab_machine", "machine"]  # fixtures of another file


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


def writing(machine: Machine) -> list[str]:
    return [request.where for request in machine.forge.log if request.method != "GET"]


def test_what_was_registered_is_started_as_it_was_asked_for(machine: Machine) -> None:
    done = machine.run("register", "--labels", "cml,a100", "--single")
    assert done.returncode == 0, done.stderr
    name = done.stdout.strip()
    (listed,) = machine.forge.runners
    labels = listed.get("tag_list") or [label["name"] for label in listed["labels"]]
    assert name in {listed.get("name"), listed.get("description")}
    assert {"cml", "a100"} <= set(labels)
    again = machine.run("register")
    assert (again.returncode, again.stdout.strip()) == (0, name)
    machine.control.plan += ["job"]
    machine.control.quick = True

    assert machine.ends(machine.start()) == 0, machine.said
    assert machine.control.wait("began")["secret"] == machine.forge.runner_secrets[0]
    assert len(machine.forge.runner_secrets) == 1
    assert machine.forge.runners == []


@pytest.mark.parametrize("kind", ["--ephemeral", "--persistent"])
def test_no_secret_is_in_an_argument_a_job_or_a_file_of_others(machine: Machine, kind: str) -> None:
    machine.control.plan += ["job"]
    process = machine.start(kind, "--labels", "cml,x")
    began = machine.control.wait("began")
    machine.control.wait("job began")
    secret = machine.forge.runner_secrets[0]
    family = [psutil.Process(process.pid), psutil.Process(began["pid"])]
    family += [child for one in family for child in one.children(recursive=True)]
    # The stand-in's own worker is told by an argument which runner it works for.
    argv = [one.cmdline() for one in family if one.name() != "Runner.Worker"]

    assert not any(secret in part or machine.token in part for line in argv for part in line)
    if os.geteuid() and sys.platform == "linux":  # root may read everything
        with pytest.raises(PermissionError):
            Path(f"/proc/{process.pid}/environ").read_bytes()
    assert machine.token not in json.dumps(began["environ"])
    assert secret not in json.dumps(began["environ"])
    assert "repo_token" not in began["environ"]
    assert stat.S_IMODE(machine.home.stat().st_mode) == 0o700
    assert modes(machine.home) <= {0o600, 0o700}
    until(lambda: machine.state["process"])
    assert secret not in (machine.home / "state.json").read_text()
    machine.control.finish()
    machine.control.wait("job ended")
    process.terminate()
    assert machine.ends(process) == 0, machine.said
    kept = [path for path in machine.home.rglob("*") if path.is_file() and path.name[0] == "."]
    assert kept == []
    assert not (machine.home / "config.toml").exists()
    assert machine.token not in machine.said
    assert secret not in machine.said


def test_a_persistent_runner_takes_job_after_job_with_one_registration(machine: Machine) -> None:
    machine.control.plan += ["job", "job"]
    machine.control.quick = True
    process = machine.start("--persistent", "--idle-timeout", "0.02")

    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("began") == 1
    assert machine.control.count("job ended") == 2
    assert len(machine.forge.runner_secrets) == 1
    assert machine.forge.runners == []


def test_the_program_is_fetched_once(machine: Machine) -> None:
    assert machine.run("register").returncode == 0
    machine.control.files.clear()
    process = machine.start("--idle-timeout", "0.001")

    assert machine.ends(process) == 0, machine.said


def test_another_program_than_the_forge_says_is_not_run(machine: Machine) -> None:
    evil = PROGRAM.replace("import json", "open('/tmp/never','w')\nimport json", 1)
    content = archive({"run.sh": evil}) if machine.vendor == "github" else evil.encode()
    offered(machine, content, sha256="5b" * 32)
    done = machine.run("register")

    assert done.returncode == 4
    assert "is not the runner program" in done.stderr
    assert writing(machine) == []
    assert not (machine.home / "program").exists()


def test_a_program_that_is_too_old_is_refused_with_the_reason(machine: Machine) -> None:
    if machine.vendor == "github":
        program = unpacked(machine.root / "runner")
    else:
        program = machine.root / "gitlab-runner"
        program.write_text(PROGRAM)
        program.chmod(0o755)
    machine.extra = {"RUNNER_VERSION": "2.328.9" if machine.vendor == "github" else "15.9.1"}
    done = machine.run("register", "--program", str(program))

    assert done.returncode == 2
    assert "is too old: no jobs are given to one before" in done.stderr
    assert writing(machine) == []


def test_one_on_the_path_is_used_and_left_alone(gitlab_machine: Machine) -> None:
    place = gitlab_machine.root / "bin"
    place.mkdir()
    (place / "gitlab-runner").write_text(PROGRAM)
    (place / "gitlab-runner").chmod(0o755)
    path = gitlab_machine.environ()["PATH"]
    gitlab_machine.extra = {"PATH": f"{place}:{path}"}
    done = gitlab_machine.run("register", "--dry-run")

    assert f"would use GitLab's runner 18.6.0 at {place}" in done.stdout
    gitlab_machine.extra |= {"RUNNER_VERSION": "15.0.0"}
    done = gitlab_machine.run("register", "--dry-run")
    assert "too old" in done.stderr
    assert "would fetch GitLab's runner 18.6.0" in done.stdout


def test_one_on_the_path_or_of_last_time_that_is_broken_is_passed_over(
    gitlab_machine: Machine,
) -> None:
    place = gitlab_machine.root / "bin"
    place.mkdir()
    for broken in (place / "gitlab-runner", gitlab_machine.home / "program"):
        broken.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        broken.write_text("#!/bin/sh\nexit 126\n")
        broken.chmod(0o755)
    path = gitlab_machine.environ()["PATH"]
    gitlab_machine.extra = {"PATH": f"{place}:{path}"}
    done = gitlab_machine.run("register")

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("does not tell its version") == 2
    assert (gitlab_machine.home / "program").read_text() == PROGRAM


def test_a_runner_whose_number_is_not_told_is_found_again_by_its_name(
    github_machine: Machine,
) -> None:
    github_machine.forge.fail("GET", "/runners$", faults.status(403))
    done = github_machine.run("register", "--persistent")
    assert done.returncode == 0, done.stderr
    assert "the number of gpu is not known yet" in done.stderr
    assert github_machine.state["entry"]["id"] is None

    assert github_machine.ends(github_machine.start("--idle-timeout", "0.01")) == 0
    assert github_machine.forge.runners == []


def test_a_registration_that_fails_changes_nothing_of_the_one_before(
    github_machine: Machine,
) -> None:
    assert github_machine.run("register", "--labels", "first").returncode == 0
    remembered = (github_machine.home / "options.json").read_text()
    assert github_machine.run("register", "--repository", "o/other").returncode == 2

    assert (github_machine.home / "options.json").read_text() == remembered


def test_one_that_takes_single_jobs_only_without_a_file_is_too_old(
    gitlab_machine: Machine,
) -> None:
    program = gitlab_machine.root / "gitlab-runner"
    program.write_text(PROGRAM.replace("--config value", "--token value"))
    program.chmod(0o755)
    done = gitlab_machine.run("register", "--program", str(program))

    assert done.returncode == 2
    assert "reads no config.toml" in done.stderr
    assert gitlab_machine.run("register", "--program", str(program), "--persistent").returncode == 0


def test_a_runner_that_was_set_up_by_hand_is_left_alone(github_machine: Machine) -> None:
    program = unpacked(github_machine.root / "runner")
    (program / ".runner").write_text("mine")
    (program / ".credentials").write_text("mine")
    done = github_machine.run("register", "--program", str(program))

    assert done.returncode == 2
    assert "set up as a runner already" in done.stderr
    assert (program / ".credentials").read_text() == "mine"
    assert github_machine.forge.runners == []


def test_a_program_of_ones_own_holds_no_credentials_between_two_jobs(
    github_machine: Machine,
) -> None:
    program = unpacked(github_machine.root / "runner")
    github_machine.control.plan += ["job", "job"]
    github_machine.control.quick = True
    process = github_machine.start("--program", str(program / "run.sh"), "--idle-timeout", "0.01")

    assert github_machine.ends(process) == 0, github_machine.said
    assert github_machine.control.count("job ended") == 2
    assert not (github_machine.home / "program").exists()
    assert not (program / ".credentials").exists()


def test_a_repository_that_takes_strangers_code_is_refused(github_machine: Machine) -> None:
    github_machine.forge.private = False
    for name in ("register", "start"):
        done = github_machine.run(name)
        assert done.returncode == 2
        assert "anybody could run code on this machine" in done.stderr
    assert writing(github_machine) == []

    assert github_machine.run("register", "--allow-forks").returncode == 0


def test_what_was_registered_while_it_was_private_does_not_start_once_it_is_public(
    github_machine: Machine,
) -> None:
    assert github_machine.run("register", "--persistent").returncode == 0
    github_machine.forge.private = False
    done = github_machine.run("start", "--cloud", "none")

    assert done.returncode == 2
    assert "anybody could run code on this machine" in done.stderr
    assert github_machine.control.count("began") == 0
    assert github_machine.forge.runners == []


def test_a_dry_run_only_asks_and_writes_nothing(machine: Machine) -> None:
    before = sorted(machine.root.rglob("*"))
    done = machine.run("register", "--dry-run", "--labels", "cml,x y")

    assert done.returncode == 0, done.stderr
    assert writing(machine) == []
    assert [p for p in machine.root.rglob("*") if p not in before and p.name != "home"] == []
    assert f"would fetch {'GitHub' if machine.vendor == 'github' else 'GitLab'}'s runner" in (
        done.stdout
    )
    assert "with the labels cml, x, y" in done.stdout
    assert machine.token not in done.stdout + done.stderr


def test_a_registration_that_the_program_refuses_is_taken_back(github_machine: Machine) -> None:
    broken = {
        "run.sh": "",
        "config.sh": '#!/bin/bash\necho "no, not with $ACTIONS_RUNNER_INPUT_TOKEN"; exit 1\n',
        "bin/Runner.Listener": PROGRAM,
    }
    offered(github_machine, archive(broken))
    done = github_machine.run("register", "--persistent")

    assert done.returncode == 2
    assert "no, not with ***" in done.stderr
    assert github_machine.forge.runners == []
    assert not (github_machine.home / "state.json").exists()


def test_a_persistent_runner_of_another_machine_keeps_its_name(github_machine: Machine) -> None:
    github_machine.forge.add_runner("gpu")
    done = github_machine.run("register", "--persistent")

    assert done.returncode == 2
    assert "could not be registered" in done.stderr
    assert [runner["name"] for runner in github_machine.forge.runners] == ["gpu"]


def test_a_group_that_a_persistent_runner_cannot_join_is_refused(github_machine: Machine) -> None:
    done = github_machine.run("register", "--persistent", "--runner-group", "7")

    assert done.returncode == 2
    assert "for runners of one job" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(command, ["runner", name, "--help"])

    assert done.exit_code == 0
    assert "Example" in done.output
    assert f"cml-run runner {name}" in done.output


def test_a_folder_of_another_repository_is_not_taken(github_machine: Machine) -> None:
    assert github_machine.run("register").returncode == 0
    done = github_machine.run("start", "--repository", "o/other")

    assert done.returncode == 2
    assert "belongs to a runner of o/r" in done.stderr


@pytest.mark.parametrize("name", ["../x", "-x", "a b", "x" * 60])
def test_a_name_that_could_lead_elsewhere_is_refused(github_machine: Machine, name: str) -> None:
    done = github_machine.run("register", f"--name={name}")

    assert done.returncode == 2
    assert "is no name of a runner" in done.stderr


def test_without_a_forge_or_a_token_it_says_what_to_set(github_machine: Machine) -> None:
    github_machine.extra = {"repo_token": ""}
    done = github_machine.run("register")
    assert done.returncode == 2
    assert "somebody who administers runners" in done.stderr

    github_machine.extra = {}
    done = github_machine.run("register", "--forge", "terminal")
    assert done.returncode == 2
    assert "--forge github or --forge gitlab" in done.stderr


def test_gitlab_jobs_run_as_asked_for(gitlab_machine: Machine) -> None:
    done = gitlab_machine.run("register", "--executor", "docker", "--image", 'a"b\\c')
    assert done.returncode == 0, done.stderr
    config = tomlkit.parse((gitlab_machine.home / "config.toml").read_text()).unwrap()

    (runner,) = config["runners"]
    assert runner["url"] == gitlab_machine.forge.server
    assert runner["docker"] == {"image": 'a"b\\c'}
    assert runner["token"] == gitlab_machine.forge.runner_secrets[0]


def given(machine: Machine) -> str:
    """Have a runner that was registered elsewhere; return its secret, which is all there is."""
    number = machine.forge.add_runner("launched")
    secret = "given-just-in-time-configuration"
    name, content = "runner.tar.gz", archive()
    if machine.vendor == "gitlab":
        secret, name, content = f"glrt-fake{number}tokenOfARunner", "runner", PROGRAM.encode()
    else:
        machine.forge.runner("launched")["ephemeral"] = True
        machine.control._name = lambda _: "launched"  # type: ignore[method-assign]  # noqa: SLF001 - it is the only one
    machine.forge.runner_secrets.append(secret)
    url, sha256 = machine.control.offer(name, content)
    machine.extra |= {
        "repo_token": "",
        "CML_RUNNER_JIT": secret,
        "CML_RUNNER_PROGRAM_URL": url,
        "CML_RUNNER_PROGRAM_SHA256": sha256,
    }
    return secret


def test_a_given_runner_runs_one_job_without_a_token_or_the_forge(machine: Machine) -> None:
    secret = given(machine)
    machine.control.plan += ["job"]
    process = machine.start("--idle-timeout", "0.01")
    machine.control.wait("job began")
    time.sleep(1)
    assert process.poll() is None  # on GitHub its worker is seen, on GitLab a job is supposed
    machine.control.finish()

    assert machine.ends(process) == 0, machine.said
    assert machine.control.count("began") == 1
    began = machine.control.wait("began")
    assert "CML_RUNNER_JIT" not in began["environ"]
    assert secret not in " ".join(began["argv"])
    if machine.vendor == "gitlab":
        assert "--wait-timeout=1" in began["argv"]
    assert machine.forge.log == []
    assert secret not in machine.said
    assert not (machine.home / "config.toml").exists()
    assert not (machine.home / "program" / ".credentials").exists()


@contextmanager
def aws(machine: Machine) -> Iterator[list[bool]]:
    """A machine of AWS, which is taken back when there is something in the list."""
    noticed: list[bool] = []

    def respond(request: Request) -> Answer:
        if request.method == "PUT":
            return Answer(200, b"t0ken")
        there = noticed and request.path.endswith("instance-action")
        return Answer(200, {"action": "terminate"}) if there else Answer(404)

    metadata = Server(respond)
    metadata.start()
    machine.extra["CML_METADATA_URL"] = metadata.address
    try:
        yield noticed
    finally:
        metadata.stop()


def test_a_notice_of_the_cloud_lets_the_job_run_and_takes_no_other(machine: Machine) -> None:
    machine.control.plan += ["job", "job"]
    with aws(machine) as noticed:
        process = machine.start("--cloud", "auto")
        machine.control.wait("job began")
        noticed.append(True)
        until(lambda: "AWS takes this machine back" in machine.said)
        assert process.poll() is None
        machine.control.finish()
        assert machine.ends(process) == 0, machine.said
    assert machine.control.told.count("job ended") == machine.control.told.count("job began") == 1
    assert machine.forge.runners == []


def test_a_notice_ends_a_given_runner_that_has_no_job(machine: Machine) -> None:
    given(machine)
    with aws(machine) as noticed:
        process = machine.start("--cloud", "auto")
        machine.control.wait("began")
        noticed.append(True)
        assert machine.ends(process) == 0, machine.said
    assert "AWS takes this machine back" in machine.said
    assert "job began" not in machine.control.told


def test_the_options_that_the_document_names_are_there() -> None:
    text = (Path(__file__).parent.parent / "docs" / "runners.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    known = {
        option
        for name in ("register", "start")
        for parameter in import_module(f"cml.cli.runner_{name}").command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }

    assert {"--idle-timeout", "--allow-forks", "--dry-run"} <= named
    assert named <= known
