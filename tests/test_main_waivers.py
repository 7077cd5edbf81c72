"""Waivers end to end: what is accepted does not block, as long as the baseline says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge_kit import NAME, bodies, job
from main_kit import checked_out
from test_main_gate import gated

if TYPE_CHECKING:
    from forge_github import GitHub
    from lab import Lab

CHECK = "checks:\n  metrics:accuracy: {target: 1.5..}\n"
FOREVER, OVER = "2999-12-31", "2020-01-01"


def waiver(until: str) -> str:
    return (
        f"{CHECK}waivers:\n"
        f"  - {{check: metrics:accuracy, author: Ada, reason: new data, until: {until}}}\n"
    )


def proposed(lab: Lab, forge: GitHub) -> tuple[int, str, str]:
    """Run the job for a change that fails its check; return its exit code, sha and comment."""
    sha = lab.change_rate(2.0)
    number = forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    return done.returncode, sha, bodies(forge, number)[0]


def test_a_waived_failure_warns_and_the_report_says_who_and_why(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, waiver(FOREVER))
    status, sha, body = proposed(lab, github_forge)
    assert status == 0
    assert github_forge.shown(sha)[NAME] == "success"
    assert "fail (warning)" in body
    assert f"Waived by Ada until {FOREVER}: new data" in body.replace("\\", "")


def test_a_waiver_that_the_change_itself_adds_does_not_count(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, CHECK)
    lab.write("cml.yaml", waiver(FOREVER))
    status, _, body = proposed(lab, github_forge)
    assert status == 1
    assert "A waiver of metrics:accuracy is added: by Ada" in body.replace("\\", "")


def test_an_expired_waiver_is_a_failure_until_somebody_takes_it_away(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, waiver(OVER).replace("1.5..", "0.1.."))
    status, sha, body = proposed(lab, github_forge)
    assert status == 1
    assert github_forge.shown(sha)[f"{NAME}/waiver:metrics:accuracy"] == "failure"
    assert "Expired: the waiver by Ada" in body
    lab.write("cml.yaml", CHECK.replace("1.5..", "0.1.."))
    lab.git("pull", "-q", "--rebase=false", "--no-edit", "origin", "better")
    sha = lab.commit("Take the waiver away")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci2", sha), branch="better")
    assert done.returncode == 0, done.stdout


def test_an_old_date_on_a_commit_does_not_bring_a_waiver_back(
    lab: Lab, github_forge: GitHub
) -> None:
    gated(lab, waiver("2021-01-01"))
    lab.env["GIT_COMMITTER_DATE"] = "2020-06-01T00:00:00Z"
    status, _, _ = proposed(lab, github_forge)
    assert status == 1
