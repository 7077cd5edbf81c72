"""The main job in a forge's CI, end to end: a subprocess, real git and DVC, a forge over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from forge_faults import status
from forge_kit import EVENTS, NAME, bodies, job, on_commit, proposed
from main_kit import PREFIX, change, checked_out

from cml.forges.base import marker

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def test_a_push_is_reported_on_the_open_pull_request_of_its_branch(lab: Lab, forge: Fake) -> None:
    sha, number = proposed(lab, forge)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    (body,) = bodies(forge, number)
    assert "`accuracy` | 0.5 | 1 | +0.5" in body
    published = lab.record(lab.root / "ci")["published"]
    assert published["comment"]
    assert published["pushed"]
    assert forge.shown(sha)[NAME] == "success"
    assert forge.shown(published["commit"])[NAME] == "success"


def test_push_and_pull_request_for_one_commit_end_in_one_comment(lab: Lab, forge: Fake) -> None:
    sha, number = proposed(lab, forge)
    for name, event, more in (
        ("one", "push", {"branch": "better"}),
        ("two", EVENTS[type(forge).__name__], {"number": number}),
    ):
        done = job(lab, forge, event, sha, cwd=checked_out(lab, name, sha), **more)
        assert done.returncode == 0, done.stderr
    assert len(bodies(forge, number)) == 1
    assert len(lab.results("better")) == 1


def test_a_push_without_a_pull_request_is_reported_on_the_commit(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha))
    assert done.returncode == 0, done.stderr
    (comment,) = on_commit(forge, sha)
    assert comment["body"].startswith(marker(NAME))


def test_people_see_that_a_run_is_under_way_before_it_trains(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    ran: list[list[str]] = []
    forge.before("POST", "", lambda: ran.append(lab.runs))
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha))
    assert done.returncode == 0, done.stderr
    assert ran == [[]]
    first = forge.log[0].body.decode()
    assert any(word in first for word in ("in_progress", "running"))


def test_a_failed_stage_is_reported_with_its_output_and_a_red_status(lab: Lab, forge: Fake) -> None:
    lab.git("checkout", "-q", "-b", "better")
    lab.write("train.py", "print('out of memory'); raise SystemExit(1)\n")
    sha = lab.commit("Break it")
    number = forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 3
    (body,) = bodies(forge, number)
    assert "out of memory" in body
    assert forge.shown(sha)[NAME] in {"failure", "failed", "error"}


@pytest.mark.parametrize("how", ["schedule", "by hand", "tag"])
def test_runs_of_other_kinds_are_reported_on_their_commit(lab: Lab, forge: Fake, how: str) -> None:
    sha = change(lab)
    by_hand = {"GitHub": "workflow_dispatch", "GitLab": "web"}[type(forge).__name__]
    event = {"schedule": "schedule", "by hand": by_hand, "tag": "push"}[how]
    more = {"tag": "v1"} if how == "tag" else {}
    done = job(lab, forge, event, sha, cwd=checked_out(lab, "ci", sha), **more)
    assert done.returncode == 0, done.stderr
    (comment,) = on_commit(forge, sha)
    assert "`accuracy` | 0.5 | 1 | +0.5" in comment["body"]
    assert len(lab.results()) == (0 if how == "tag" else 1)


def test_what_the_forge_refuses_is_said_ends_with_4_and_can_be_posted_later(
    lab: Lab, forge: Fake
) -> None:
    sha, number = proposed(lab, forge)
    forge.fail("POST", r"/(comments|notes)$", status(403))
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 4, done.stderr
    assert any(line in done.stderr for line in ("pull-requests: write", "repo_token"))
    assert bodies(forge, number) == []
    assert len(lab.results("better")) == 1
    again = job(lab, forge, "push", sha, "post", cwd=cwd, branch="better")
    assert again.returncode == 0, again.stderr
    assert "+0.5" in bodies(forge, number)[0]


def test_a_fork_with_a_token_that_only_reads_is_told_to_the_job_alone(
    lab: Lab, github_forge: GitHub
) -> None:
    sha, number = proposed(lab, github_forge, fork="eve/r")
    done = job(
        lab, github_forge, "pull_request", sha, cwd=checked_out(lab, "ci", sha), number=number
    )
    assert done.returncode == 0, done.stderr
    assert "token may only read" in done.stderr
    assert bodies(github_forge, number) == []
    assert lab.results("better") == []
    summary = next(lab.root.glob("job*/summary.txt")).read_text()
    assert "`accuracy` | 0.5 | 1 | +0.5" in summary


def test_the_job_gets_its_outputs(lab: Lab, github_forge: GitHub) -> None:
    sha = change(lab)
    done = job(
        lab, github_forge, "push", sha, "--tag-prefix", PREFIX, cwd=checked_out(lab, "ci", sha)
    )
    assert done.returncode == 0, done.stderr
    text = next(lab.root.glob("job*/output.txt")).read_text()
    lines = text.splitlines()
    found = {
        line.partition("<<")[0]: lines[at + 1] for at, line in enumerate(lines) if "<<" in line
    }
    published = lab.record(lab.root / "ci")["published"]
    assert found["verdict"] == "pass"
    assert found["outcome"] == "changed"
    assert (found["commit"], found["tag"]) == (published["commit"], published["tag"])
    assert json.loads((lab.root / "ci" / found["record"]).read_text())["version"] == 1


@pytest.mark.parametrize("flag", ["--release", "--no-release", None])
def test_a_release_describes_the_tag_where_it_is_wanted(
    lab: Lab, forge: Fake, flag: str | None
) -> None:
    sha = change(lab)
    args = ["--tag-prefix", PREFIX, *([flag] if flag else [])]
    done = job(lab, forge, "push", sha, *args, cwd=checked_out(lab, "ci", sha))
    assert done.returncode == 0, done.stderr
    expected = flag == "--release" or (flag is None and type(forge).__name__ == "GitLab")
    assert [release["tag_name"] for release in forge.releases] == (
        [f"{PREFIX}{sha[:7]}"] if expected else []
    )


@pytest.mark.parametrize(("comments", "most"), [(150, 8), (250, 9), (350, 10)])
def test_a_run_costs_few_requests_however_many_comments_there_are(
    lab: Lab, forge: Fake, comments: int, most: int
) -> None:
    sha, number = proposed(lab, forge)
    for at in range(comments):
        forge.add_comment(number, f"comment {at}", author="ada")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    assert forge.count() <= most, [(r.method, r.path) for r in forge.log]


def test_no_token_stands_in_what_is_told(lab: Lab, forge: Fake) -> None:
    sha, _ = proposed(lab, forge)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, "push", sha, "--verbose", cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    assert not any(forge.token in request.shown for request in forge.log)


def test_the_doctor_asks_the_forge(lab: Lab, forge: Fake) -> None:
    sha, number = proposed(lab, forge)
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, "push", sha, "doctor", cwd=cwd, branch="better")
    assert f"ok   forge: {forge.repository} answers; open for this branch: {number}" in done.stdout
    forge.fail("GET", "", status(401), times=None)
    done = job(lab, forge, "push", sha, "doctor", cwd=cwd, branch="better")
    assert "FAIL forge" in done.stdout


def test_a_bug_of_ours_leaves_no_status_pending(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    broken = "import cml.pipeline as p\ndef bug(*a, **k): raise RuntimeError('bug')\n"
    lab.write("../broken/sitecustomize.py", f"{broken}p.clear_leftovers = bug\n")
    more = {"PYTHONPATH": str(lab.root / "broken")}
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), environ=more)
    assert done.returncode == 70, done.stderr
    assert forge.shown(sha)[NAME] in {"failure", "failed", "error"}


def test_without_a_token_nothing_is_trained_in_vain(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    without = dict.fromkeys(("GITHUB_TOKEN", "GITLAB_TOKEN"), "")
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), environ=without)
    assert done.returncode == 4
    assert "repo_token" in done.stderr
    assert lab.runs == []
