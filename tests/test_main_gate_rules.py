"""Whose rules judge: those of the branch that a change is meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from forge_kit import EVENTS, NAME, bodies, job
from main_kit import checked_out
from test_main_gate import checks, gated

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


GATE = checks("target: 1.5..")


def test_a_branch_from_before_the_gate_is_judged_by_the_gate(lab: Lab, forge: Fake) -> None:
    lab.git("checkout", "-q", "-b", "better")
    sha = lab.change_rate(2.0)
    lab.git("checkout", "-q", "main")
    lab.write("cml.yaml", GATE)
    lab.commit("Set the gate")
    number = forge.add_pull(head="better", sha=sha, base="main")
    event, cwd = EVENTS[type(forge).__name__], checked_out(lab, "ci", sha)

    done = job(lab, forge, event, sha, cwd=cwd, number=number)

    assert done.returncode == 1, done.stderr
    assert "in effect after the merge" not in bodies(forge, number)[0]


def test_a_branch_without_history_is_judged_by_the_gate(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, GATE)
    lab.git("checkout", "-q", "--orphan", "alone")
    lab.write("cml.yaml", checks("target: 0.1.."))
    sha = lab.change_rate(2.0)

    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="alone")

    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("baseline", ["before", "HEAD~1"])
def test_a_baseline_from_before_the_gate_takes_no_gate_away(
    lab: Lab, github_forge: GitHub, baseline: str
) -> None:
    lab.git("tag", "before")
    lab.git("push", "-q", "origin", "before")
    gated(lab, f"baseline: {baseline}\n{GATE}")
    lab.write("cml.yaml", f"baseline: {baseline}\n")
    lab.commit("Take the gate away", push=False)
    sha = lab.change_rate(2.0)

    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")

    assert done.returncode == 1, done.stderr
    assert lab.record(lab.root / "ci")["baseline"]["revision"] == baseline


def test_a_push_to_a_pull_request_is_judged_as_the_pull_request_is(lab: Lab, forge: Fake) -> None:
    lab.git("push", "-q", "origin", "main:release")
    lab.git("checkout", "-q", "-b", "release")
    lab.write("cml.yaml", checks("{target: 1.5.., only-pulls: true, branches: [release]}"))
    lab.commit("Set a gate for releases")
    lab.git("push", "-q", "origin", "release")
    lab.git("checkout", "-q", "-b", "better", "main")
    sha = lab.change_rate(2.0)
    cwd = checked_out(lab, "ci", sha)
    assert job(lab, forge, "push", sha, cwd=cwd, branch="better").returncode == 0

    number = forge.add_pull(head="better", sha=sha, base="release")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "again", sha), branch="better")

    assert done.returncode == 1, done.stderr
    assert len(bodies(forge, number)) == 1


def test_a_baseline_that_is_not_there_is_told_before_it_is_merged(lab: Lab) -> None:
    gated(lab, GATE)
    lab.write("cml.yaml", f"baseline: v9.9\n{GATE}")
    lab.change_rate(2.0)
    done = lab.cml()
    assert done.returncode == 2
    assert "the baseline 'v9.9' cannot be found" in lab.record()["failure"]["message"]


@pytest.mark.parametrize(
    "setting", ["repro_targets: '-'", "repro_targets: prepare", "metrics_diff_targets: '-'"]
)
def test_a_change_cannot_choose_how_much_of_it_is_judged(
    lab: Lab, github_forge: GitHub, setting: str
) -> None:
    gated(lab, checks("target: ..0.9"))
    lab.write("cml.yaml", setting + "\n" + checks("target: ..0.9"))
    sha = lab.change_rate(2.0)
    number = github_forge.add_pull(head="better", sha=sha, base="main")

    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")

    assert done.returncode == 1, done.stderr
    (body,) = bodies(github_forge, number)
    assert f"{setting.partition(':')[0]} changes:" in body.replace("\\", "")


def test_a_link_as_rules_is_refused_before_it_is_merged(lab: Lab) -> None:
    lab.write("rules.yaml", GATE)
    (lab.work / "cml.yaml").symlink_to("rules.yaml")
    lab.commit("Link the rules")
    done = lab.cml()
    assert done.returncode == 2
    assert "cml.yaml is a symbolic link" in lab.record()["failure"]["message"]


def test_the_merge_queue_is_never_skipped(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, GATE)
    sha = lab.change_rate(2.0)
    lab.git("commit", "-q", "--allow-empty", "-m", "Merge [skip ci]")
    sha = lab.git("rev-parse", "HEAD").strip()
    lab.git("push", "-q", "origin", "HEAD:refs/heads/queue")

    done = job(lab, github_forge, "merge_group", sha, cwd=checked_out(lab, "ci", sha))

    assert done.returncode == 1, done.stderr
    assert github_forge.shown(sha)[NAME] == "failure"
