"""Waivers end to end: what is accepted does not block, as long as the baseline says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from forge_kit import EVENTS, NAME, bodies, job
from main_kit import checked_out
from test_main_gate import gated

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

CHECK = "checks:\n  metrics:accuracy: {target: 1.5..}\n"
FOREVER, OVER = "2999-12-31", "2020-01-01"


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def waiver(until: str, by: str = "") -> str:
    return (
        f"{CHECK}{by}waivers:\n"
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


@pytest.mark.parametrize(
    ("allowed", "accounts", "status"),
    [
        ("[grace, ADA]", ("ada", "ada"), 0),
        ("[grace]", ("ada", "ada"), 1),
        # Whoever may push to the branch of somebody who may waive.
        ("[ada]", ("ada", "mallory"), 1),
        # Whoever may waive sets off a run of what somebody else has written.
        ("[ada]", ("mallory", "ada"), 1),
    ],
)
def test_a_waiver_that_a_change_adds_counts_where_the_forge_vouches_for_who_may(
    lab: Lab, forge: Fake, allowed: str, accounts: tuple[str, str], status: int
) -> None:
    by, (author, actor) = f"waivers-by: {allowed}\n", accounts
    gated(lab, CHECK + by)
    lab.write("cml.yaml", waiver(FOREVER, by))
    sha = lab.change_rate(2.0)
    number = forge.add_pull(head="better", sha=sha, base="main", author=author)
    event = EVENTS[type(forge).__name__]
    environ = {"GITHUB_ACTOR": actor, "GITLAB_USER_LOGIN": actor}

    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, event, sha, cwd=cwd, environ=environ, number=number)

    assert done.returncode == status, done.stderr
    assert ("Waived by Ada" in bodies(forge, number)[0]) == (status == 0)


def test_a_push_is_vouched_for_by_who_pushed(lab: Lab, github_forge: GitHub) -> None:
    by = "waivers-by: ada\n"
    gated(lab, CHECK + by)
    lab.write("cml.yaml", waiver(FOREVER, by))
    status, _, _ = proposed(lab, github_forge)
    assert status == 0


def test_a_change_cannot_allow_itself_to_waive(lab: Lab, github_forge: GitHub) -> None:
    gated(lab, CHECK)
    lab.write("cml.yaml", waiver(FOREVER, "waivers-by: ada\n"))
    status, _, body = proposed(lab, github_forge)
    assert status == 1
    assert "waivers-by changes: from nothing to ada" in body.replace("\\", "")
