"""The workflows that people copy: one text everywhere, safe, and with variables that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cml import config
from cml.commands import init

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
FILES = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.yml"))
PERMISSIONS = re.compile(r"^ +[a-z-]+: (read|write)\b(.*)$", re.MULTILINE)


def load(name: str) -> dict[Any, Any]:
    found = YAML(typ="safe").load((EXAMPLES / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_init_and_examples_and_readme_have_one_text(forge: init.Forge) -> None:
    text = init.text(init.WORKFLOWS[forge])
    assert (EXAMPLES / f"{forge}.yml").read_text(encoding="utf-8") == text
    assert f"```yaml\n{text}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_each_example_is_explained(name: str) -> None:
    explained = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert f"]({name})" in explained or f"]({name.partition('/')[0]})" in explained


@pytest.mark.parametrize(
    "name", [name for name in FILES if "github" in name and "2020" not in name]
)
def test_each_permission_has_its_reason(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    granted = PERMISSIONS.findall(text)
    assert load(name)["permissions"] == {}
    assert granted
    assert all(re.fullmatch(r" # \S.*", reason) for _, reason in granted)


@pytest.mark.parametrize(
    "name", [name for name in FILES if "github" in name and "2020" not in name]
)
def test_each_action_is_pinned_and_leaves_no_token_behind(name: str) -> None:
    (job,) = load(name)["jobs"].values()
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


def test_the_job_that_may_write_runs_no_code_of_the_pull_request() -> None:
    untrusted, trusted = load("github-forks/experiment.yml"), load("github-forks/publish.yml")
    assert trusted["on"]["workflow_run"]["workflows"] == [untrusted["name"]]
    (job,) = untrusted["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in (EXAMPLES / "github-forks/experiment.yml").read_text()
    (job,) = trusted["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert [command.split()[0:2] for command in commands] == [
        ["pip", "install"],
        ["cml-run", "post"],
    ]
    text = (EXAMPLES / "github-forks/publish.yml").read_text()
    assert "head_sha" not in text
    assert "head_branch" not in text


def test_the_two_halves_of_a_fork_agree_on_the_artifact() -> None:
    uploads, downloads = (
        next(
            step["with"]
            for step in next(iter(load(f"github-forks/{name}.yml")["jobs"].values()))["steps"]
            if f"actions/{action}-artifact@" in step.get("uses", "")
        )
        for name, action in (("experiment", "upload"), ("publish", "download"))
    )
    assert uploads["name"] == downloads["name"]
    # .cml is hidden, and hidden files are left out unless one asks for them.
    assert uploads["include-hidden-files"] is True


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_variables_of_2020_are_variables_of_ours(forge: str) -> None:
    found = load(f"2020/{forge}.yml")
    job = (
        found["jobs"]["run"]["steps"][-1]["env"] if forge == "github" else found["dvc"]["variables"]
    )
    old = {name for name in job if not name.startswith("AWS_")} - {"repo_token"}
    assert len(old) == 6
    assert old <= {option.bare for option in config.OPTIONS}
