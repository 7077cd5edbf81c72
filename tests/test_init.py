"""`cml-run init`: the first files, for the forge at hand, and nobody's work overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from subprocess import CompletedProcess

ROOT = Path(__file__).parent.parent
GITHUB = ".github/workflows/cml.yaml"
GITLAB = ".gitlab-ci.yml"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def origin(work: Path, url: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", url], cwd=work, check=True)


def init(work: Path, *options: str, **env: str) -> CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cml", "init", *options],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(work.parent), "PYTHONPATH": str(ROOT), **env},
    )


def written(work: Path) -> set[str]:
    files = (path for path in work.rglob("*") if path.is_file())
    return {str(path.relative_to(work)) for path in files if ".git/" not in str(path)}


@pytest.mark.parametrize(
    ("url", "env", "workflow"),
    [
        ("https://github.com/o/r.git", {}, GITHUB),
        ("git@github.com:o/r.git", {}, GITHUB),
        ("https://token@github.com/o/r", {}, GITHUB),
        ("https://code.corp/o/r", {"GITHUB_SERVER_URL": "https://code.corp"}, GITHUB),
        ("git@gitlab.com:group/sub/r.git", {}, GITLAB),
        ("https://gitlab.corp.example:8443/forge/group/r", {}, GITLAB),
        ("ssh://git@gitlab.corp.example:2222/group/r", {}, GITLAB),
        ("https://code.corp/forge/o/r", {"CI_SERVER_URL": "https://code.corp/forge"}, GITLAB),
    ],
)
def test_the_workflow_is_for_the_forge_of_origin(
    work: Path, url: str, env: dict[str, str], workflow: str
) -> None:
    origin(work, url)
    done = init(work, **env)
    assert done.returncode == 0, done.stderr
    assert written(work) == {"cml.yaml", workflow}
    lines = done.stdout.splitlines()
    assert lines[:2] == ["wrote cml.yaml", f"wrote {workflow}"]
    assert lines[2].startswith("next: commit it")
    assert ("secrets" if workflow == GITHUB else "repo_token") in lines[2]


@pytest.mark.parametrize(
    "url", ["https://notgithub.com/o/r", "https://code.corp/gitlab/r", "/srv/r"]
)
def test_a_host_that_says_nothing_gets_no_workflow(work: Path, url: str) -> None:
    origin(work, url)
    done = init(work)
    assert written(work) == {"cml.yaml"}
    assert "--forge github" in done.stdout.splitlines()[-1]


def test_a_forge_can_be_named(work: Path) -> None:
    origin(work, "https://github.com/o/r")
    assert init(work, "--forge", "gitlab").returncode == 0
    assert written(work) == {"cml.yaml", GITLAB}


def test_outside_a_repository_there_are_only_settings(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    assert written(tmp_path) == {"cml.yaml"}
    done = init(tmp_path, "--forge", "github")
    assert (done.returncode, "git init" in done.stderr) == (2, True)


def test_the_workflow_goes_to_the_top_and_the_settings_stay_here(work: Path) -> None:
    origin(work, "https://github.com/o/r")
    (work / "model").mkdir()
    done = init(work / "model")
    assert written(work) == {"model/cml.yaml", GITHUB}
    assert f"wrote {work / GITHUB}" in done.stdout


def test_what_is_there_is_kept_and_the_rest_is_written(work: Path) -> None:
    (work / GITLAB).write_text("mine: true\n")
    done = init(work, "--forge", "gitlab")
    assert done.returncode == 0
    assert f"kept {GITLAB}: --force overwrites it" in done.stdout
    assert (work / GITLAB).read_text() == "mine: true\n"
    again = init(work, "--forge", "gitlab")
    assert again.returncode == 2
    assert f"cml.yaml and {GITLAB} are already there" in again.stderr
    assert init(work, "--forge", "gitlab", "--force").returncode == 0
    assert "cml-run" in (work / GITLAB).read_text()


def workflow(work: Path) -> Any:
    init(work, "--forge", "github")
    return YAML(typ="safe").load(work / GITHUB)


def test_the_workflow_grants_no_more_than_it_says_why(work: Path) -> None:
    found = workflow(work)
    assert found["permissions"] == {}
    wanted = {"contents": "write", "pull-requests": "write", "checks": "write"}
    assert found["jobs"]["experiment"]["permissions"] == wanted
    for line in (work / GITHUB).read_text().splitlines():
        assert not line.endswith(": write"), f"no reason: {line}"


def test_the_actions_of_the_workflow_are_pinned(work: Path) -> None:
    steps = workflow(work)["jobs"]["experiment"]["steps"]
    pins = [step["uses"].partition("@")[2] for step in steps if "uses" in step]
    assert [len(pin) for pin in pins] == [40, 40]
