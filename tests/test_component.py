"""The GitLab component: its inputs are the options, and gitlab-ci-local runs it as a job."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gitlab_local_kit
import machine_kit
import one_line_kit
import pytest
from forge_kit import bodies
from main_kit import change
from ruamel.yaml import YAML

import cml
from cml.commands import init

if TYPE_CHECKING:
    from forge_gitlab import GitLab
    from lab import Lab

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "templates" / "cml-run" / "template.yml"
SPEC, JOB = YAML(typ="safe").load_all(TEMPLATE)
INPUTS = SPEC["spec"]["inputs"]
JOB = JOB["$[[ inputs.job-name ]]"]
OWN = ("job-name", "stage", "image", "package", "extras", "command", "working-directory")
MERGE = "merge_request_event"

pytestmark = pytest.mark.node


def test_the_inputs_are_the_options_in_their_words() -> None:
    assert INPUTS.keys() == {*OWN, *one_line_kit.options()}
    assert {name: INPUTS[name]["description"] for name in one_line_kit.options()} == {
        name: option.help for name, option in one_line_kit.options().items()
    }
    given = {option.env: f"$[[ inputs.{name} ]]" for name, option in one_line_kit.options().items()}
    assert {name: JOB["variables"][name] for name in given} == given


def test_what_is_not_given_is_left_to_cml_yaml() -> None:
    defaults = {INPUTS[name]["default"] for name in one_line_kit.options() if name != "out"}
    assert defaults == {""}
    assert INPUTS["out"]["default"] == one_line_kit.options()["out"].default


def test_the_document_lists_the_inputs() -> None:
    assert one_line_kit.written("component") == one_line_kit.table(INPUTS)


def test_the_readme_shows_the_component_of_the_document() -> None:
    shown = one_line_kit.shown("include:", ROOT / "README.md")
    assert shown["include"] == one_line_kit.shown("include:")["include"]


def test_no_input_is_part_of_a_script() -> None:
    assert "$[[" not in str(JOB["script"])


def test_it_installs_the_version_that_it_came_with() -> None:
    assert INPUTS["package"]["default"] == f"cml-run=={cml.__version__}"


def test_its_job_is_that_of_the_workflow_which_init_writes() -> None:
    (written,) = YAML(typ="safe").load(init.text(init.WORKFLOWS["gitlab"])).values()
    assert (JOB["rules"], INPUTS["image"]["default"]) == (written["rules"], written["image"])
    found = str(JOB["artifacts"]).replace(
        "$[[ inputs.working-directory ]]/$[[ inputs.out ]]", ".cml"
    )
    assert found == str(written["artifacts"])


def test_both_halves_are_what_gitlab_takes(tmp_path: Path) -> None:
    files = [tmp_path / "spec.yml", tmp_path / "job.yml"]
    for file, text in zip(files, TEMPLATE.read_text().split("---\n"), strict=True):
        file.write_text(text)
    command = [Path(sys.executable).with_name("check-jsonschema"), *files]
    command += ["--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def included(lab: Lab, inputs: dict[str, Any], **job: Any) -> None:
    """Write a pipeline that includes the component, and adds something to its job."""
    added = {"cml-run": job} if job else {}
    write(lab, {"include": [{"component": "", "inputs": inputs}], **added})


def write(lab: Lab, pipeline: dict[str, Any]) -> None:
    """Write a pipeline whose one component is a file of its repository."""
    file = lab.work / "templates" / "cml-run" / "template.yml"
    file.parent.mkdir(parents=True)
    shutil.copy(TEMPLATE, file)
    (include,) = pipeline["include"]
    local = {"local": "/templates/cml-run/template.yml", "inputs": include["inputs"]}
    YAML().dump({**pipeline, "include": [local]}, lab.work / ".gitlab-ci.yml")


def ran(
    lab: Lab, forge: GitLab, name: str = "cml-run", **more: Any
) -> tuple[subprocess.CompletedProcess[str], int, str]:
    """Run the component's job for a merge request."""
    lab.git("checkout", "-q", "-b", "better")
    sha = change(lab)
    number = forge.add_pull(head="better", sha=sha, base="main")
    done = gitlab_local_kit.job(
        lab, forge, MERGE, name, cwd=lab.work, sha=sha, number=number, **more
    )
    return done, number, sha


def test_one_include_tells_the_merge_request(lab: Lab, gitlab_forge: GitLab) -> None:
    write(lab, one_line_kit.shown("include:"))
    images = {"PIP_TARGET": "elsewhere", "PYTHONPATH": "lib"}
    done, number, sha = ran(lab, gitlab_forge, path=machine_kit.path(lab), variables=images)
    assert done.returncode == 0, done.stdout + done.stderr
    (body,) = bodies(gitlab_forge, number)
    assert "`accuracy` | 0.5 | 1 | +0.5" in body
    assert gitlab_forge.shown(sha)["cml-run"] == "success"
    assert lab.git("ls-remote", "--tags", "origin", f"exp-{sha[:7]}")
    own, package, _, locked, knew = (lab.root / "pip.log").read_text().splitlines()
    assert own == "install -r requirements.txt"
    assert "--no-deps --requirement" in package
    assert re.search("--require-hashes --requirement .*/all.txt", locked)
    assert not re.search("PIP_TARGET|PYTHONPATH", package + locked)
    assert "CML_PACKAGE" in knew
    assert "GITLAB_TOKEN" not in knew
    assert "exported artifacts" in done.stdout


def test_the_job_has_the_name_and_the_place_that_one_wants(lab: Lab) -> None:
    included(lab, {"job-name": "mine", "stage": "build", "image": "own:1", "package": "-"})
    lab.commit("Include it")
    done = gitlab_local_kit.program(lab, "--list-json")
    found = {job["name"]: job["stage"] for job in json.loads(done.stdout)}
    assert found == {"mine": "build"}


def test_variables_of_the_project_win_and_those_of_the_file_do_not(
    lab: Lab, gitlab_forge: GitLab
) -> None:
    include = {"component": "", "inputs": {"package": "-", "name": "mine"}}
    variables = {"tag_prefix": "old-", "CML_FAIL_ON": "wrong"}
    write(lab, {"include": [include], "variables": variables})
    done, _, sha = ran(lab, gitlab_forge, variables={"CML_NAME": "theirs"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert gitlab_forge.shown(sha)["theirs"] == "success"
    assert lab.git("ls-remote", "--tags", "origin", f"old-{sha[:7]}")


def test_a_failed_check_fails_the_job(lab: Lab, gitlab_forge: GitLab) -> None:
    included(lab, {"package": "-"})
    lab.write("cml.yaml", "checks:\n  metrics:accuracy:\n    target: 2..\n")
    lab.commit("Set a rule")
    done, _, sha = ran(lab, gitlab_forge)
    assert done.returncode == 1
    assert gitlab_forge.shown(sha)["cml-run"] == "failed"


def test_hostile_inputs_stay_data(lab: Lab, gitlab_forge: GitLab) -> None:
    name = 'it\'s "$(touch pwned)" `touch pwned` ; touch pwned #'
    included(lab, {"package": "-", "name": name, "fail-on": "fail\ninvalid\n"})
    done, _, sha = ran(lab, gitlab_forge)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(lab.root.rglob("pwned"))
    assert gitlab_forge.shown(sha)[name] == "success"


def test_a_wrong_choice_is_refused_before_anything_runs(lab: Lab) -> None:
    included(lab, {"publish": "perhaps"})
    lab.commit("Include it")
    done = gitlab_local_kit.program(lab, "--list")
    assert done.returncode != 0
    assert "not in the list of allowed options" in done.stdout + done.stderr


def test_another_command_works_in_another_folder(lab: Lab, gitlab_forge: GitLab) -> None:
    included(lab, {"package": "-", "command": "plan", "working-directory": "lib"})
    done, _, _ = ran(lab, gitlab_forge)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train" in done.stdout
    assert lab.runs == []


def wheel(folder: Path) -> str:
    """Build the package; return the line that names it, and its hash, to pip."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(ROOT)], check=True)
    (file,) = folder.iterdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"cml-run @ {file.as_uri()} --hash=sha256:{digest}"


def test_the_locked_packages_do_beside_those_of_the_job(lab: Lab, gitlab_forge: GitLab) -> None:
    if not machine_kit.reachable(lab.root / "downloads"):
        pytest.skip("no packages can be had here")
    lab.run(str(machine_kit.PYTHON), "-m", "venv", "--without-pip", str(lab.root / "venv"))
    package = wheel(lab.root / "wheel")
    included(lab, {"package": package}, variables={"PYTHONPATH": "lib", "PIP_TARGET": "lib"})
    lab.write("lib/yaml.py", "raise SystemExit('the yaml of the repository')\n")
    path = os.pathsep.join([str(lab.root / "venv" / "bin"), machine_kit.path(lab)])
    done, number, sha = ran(lab, gitlab_forge, path=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(bodies(gitlab_forge, number)) == 1
    assert gitlab_forge.shown(sha)["cml-run"] == "success"
