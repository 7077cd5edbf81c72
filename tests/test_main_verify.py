"""Verification end to end: what was recorded of a stage is seen to be what it computes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from forge_kit import NAME, bodies, job
from main_kit import checked_out
from test_main_gate import gated

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

RULES = "verify: [evaluate]\nchecks:\n  metrics:accuracy: {target: 0.4..}\n"
TRUE, FORGED = 0.5, 0.99


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def forge_metrics(lab: Lab, accuracy: float) -> None:
    """Edit the metrics and dvc.lock together, so that DVC sees nothing to do."""
    old = (lab.work / "metrics.json").read_bytes()
    new = json.dumps({"accuracy": accuracy, "n": 3}).encode()
    lock = (lab.work / "dvc.lock").read_text()
    hashes = [hashlib.md5(text, usedforsecurity=False).hexdigest() for text in (old, new)]
    assert hashes[0] in lock
    lock = lock.replace(*hashes).replace(f"size: {len(old)}\n", f"size: {len(new)}\n")
    lab.write("dvc.lock", lock)
    lab.write("metrics.json", new.decode())


def test_forged_metrics_are_exposed_and_nothing_is_saved(lab: Lab, forge: Fake) -> None:
    gated(lab, RULES)
    forge_metrics(lab, FORGED)
    sha = lab.commit("Better, I swear")
    assert lab.dvc("status") == "Data and pipelines are up to date."
    number = forge.add_pull(head="better", sha=sha, base="main")
    cwd = checked_out(lab, "ci", sha)
    before = lab.remote_refs()
    done = job(lab, forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 5, done.stderr
    assert lab.runs == ["evaluate"]
    (problem,) = lab.record(cwd)["problems"]
    assert problem.startswith("accuracy in metrics.json is not what its stage computes")
    assert f"{FORGED} is recorded, {TRUE} is computed" in problem
    assert f"{FORGED} is recorded" in bodies(forge, number)[0].replace("\\", "")
    assert "nothing was saved" in bodies(forge, number)[0]
    assert forge.shown(sha)[NAME] in {"failure", "failed", "error"}
    branches = {k: v for k, v in lab.remote_refs().items() if k.startswith("refs/heads/")}
    assert branches.items() <= before.items()
    assert json.loads((cwd / "metrics.json").read_text())["accuracy"] == TRUE


def test_without_verification_forged_metrics_pass(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, RULES.replace("verify: [evaluate]\n", ""))
    forge_metrics(lab, FORGED)
    sha = lab.commit("Better, I swear")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("edit", ["verify: []", "repro_targets: '-'\nverify: [evaluate]"])
def test_a_pull_request_cannot_take_its_verification_away(
    lab: Lab, github_forge: GitHub, edit: str
) -> None:
    gated(lab, RULES)
    forge_metrics(lab, FORGED)
    lab.write("cml.yaml", RULES.replace("verify: [evaluate]", edit))
    sha = lab.commit("Better, I swear")
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 5, done.stderr
    shown = "verify changes: from evaluate to nothing." in bodies(github_forge, number)[0]
    assert shown == (edit == "verify: []")


def test_true_metrics_are_verified_and_change_nothing(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, RULES)
    lab.write("README", "x")
    sha = lab.commit("Nothing to train")
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    assert lab.runs == ["evaluate"]
    assert lab.record(cwd)["outcome"] == "unchanged"
    assert lab.results("better") == []


def test_results_that_the_last_commit_does_not_claim_are_not_compared(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, RULES)
    sha = lab.change_rate(2.0)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 0, done.stdout
    assert lab.record(cwd)["problems"] == []
    assert len(lab.results("better")) == 1


def test_results_of_a_run_that_was_never_saved_are_no_forgery(lab: Lab) -> None:
    gated(lab, RULES)
    lab.change_rate(2.0)
    for _ in range(2):
        done = lab.cml(cwd=lab.work)
        assert done.returncode == 0, done.stdout
    assert lab.runs == ["train", "evaluate", "evaluate"]


def test_the_run_cache_does_not_answer_for_a_verified_stage(lab: Lab) -> None:
    gated(lab, RULES)
    lab.change_rate(2.0)
    assert lab.cml().returncode == 0
    lab.git("checkout", "-q", "--", "dvc.lock", "metrics.json", "loss.csv")
    assert lab.cml().returncode == 0
    assert lab.runs == ["train", "evaluate", "evaluate"]
    assert [(s["name"], s["state"]) for s in lab.record()["stages"]] == [
        ("prepare", "unchanged"),
        ("train", "cached"),
        ("evaluate", "ran"),
    ]


@pytest.mark.parametrize(("tolerance", "status"), [("0.1", 0), ("0.001", 5)])
def test_a_difference_within_the_tolerance_is_none(
    lab: Lab, github_forge: GitHub, tolerance: str, status: int
) -> None:
    gated(lab, f"verify-tolerance: {tolerance}\n{RULES}")
    forge_metrics(lab, 0.52)
    sha = lab.commit("Computed on another machine")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == status, done.stdout


@pytest.mark.parametrize(
    ("name", "says"), [("evaluat", "evaluat"), ("data.dvc", "has no command"), ("frozen", "frozen")]
)
def test_a_stage_that_cannot_be_verified_is_a_mistake_with_its_place(
    lab: Lab, name: str, says: str
) -> None:
    if name == "frozen":
        text = (lab.work / "dvc.yaml").read_text()
        lab.write("dvc.yaml", text.replace("  evaluate:\n", "  evaluate:\n    frozen: true\n"))
    lab.write("cml.yaml", f"tag_prefix: exp-\nverify: {name.replace('frozen', 'evaluate')}\n")
    lab.commit("Set the gate")
    done = lab.cml()
    assert done.returncode == 2
    assert "cml.yaml:2:1" in done.stdout + done.stderr
    assert says in done.stdout
    assert lab.runs == []


def test_a_pull_request_that_takes_the_verified_stage_away_is_invalid(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, RULES)
    for name in ("dvc.yaml", "dvc.lock"):
        text = (lab.work / name).read_text()
        lab.write(name, text.replace("  evaluate:\n", "  judge:\n"))
    lab.write("cml.yaml", RULES.replace("evaluate", "judge"))
    sha = lab.commit("Rename the stage")
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 5, done.stdout
    (problem,) = lab.record(cwd)["problems"]
    assert ":cml.yaml:1:1: " in problem
    assert "evaluate" in problem


OUT = "    metrics:\n      - metrics.json: {cache: false}\n"
REPORT = """\
  report:
    cmd: cp eval.json metrics.json
    deps: [eval.json]
    metrics: [metrics.json: {cache: false}]
"""


def move_metrics(lab: Lab, to: str) -> None:
    """Take metrics.json from the verified stage, which writes another file from now on."""
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace(OUT, "    outs: [eval.json: {cache: false}]\n") + to)
    text = (lab.work / "evaluate.py").read_text()
    lab.write("evaluate.py", text.replace("metrics.json", "eval.json"))


@pytest.mark.parametrize("to", [REPORT, "metrics: [metrics.json]\n"])
def test_metrics_that_leave_the_verified_stage_are_told_and_not_believed(
    lab: Lab, github_forge: GitHub, to: str
) -> None:
    gated(lab, RULES)
    move_metrics(lab, to)
    lab.write("metrics.json", json.dumps({"accuracy": FORGED, "n": 3}))
    sha = lab.change_rate(0.1)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 5, done.stdout
    (problem,) = lab.record(cwd)["problems"]
    assert problem.startswith("metrics.json, which the verified stage evaluate made")
    assert json.loads((cwd / "eval.json").read_text())["accuracy"] == 0.05
    assert lab.results("better") == []


def test_metrics_leave_the_verified_stage_of_the_rules_even_if_the_baseline_is_older(
    lab: Lab,
) -> None:
    lab.git("checkout", "-q", "-b", "older", "--no-track")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("  evaluate:\n", "  judge:\n"))
    lab.commit("Another name")
    lab.git("checkout", "-q", "main")
    gated(lab, f"baseline: older\n{RULES}")
    move_metrics(lab, "metrics: [metrics.json]\n")
    lab.change_rate(0.1)
    done = lab.cml()
    assert done.returncode == 5, done.stdout
    (problem,) = lab.record()["problems"]
    assert problem.startswith("metrics.json, which the verified stage evaluate made")


def test_metrics_that_no_verified_stage_has_made_may_come_from_anywhere(lab: Lab) -> None:
    move_metrics(lab, "metrics: [metrics.json]\n")
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    gated(lab, RULES)
    lab.write("more.json", "{}")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("[metrics.json]", "[metrics.json, more.json]"))
    lab.commit("One more")
    done = lab.cml()
    assert done.returncode == 0, done.stdout


def test_metrics_may_move_between_verified_stages(lab: Lab) -> None:
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + "  report: {cmd: echo none}\n")
    gated(lab, RULES.replace("[evaluate]", "[evaluate, report]"))
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("  report: {cmd: echo none}\n", ""))
    move_metrics(lab, REPORT)
    lab.change_rate(2.0)
    done = lab.cml()
    assert done.returncode == 0, done.stdout
    assert lab.metric("accuracy")["new"] == 1.0


def test_the_plan_names_what_is_verified(lab: Lab) -> None:
    gated(lab, RULES + "repro_targets: '-'\n")
    lab.write("README", "x")
    lab.commit("Nothing to train")
    done = lab.cml("plan", "--json")
    assert done.returncode == 0, done.stderr
    stages = json.loads(done.stdout)["pipeline"]["stages"]
    assert [stage["name"] for stage in stages if stage["reasons"] == ["is verified"]] == [
        "evaluate"
    ]
