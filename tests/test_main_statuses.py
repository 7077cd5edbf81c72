"""Which commits get which status, where others push meanwhile or the git remote refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from forge_kit import NAME, job
from main_kit import change, checked_out, newcomer, results
from test_main_gate import gated

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

CHECK = "custom:result.json"
RULES = f"checks:\n  {CHECK}: {{aggregate: /acc, target: 0.5..}}\n"
GOOD, BAD = "success", {"failure", "failed", "error"}


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def overtaken(lab: Lab, forge: Fake, accuracy: float = 0.1) -> tuple[str, Path]:
    """Run a good change, while whose training somebody pushes a result that nobody judges."""
    lab.write("result.json", '{"acc": 0.9}')
    gated(lab, RULES)
    sha = change(lab)
    forge.add_pull(head="better", sha=sha, base="main")
    cwd = checked_out(lab, "ci", sha)
    text = json.dumps({"acc": accuracy})
    during = newcomer(lab, f"echo '{text}' > result.json", branch="better")
    done = job(lab, forge, "push", sha, cwd=cwd, branch="better", environ=during)
    assert done.returncode == 0, done.stderr
    return sha, cwd


def test_results_on_top_of_a_newcomer_do_not_inherit_the_status_of_another_commit(
    lab: Lab, forge: Fake
) -> None:
    sha, cwd = overtaken(lab, forge)
    (commit,) = results(lab, "better")
    published = lab.record(cwd)["published"]
    assert (published["commit"], published["pushed"]) == (commit, True)
    assert published["parent"] == lab.git("rev-parse", "better~1", cwd=lab.origin) != sha
    assert "a run of the newest one" in published["note"]
    assert forge.shown(sha)[NAME] == GOOD
    assert forge.shown(commit) == {}


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.1, "fail"), (0.8, "pass")])
def test_the_newcomers_own_run_judges_the_results_that_stand_on_it(
    lab: Lab, forge: Fake, accuracy: float, verdict: str
) -> None:
    overtaken(lab, forge, accuracy)
    (commit,) = results(lab, "better")
    mate = lab.git("rev-parse", "better~1", cwd=lab.origin)
    job(lab, forge, "push", mate, cwd=checked_out(lab, "mate-ci", mate), branch="better")
    assert results(lab, "better") == [commit]
    for name in (NAME, f"{NAME}/{CHECK}"):
        assert (forge.shown(commit)[name] == GOOD) == (verdict == "pass")
        assert forge.shown(commit)[name] == forge.shown(mate)[name]


def test_where_the_git_remote_refuses_the_results_the_status_says_so(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, "checks:\n  metrics:accuracy: {target: 0.4..}\n")
    sha = lab.change_rate(3.0)
    hook = lab.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 4, done.stderr
    assert lab.record(cwd)["verdict"] == "pass"
    shown = github_forge.shown(sha)
    assert shown[NAME] in BAD
    assert shown[f"{NAME}/metrics:accuracy"] == GOOD
