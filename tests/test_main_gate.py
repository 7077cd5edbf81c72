"""The gate end to end: the main job in a forge's CI, with rules that block or let pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from forge_kit import NAME, bodies, job
from main_kit import checked_out

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_gitlab import GitLab
    from forge_kit import Fake
    from lab import Lab

GRADIENT = """\
version: 0
type: single
worker: {container: c, command: train, machine-type: K80}
checks:
  tensorflow:loss:
    target: 0.0..0.5
    aggregate: mean
"""


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: GitHub | GitLab = request.getfixturevalue(f"{request.param}_forge")
    return fake


def gated(lab: Lab, checks: str, name: str = "cml.yaml") -> None:
    """Put rules on the main branch, then leave it for a branch with a change."""
    lab.write(name, checks)
    lab.commit("Set the gate")
    lab.git("checkout", "-q", "-b", "better")


def checks(target: str, name: str = "metrics:accuracy") -> str:
    return f"checks:\n  {name}:\n    {target}\n"


@pytest.mark.parametrize(
    ("target", "status", "state"),
    [
        ("target: 0.9..", 0, "success"),
        ("target: ..0.9", 1, "failure"),
        ("{direction: higher, max-drop: 0.01}", 0, "success"),
        ("{direction: lower, max-drop: 0.01}", 1, "failure"),
        ("{target: ..0.9, level: warn}", 0, "success"),
        ("{target: ..0.9, level: off}", 0, "success"),
    ],
)
def test_a_check_blocks_or_lets_pass(
    lab: Lab, github_forge: GitHub, target: str, status: int, state: str
) -> None:
    text = (
        checks(target)
        if target.startswith("target")
        else f"checks:\n  metrics:accuracy: {target}\n"
    )
    gated(lab, text)
    sha = lab.change_rate(2.0)
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == status, done.stderr
    assert github_forge.shown(sha)[NAME] == state
    if "off" not in target:
        own = "success" if "warn" in target else state
        assert github_forge.shown(sha)[f"{NAME}/metrics:accuracy"] == own
        assert "metrics:accuracy" in bodies(github_forge, number)[0]
    assert len(lab.results("better")) == 1


def test_a_pull_request_cannot_loosen_its_own_gate(lab: Lab, forge: Fake) -> None:
    gated(lab, checks("target: 1.5.."))
    lab.write("cml.yaml", checks("target: 0.1.."))
    sha = lab.change_rate(2.0)
    number = forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 1, done.stderr
    (body,) = bodies(forge, number)
    assert "in effect after the merge" in body
    assert "0.1.." in body
    assert forge.shown(sha)[NAME] in {"failure", "failed"}


@pytest.mark.parametrize("setting", ["fail_on: '-'", "baseline: HEAD", "baseline: better"])
def test_a_pull_request_cannot_loosen_its_gate_by_a_setting_either(
    lab: Lab, github_forge: GitHub, setting: str
) -> None:
    gated(lab, checks("target: 1.5.."))
    lab.write("cml.yaml", f"{setting}\n" + checks("target: 0.1.."))
    sha = lab.change_rate(2.0)
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 1, done.stderr
    (body,) = bodies(github_forge, number)
    key, value = setting.split(": ")
    assert f"{key} changes: from" in body.replace("\\", "")
    assert github_forge.shown(sha)[NAME] == "failure"
    told = lab.cml("check", "--json", "--baseline", "origin/main", cwd=lab.root / "ci")
    assert (told.returncode, value) == (1, value)


def test_settings_of_the_baseline_bear_on_the_verdict(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, "fail_on: invalid\n" + checks("target: 1.5.."))
    lab.write("cml.yaml", checks("target: 1.5.."))
    sha = lab.change_rate(2.0)
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr


def test_taking_the_rules_away_does_not_take_the_gate_away(lab: Lab, forge: Fake) -> None:
    gated(lab, checks("target: 1.5.."))
    lab.git("rm", "-q", "cml.yaml")
    sha = lab.change_rate(2.0)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("what", ["disappears", "never existed"])
def test_a_metric_that_is_not_there_is_no_pass(lab: Lab, forge: Fake, what: str) -> None:
    name = "accuracy" if what == "disappears" else "f1"
    gated(lab, checks("target: 0.1..", f"metrics:{name}"))
    if what == "disappears":
        text = (lab.work / "evaluate.py").read_text()
        lab.write("evaluate.py", text.replace('"accuracy"', '"other"'))
    sha = lab.change_rate(2.0)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 5, done.stderr
    assert forge.shown(sha)[NAME] in {"failure", "failed", "error"}


def test_a_baseline_that_was_no_number_lets_nothing_pass(lab: Lab, forge: Fake) -> None:
    text = (lab.work / "evaluate.py").read_text()
    lab.write("metrics.json", '{"accuracy": NaN, "n": 3}\n')
    gated(lab, checks("direction: higher"))
    lab.write("evaluate.py", f"{text}# again\n")
    sha = lab.change_rate(2.0)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 5, done.stdout


def test_a_check_can_block_without_being_in_the_report(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, checks("{target: ..0.9, comment-on-pr: false}").replace("\n    {", " {"))
    sha = lab.change_rate(2.0)
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 1, done.stderr
    assert "### Checks" not in bodies(github_forge, number)[0]
    assert github_forge.shown(sha)[f"{NAME}/metrics:accuracy"] == "failure"


def test_what_blocks_can_be_chosen(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, checks("target: 0.1..", "metrics:f1"))
    sha = lab.change_rate(2.0)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, "--fail-on", "fail", cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    assert lab.record(cwd)["verdict"] == "invalid"
    assert github_forge.shown(sha)[NAME] == "success"


def test_wrong_rules_are_named_before_anything_is_trained(lab: Lab, forge: Fake) -> None:
    lab.write("cml.yaml", checks("targett: 0.1.."))
    sha = lab.change_rate(2.0)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha))
    assert done.returncode == 2
    assert "cml.yaml:3:5" in done.stdout + done.stderr
    assert "target" in done.stdout
    assert lab.runs == []


def test_checks_of_gradientci_work_as_they_did(lab: Lab, github_forge: GitHub) -> None:
    from tensorboardX import SummaryWriter

    gated(lab, GRADIENT, ".ps_project/config.yaml")
    sha = lab.change_rate(2.0)
    for name, values, status in (("good", (0.4, 0.5), 0), ("bad", (0.6, 0.5), 1)):
        cwd = checked_out(lab, name, sha)
        (cwd / ".git/info/exclude").write_text("/runs\n")
        with SummaryWriter(str(cwd / "runs")) as writer:
            for step, value in enumerate(values):
                writer.add_scalar("loss", value, step)
        done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
        assert done.returncode == status, done.stderr
        shown = github_forge.shown(sha)
        assert shown["ci/gradient"] == "success"
        assert shown["ci/gradient/tensorflow:loss"] == ("failure" if status else "success")
    said = lab.record(lab.root / "good")["checks"][0]["message"]
    assert said == "Metric tensorflow:loss/mean is in range 0.0..0.5."


def test_values_come_from_a_file_and_from_a_program_too(lab: Lab, github_forge: GitHub) -> None:
    gated(
        lab,
        "checks:\n"
        "  custom:result.json: {aggregate: /scores/0, target: 0.5..}\n"
        "  command:size: {command: wc -c < model.json, target: ..100}\n",
    )
    lab.write("result.json", json.dumps({"scores": [0.9]}))
    sha = lab.change_rate(2.0)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    found = {check["name"]: check for check in lab.record(cwd)["checks"]}
    assert found["custom:result.json"]["value"] == 0.9
    assert found["command:size"]["status"] == "pass"


def test_check_judges_without_dvc_and_runs_nothing(lab: Lab) -> None:
    plain = lab.root / "plain"
    plain.mkdir()
    lab.git("init", "-q", "-b", "main", cwd=plain)
    lab.write(
        "cml.yaml",
        checks("{direction: higher, max-drop-percent: 5}", "metrics:out/m.json:acc").replace(
            "\n    {", " {"
        ),
        cwd=plain,
    )
    lab.write("out/m.json", '{"acc": 0.9}', cwd=plain)
    lab.commit("First", cwd=plain, push=False)
    lab.git("checkout", "-q", "-b", "worse", cwd=plain)
    for value, status in ((0.89, 0), (0.8, 1), ('"x"', 5)):
        lab.write("out/m.json", f'{{"acc": {value}}}', cwd=plain)
        done = lab.cml("check", "--json", "--junit", "checks.xml", "--baseline", "main", cwd=plain)
        assert done.returncode == status, done.stdout + done.stderr
        (found,) = json.loads(done.stdout)["checks"]
        assert found["name"] == "metrics:out/m.json:acc"
        assert "metrics:out/m.json:acc" in (plain / "checks.xml").read_text()
    assert not (plain / ".cml").exists()
