"""The action: its inputs are the options, and act runs it as a workflow of GitHub would."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import act_kit
import machine_kit
import one_line_kit
import pytest
from forge_kit import bodies
from main_kit import change
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from act_kit import Workflow
    from forge_github import GitHub
    from lab import Lab

ROOT = Path(__file__).parent.parent
ACTION = "OWNER/cml-run"
USES = f"{ACTION}@{'0' * 40}"
OWN = {"command", "extras", "python-version", "working-directory", "token"}


def loaded(path: Path = ROOT / "action.yml") -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(path)
    return found


def test_the_inputs_are_the_options_in_their_words() -> None:
    inputs = loaded()["inputs"]
    assert inputs.keys() - OWN == one_line_kit.options().keys()
    assert {name: inputs[name] for name in one_line_kit.options()} == {
        name: {"description": option.help} for name, option in one_line_kit.options().items()
    }


def test_what_is_not_given_is_left_to_the_variables_of_the_job() -> None:
    environ = loaded()["runs"]["steps"][-1]["env"]
    own = {"CML_COMMAND": "${{ inputs.command }}", "CML_REPO_TOKEN": "${{ inputs.token }}"}
    assert environ == own | {
        option.env: f"${{{{ inputs.{name} || env.{option.env} }}}}"
        for name, option in one_line_kit.options().items()
    }


def test_the_document_lists_the_inputs() -> None:
    assert one_line_kit.written("action") == one_line_kit.table(loaded()["inputs"])


def test_the_readme_shows_the_step_of_the_document() -> None:
    (step,) = one_line_kit.shown("- uses: OWNER", ROOT / "README.md")
    steps = one_line_kit.shown("jobs:")["jobs"]["experiment"]["steps"]
    assert step.items() <= next(found for found in steps if "id" in found).items()


def test_the_token_reaches_the_one_step_that_needs_it() -> None:
    *others, last = loaded()["runs"]["steps"]
    assert "inputs.token" in str(last)
    assert "token" not in str(others)


def test_no_input_is_part_of_a_script() -> None:
    assert not [step for step in loaded()["runs"]["steps"] if "${{" in step.get("run", "")]


@pytest.fixture(scope="session")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a runner fetches of this repository, as far as the action uses it."""
    folder = tmp_path_factory.mktemp("action")
    for name in ("cml", "requirements"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "dev.txt")
        )
    shutil.copy(ROOT / "action.yml", folder)
    return folder


def workflow(lab: Lab, *steps: dict[str, Any], **job: Any) -> None:
    """Write a workflow that checks out, and does these steps in a job called `experiment`."""
    checkout = {"uses": "actions/checkout@v5"}
    made = {"runs-on": "ubuntu-latest", **job, "steps": [checkout, *steps]}
    write(lab, {"experiment": made})


def write(lab: Lab, jobs: dict[str, Any]) -> None:
    file = lab.work / ".github" / "workflows" / "experiment.yml"
    file.parent.mkdir(parents=True)
    YAML().dump({"on": ["push", "pull_request"], "jobs": jobs}, file)


def read(lab: Lab, name: str) -> str:
    return (lab.work / name).read_text(encoding="utf-8")


def step(**inputs: Any) -> dict[str, Any]:
    return {"id": "cml", "uses": USES, **({"with": inputs} if inputs else {})}


def pushed(
    lab: Lab, forge: GitHub, action: Path, *, sha: str | None = None, **more: Any
) -> tuple[Workflow, str]:
    """Push what is in the laboratory to `main` and let its workflow run."""
    sha = sha or change(lab)
    path = more.pop("path", None) or machine_kit.path(lab)
    return (
        act_kit.run(
            lab, forge, "push", cwd=lab.work, sha=sha, actions={ACTION: action}, path=path, **more
        ),
        sha,
    )


SHOW = {
    "if": "always()",
    "run": 'echo "seen: $VERDICT $OUTCOME $COMMIT $TAG"',
    "env": {
        name.upper(): f"${{{{ steps.cml.outputs.{name} }}}}"
        for name in ("verdict", "outcome", "commit", "tag")
    },
}


def test_one_line_tells_the_pull_request_and_the_next_step(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    write(lab, one_line_kit.shown("jobs:")["jobs"])
    lab.git("checkout", "-q", "-b", "better")
    sha = change(lab)
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done, _ = pushed(lab, github_forge, action, sha=sha, branch="better")
    assert done.returncode == 0, done.log
    (body,) = bodies(github_forge, number)
    assert "`accuracy` | 0.5 | 1 | +0.5" in body
    assert github_forge.shown(sha)["cml-run"] == "success"
    results = lab.git("rev-parse", "better", cwd=lab.origin)
    assert f"results are in {results}" in done.log
    assert lab.git("ls-remote", "--tags", "origin", f"exp-{sha[:7]}")
    assert "/requirements/all.txt" in (lab.root / "pip.log").read_text()
    assert set(loaded()["outputs"]) == set(re.findall(r"::set-output:: (\w+)=", done.log))


def test_a_failed_check_fails_the_step_and_leaves_its_outputs(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    workflow(lab, step(), {"run": "echo not reached"}, SHOW)
    lab.write("cml.yaml", "checks:\n  metrics:accuracy:\n    target: 2..\n")
    lab.commit("Set a rule")
    done, sha = pushed(lab, github_forge, action)
    assert done.returncode == 1
    assert "exit status 1" in done.log
    assert "not reached" not in done.log.replace("echo not reached", "")
    assert "seen: fail changed" in done.log
    assert github_forge.shown(sha)["cml-run"] == "failure"


def test_hostile_inputs_stay_data(lab: Lab, github_forge: GitHub, action: Path) -> None:
    name = 'it\'s "$(touch pwned)" `touch pwned` ; touch pwned #'
    workflow(lab, step(**{"name": name, "fail-on": "fail\ninvalid\n"}))
    done, sha = pushed(lab, github_forge, action)
    assert done.returncode == 0, done.log
    assert not list(lab.root.rglob("pwned"))
    assert github_forge.shown(sha)[name] == "success"


def test_a_wrong_input_is_named_and_nothing_runs(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    workflow(lab, step(jobs="$(touch pwned)"))
    done, _ = pushed(lab, github_forge, action)
    assert "exit status 2" in done.log
    assert "CML_JOBS: a whole number" in done.log
    assert lab.runs == []


def test_variables_of_the_job_count_where_there_is_no_input(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    environ = {"CML_NAME": "mine", "tag_prefix": "old-", "CML_FAIL_ON": "wrong"}
    workflow(lab, step(**{"fail-on": "-"}), env=environ)
    done, sha = pushed(lab, github_forge, action)
    assert done.returncode == 0, done.log
    assert github_forge.shown(sha)["mine"] == "success"
    assert lab.git("ls-remote", "--tags", "origin", f"old-{sha[:7]}")


def test_stages_see_the_python_of_the_job_and_no_token(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    workflow(lab, step(token="${{ secrets.GITHUB_TOKEN }}"))
    sha = change(lab)
    seen = "import os, shutil, sys\nprint('seen', shutil.which('python3'), sys.path)\n"
    seen += "assert not [value for value in os.environ.values() if 'ghp_' in value]\n"
    lab.write("train.py", seen + read(lab, "train.py"))
    sha = lab.commit("Look around")
    github_forge.token = "ghp_of_my_own"
    done, _ = pushed(lab, github_forge, action, sha=sha)
    assert done.returncode == 0, done.log
    (line,) = re.findall(r"seen (.*)", done.log)
    assert line.startswith(str(lab.root / "machine" / "python3"))
    assert "cml-run" not in line


def test_packages_are_installed_as_locked_whatever_the_job_sets_for_pip_and_python(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    workflow(lab, step(extras="checks"), step(extras="checks", command="check") | {"id": "again"})
    environ = {"PIP_CONSTRAINT": "of-the-image.txt", "PIP_USER": "1", "PIP_TARGET": "elsewhere"}
    environ |= {"PYTHONPATH": "lib"}
    done, _ = pushed(lab, github_forge, action, environ=environ)
    assert done.returncode == 0, done.log
    asked, knew = (lab.root / "pip.log").read_text().splitlines()
    assert " --require-hashes --requirement " in asked
    assert "/requirements/checks.txt" in asked
    assert not re.search(r"PIP_(CONSTRAINT|USER|TARGET)|PYTHONPATH", asked)
    assert "CML_REPO_TOKEN" not in knew


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"extras": "s3"}, "extras: checks or all is expected"),
        ({"command": "check; touch pwned"}, "command: check, plan, post or -"),
        ({"python-version": "3.12"}, "cml-run needs Python 3.10 or newer as python3"),
    ],
)
def test_what_the_action_cannot_do_is_said(
    lab: Lab, github_forge: GitHub, action: Path, inputs: dict[str, str], said: str
) -> None:
    workflow(lab, step(**inputs))
    python = "#!/bin/sh\nexit 1\n" if "python-version" in inputs else None
    done, _ = pushed(lab, github_forge, action, path=machine_kit.path(lab, python))
    assert f"::error title=cml-run::{said}" in done.log
    assert ("Main actions/setup-python@" in done.log) == ("python-version" in inputs)
    assert "exit status 2" in done.log
    assert not (lab.root / "pip.log").exists()


def test_the_command_can_be_used_by_later_steps(
    lab: Lab, github_forge: GitHub, action: Path
) -> None:
    workflow(
        lab,
        step(command="-"),
        {"run": "cml-run --version && dvc_cml_run plan && dvc"},
        step(command="plan", **{"working-directory": "lib"}) | {"id": "plan"},
    )
    path = machine_kit.path(lab)
    (lab.root / "machine" / "dvc").symlink_to(shutil.which("echo") or "")
    done, _ = pushed(lab, github_forge, action, path=path)
    assert done.returncode == 0, done.log
    assert "cml-run, version" in done.log
    assert lab.runs == []


def test_the_locked_packages_do_beside_those_of_the_job(
    lab: Lab, github_forge: GitHub, action: Path, tmp_path: Path
) -> None:
    if not machine_kit.reachable(tmp_path):
        pytest.skip("no packages can be had here")
    lab.run(str(machine_kit.PYTHON), "-m", "venv", "--without-pip", str(lab.root / "venv"))
    lab.write("lib/yaml.py", "raise SystemExit('the yaml of the repository')\n")
    workflow(lab, step(), {"run": "dvc --version && dvc_cml_run --version"}, SHOW)
    sha = change(lab)
    lab.write("train.py", "import sys\nprint('in', sys.prefix)\n" + read(lab, "train.py"))
    sha = lab.commit("Say which Python this is")
    environ = {
        "VIRTUAL_ENV": str(lab.root / "venv"),
        "PYTHONPATH": "lib",
        "PIP_CONSTRAINT": str(lab.write("constraints.txt", "dvc==3.0.0\n")),
    }
    path = os.pathsep.join([str(lab.root / "venv" / "bin"), machine_kit.path(lab)])
    done, _ = pushed(lab, github_forge, action, sha=sha, path=path, environ=environ)
    assert done.returncode == 0, done.log
    assert f"in {lab.root / 'venv'}\r" in done.log or f"in {lab.root / 'venv'}\n" in done.log
    assert "seen: pass changed" in done.log
    assert github_forge.shown(sha)["cml-run"] == "success"
