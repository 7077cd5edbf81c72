"""The workflows that people copy: one text everywhere, safe, and with variables that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from ruamel.yaml import YAML

import cml
from cml import config
from cml.checks import policy
from cml.cli.main import command
from cml.commands import init

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
WORKFLOWS = sorted(
    path.relative_to(EXAMPLES).as_posix()
    for path in EXAMPLES.rglob(".github/workflows/*.y*ml")
    if "before" not in path.parts
)
SETTINGS = sorted(
    path.relative_to(EXAMPLES).as_posix()
    for path in EXAMPLES.rglob("cml.yaml")
    if ".github" not in path.parts
)
# Three repositories have the pipeline of another.
SHARED = [
    *((name, "github-basic") for name in ("gitlab-basic", "fork-safe")),
    ("gpu-self-hosted", "mnist"),
]
OWN = {"README.md", "requirements.txt", ".gitlab-ci.yml", "config", "params.yaml"}
FORKS = "fork-safe/.github/workflows"
PERMISSIONS = re.compile(r"^ +[a-z-]+: (read|write)\b(.*)$", re.MULTILINE)


def load(name: str) -> dict[Any, Any]:
    found = YAML(typ="safe").load((EXAMPLES / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_init_and_examples_and_readme_have_one_text(forge: init.Forge) -> None:
    text = init.text(init.WORKFLOWS[forge])
    example = EXAMPLES / f"{forge}-basic" / init.WORKFLOWS[forge].path
    assert example.read_text(encoding="utf-8") == text
    assert f"```yaml\n{text}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_each_example_is_explained(name: str) -> None:
    assert f"[{name}]({name})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    told = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert told.startswith(f"# {name}\n")
    files = {path.name for path in (EXAMPLES / name).rglob("*")}
    named = re.findall(r"`([\w./-]+\.(?:yaml|yml|csv|txt|json|lock|config))`", told)
    made = {"dvc.lock", "metrics.json", "curve.csv", "predictions.csv"}
    assert {file.rpartition("/")[2] for file in named} - made <= files


@pytest.mark.parametrize("name", [".", *NAMES])
def test_links_lead_somewhere(name: str) -> None:
    file = EXAMPLES / name / "README.md"
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", file.read_text(encoding="utf-8")):
        assert (file.parent / link).exists(), link


def test_images_are_those_of_this_version() -> None:
    texts = [file.read_text() for file in EXAMPLES.rglob("*.y*ml") if "before" not in file.parts]
    tags = {tag for text in texts for tag in re.findall(r"ghcr.io/OWNER/cml-run:(.+)", text)}
    assert tags == {cml.__version__, f"{cml.__version__}-cuda"}


def test_what_the_examples_make_is_in_no_git() -> None:
    made = {"dvc.lock", "metrics.json", "model.json", "model.npz", "curve.csv"}
    kept = [path for path in EXAMPLES.rglob("*") if path.name in made]
    assert {path.relative_to(EXAMPLES).parts[0] for path in kept} <= {"from-dvc-cml"}


@pytest.mark.parametrize(("name", "origin"), SHARED)
def test_a_pipeline_that_two_examples_have_is_one(name: str, origin: str) -> None:
    for path in (EXAMPLES / name).rglob("*"):
        if path.is_file() and path.name not in OWN and ".github" not in path.parts:
            same = EXAMPLES / origin / path.relative_to(EXAMPLES / name)
            assert path.read_bytes() == same.read_bytes(), path


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_and_rules_are_valid(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    config.settings({}, {}, text)
    assert policy.read(text, name).checks


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_permission_has_its_reason(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    granted = PERMISSIONS.findall(text)
    assert load(name)["permissions"] == {}
    assert granted or name.endswith("/runner.yml")
    assert all(re.fullmatch(r" # \S.*", reason) for _, reason in granted)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_action_is_pinned_and_leaves_no_token_behind(name: str) -> None:
    for step in (step for job in load(name)["jobs"].values() for step in job["steps"]):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    untrusted, trusted = load(f"{FORKS}/experiment.yml"), load(f"{FORKS}/publish.yml")
    assert trusted["on"]["workflow_run"]["workflows"] == [untrusted["name"]]
    (job,) = untrusted["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in (EXAMPLES / FORKS / "experiment.yml").read_text()
    (job,) = trusted["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert [command.split()[0:2] for command in commands] == [
        ["pip", "install"],
        ["cml-run", "post"],
    ]
    text = (EXAMPLES / FORKS / "publish.yml").read_text()
    assert "head_sha" not in text
    assert "head_branch" not in text


def test_the_two_halves_of_a_fork_agree_on_the_artifact() -> None:
    uploads, downloads = (
        next(
            step["with"]
            for step in next(iter(load(f"{FORKS}/{name}.yml")["jobs"].values()))["steps"]
            if f"actions/{action}-artifact@" in step.get("uses", "")
        )
        for name, action in (("experiment", "upload"), ("publish", "download"))
    )
    assert uploads["name"] == downloads["name"]
    # .cml is hidden, and hidden files are left out unless one asks for them.
    assert uploads["include-hidden-files"] is True


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("file", [".github/workflows/dvc-cml.yml", ".gitlab-ci.yml"])
def test_the_variables_of_2020_are_variables_of_ours(when: str, file: str) -> None:
    found = load(f"from-dvc-cml/{when}/{file}")
    job = found["dvc"]["variables"] if "dvc" in found else found["jobs"]["run"]["steps"][-1]["env"]
    old = {name for name in job if not name.startswith("AWS_")} - {"repo_token"}
    assert len(old) == 6
    assert old <= {option.bare for option in config.OPTIONS}


def test_no_code_of_a_fork_comes_near_a_machine_of_ones_own() -> None:
    found = load("gpu-self-hosted/.github/workflows/cml.yaml")
    (job,) = found["jobs"].values()
    assert job["runs-on"] == ["cml", "gpu"]
    assert found["on"].keys() == {"push"}


def calls() -> Iterator[tuple[str, str]]:
    """Yield each call of cml-run that a CI file makes or a README tells of, with its file."""
    for file in (*EXAMPLES.rglob("*.y*ml"), *EXAMPLES.rglob("README.md")):
        text = file.read_text(encoding="utf-8")
        for found in re.findall(
            r"(?:^|- |run: |`)(cml-run\b(?!\[)[^`#>|&\n]*)", text, re.MULTILINE
        ):
            yield file.relative_to(EXAMPLES).as_posix(), found.strip()


@pytest.mark.parametrize(("file", "line"), sorted(set(calls())))
def test_each_command_exists_with_its_options(file: str, line: str) -> None:
    known: click.Command = command
    words = line.split()[1:]
    while isinstance(known, click.Group) and words and not words[0].startswith("-"):
        found = known.get_command(click.Context(known), words.pop(0))
        assert found, line
        known = found
    flags = {flag for param in known.params for flag in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= flags
