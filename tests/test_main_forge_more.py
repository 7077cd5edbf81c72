"""Pictures, bundles of other jobs, comments and proposals, end to end in a forge's CI."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from forge_kit import EVENTS, NAME, bodies, closed, job, on_commit, proposed
from main_kit import checked_out

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

PICTURES = "refs/cml/plots/"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def plotted(lab: Lab, forge: Fake, **more: str) -> tuple[str, int]:
    """Propose a change that draws another curve."""
    lab.git("checkout", "-q", "-b", "better")
    sha = lab.change_rate(2.0)
    return sha, forge.add_pull(head="better", sha=sha, base="main", **more)


def pictures(lab: Lab) -> dict[str, str]:
    return {ref: sha for ref, sha in lab.remote_refs().items() if ref.startswith(PICTURES)}


def test_pictures_on_a_public_repository_come_from_a_commit_beside_all_branches(
    lab: Lab, github_forge: GitHub
) -> None:
    sha, number = plotted(lab, github_forge)
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    ((_, commit),) = pictures(lab).items()
    (body,) = bodies(github_forge, number)
    (path,) = re.findall(rf"!\[[^]]*\]\(http://[^)]*/o/r/raw/{commit}/([^)]+)\)", body)
    assert lab.run("git", "cat-file", "-t", f"{commit}:{path}", cwd=lab.origin) == "blob"


def test_pictures_on_a_private_repository_are_a_link_beside_a_chart(
    lab: Lab, github_forge: GitHub
) -> None:
    github_forge.private = True
    sha, number = plotted(lab, github_forge)
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    (body,) = bodies(github_forge, number)
    assert "![" not in body
    assert re.search(r'title "baseline [0-9a-f]{7} \(grey\), now \(blue\)"', body)
    assert "/raw/" in body


def test_inline_forces_pictures_and_none_hosts_none(lab: Lab, github_forge: GitHub) -> None:
    github_forge.private = True
    sha, number = plotted(lab, github_forge)
    for how, name, embedded in (("none", "a", False), ("inline", "b", True)):
        cwd = checked_out(lab, name, sha)
        done = job(lab, github_forge, "push", sha, "--images", how, cwd=cwd, branch="better")
        assert done.returncode == 0, done.stderr
        (body,) = bodies(github_forge, number)
        assert ("![" in body) == embedded
        lab.git("push", "-q", "-f", "origin", f"{sha}:better")
    assert len(pictures(lab)) == 1


def test_pictures_on_gitlab_are_uploads(lab: Lab, gitlab_forge: Fake) -> None:
    sha, number = plotted(lab, gitlab_forge)
    done = job(lab, gitlab_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    (body,) = bodies(gitlab_forge, number)
    (url,) = re.findall(r"!\[[^]]*\]\(([^)]*/uploads/[^)]*)\)", body)
    (upload,) = gitlab_forge.uploads.items()
    assert url.endswith(upload[0])
    assert upload[1].startswith(b"\x89PNG")
    assert pictures(lab) == {}


def test_pictures_go_when_the_pull_request_is_closed(lab: Lab, github_forge: GitHub) -> None:
    sha, number = plotted(lab, github_forge)
    done = job(
        lab, github_forge, "pull_request", sha, cwd=checked_out(lab, "ci", sha), number=number
    )
    assert done.returncode == 0, done.stderr
    assert len(pictures(lab)) == 1
    done = closed(lab, github_forge, sha, number)
    assert done.returncode == 0, done.stderr
    assert lab.record(lab.root / "last")["outcome"] == "skipped"
    assert pictures(lab) == {}


def test_pictures_that_may_not_be_pushed_are_no_failure(lab: Lab, github_forge: GitHub) -> None:
    sha, number = plotted(lab, github_forge)
    hook = lab.origin / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/cml/plots/*) exit 1;; esac\n')
    hook.chmod(0o755)
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    assert "pictures could not be hosted" in done.stderr
    (body,) = bodies(github_forge, number)
    assert "![" not in body
    assert "/raw/" not in body
    assert "xychart-beta" in body


def untrusted(lab: Lab, forge: GitHub) -> tuple[str, int, Path]:
    """Let the job of a fork's pull request make a bundle; return its commit, number and folder."""
    sha, number = plotted(lab, forge, fork="eve/r")
    done = job(lab, forge, "pull_request", sha, cwd=checked_out(lab, "ci", sha), number=number)
    assert done.returncode == 0, done.stderr
    shutil.copytree(lab.root / "ci/.cml", lab.root / "artifact")
    return sha, number, lab.root / "artifact"


def publish(lab: Lab, forge: GitHub, sha: str, head: str = "eve/r", *args: str) -> tuple[int, str]:
    """Run the second job: an event without the fork's code, in an empty folder."""
    folder = lab.root / f"second{len(forge.log)}"
    folder.mkdir()
    environ = forge.environ("workflow_run", folder=folder, sha="0" * 40)
    run = {
        "event": "pull_request",
        "head_sha": sha,
        "head_branch": "better",
        "head_repository": {"full_name": head},
        "pull_requests": [],
    }
    event = json.loads((folder / "event.json").read_text())
    (folder / "event.json").write_text(json.dumps({**event, "workflow_run": run}))
    done = lab.cml("post", str(lab.root / "artifact"), *args, cwd=folder, **environ)
    return done.returncode, done.stderr


def test_a_second_job_publishes_what_a_fork_has_made(lab: Lab, github_forge: GitHub) -> None:
    sha, number, _ = untrusted(lab, github_forge)
    assert bodies(github_forge, number) == []
    status, said = publish(lab, github_forge, sha)
    assert status == 0, said
    (body,) = bodies(github_forge, number)
    assert "| +0.5 |" in body
    assert github_forge.shown(sha)[NAME] == "success"


def test_a_bundle_of_another_commit_is_refused(lab: Lab, github_forge: GitHub) -> None:
    _, number, _ = untrusted(lab, github_forge)
    status, said = publish(lab, github_forge, "a" * 40)
    assert status == 2
    assert "the bundle is about" in said
    assert bodies(github_forge, number) == []


def test_what_a_bundle_says_of_its_pull_request_is_not_believed(
    lab: Lab, github_forge: GitHub
) -> None:
    sha, number, artifact = untrusted(lab, github_forge)
    other = github_forge.add_issue()
    record = json.loads((artifact / "record.json").read_text())
    record["context"] |= {"pull_request": other, "trusted": True, "branch": "main"}
    record["published"] = {"pushed": True, "commit": "b" * 40, "tag": "v1"}
    record["metrics"][0]["name"] = "<script>@all</script>"
    (artifact / "record.json").write_text(json.dumps(record))
    status, said = publish(lab, github_forge, sha)
    assert status == 0, said
    (body,) = bodies(github_forge, number)
    assert "`<script>@all</script>`" in body
    assert github_forge.comments.get(other, []) == []
    assert github_forge.shown("b" * 40) == {}


@pytest.mark.parametrize("text", ["{", '{"version": 9}', '{"metrics": 3}', None])
def test_what_is_no_bundle_is_refused(lab: Lab, github_forge: GitHub, text: str | None) -> None:
    sha, number, artifact = untrusted(lab, github_forge)
    (artifact / "record.json").unlink()
    if text is not None:
        (artifact / "record.json").write_text(text)
    status, said = publish(lab, github_forge, sha)
    assert status == 2
    assert "Traceback" not in said
    assert bodies(github_forge, number) == []


def test_a_comment_of_ones_own_is_kept_as_one_with_its_pictures(lab: Lab, forge: Fake) -> None:
    sha, number = proposed(lab, forge)
    cwd = checked_out(lab, "ci", sha)
    (cwd / "loss curve.png").write_bytes(PNG)
    (cwd / "curve.png").write_bytes(PNG)
    for text in ("# One", "# Two\n\n![loss](curve.png) and ![gone](gone.png)"):
        (cwd / "report.md").write_text(text)
        done = job(lab, forge, "push", sha, "comment", "report.md", cwd=cwd, branch="better")
        assert done.returncode == 0, done.stderr
    (comment,) = forge.comments[number]
    assert "# Two" in comment["body"]
    assert "(curve.png)" not in comment["body"]
    assert comment["body"].count("![") == 1
    assert "gone (a picture that could not be hosted)" in comment["body"]
    assert done.stdout.startswith("http")


@pytest.mark.parametrize("option", ["--pr", "--issue", "--commit"])
def test_a_comment_goes_where_it_is_sent(lab: Lab, forge: Fake, option: str) -> None:
    sha, number = proposed(lab, forge)
    where = {"--pr": str(number), "--issue": str(forge.add_issue()), "--commit": sha}[option]
    cwd = checked_out(lab, "ci", sha)
    (cwd / "report.md").write_text("Hello")
    done = job(lab, forge, "push", sha, "comment", "report.md", option, where, cwd=cwd)
    assert done.returncode == 0, done.stderr
    there = on_commit(forge, sha) if option == "--commit" else forge.comments[int(where)]
    assert ["Hello" in comment["body"] for comment in there] == [True]


def test_results_as_a_pull_request_of_their_own_one_for_each_branch(lab: Lab, forge: Fake) -> None:
    shas = []
    for rate in (2.0, 3.0):
        sha = lab.change_rate(rate)
        shas.append(sha)
        cwd = checked_out(lab, f"ci{rate}", sha)
        done = job(lab, forge, "push", sha, "--publish-as", "pull-request", cwd=cwd)
        assert done.returncode == 0, done.stderr
        assert lab.record(cwd)["published"]["pull_request"]
    assert lab.results("main") == []
    assert len(forge.pulls) == 1
    tip = lab.git("rev-parse", "cml-run/main", cwd=lab.origin)
    changed = lab.git("diff", "--name-only", shas[-1], tip, cwd=lab.origin).split()
    assert changed == ["dvc.lock", "loss.csv", "metrics.json"]
    skipped = lab.cml(cwd=checked_out(lab, "loop", tip), CI="true")
    assert "Skipped" in skipped.stdout


def test_pr_proposes_what_a_shell_has_made(lab: Lab, forge: Fake) -> None:
    sha = lab.change_rate(2.0)
    cwd = checked_out(lab, "ci", sha)
    lab.dvc("repro", "-q", "--pull", "--allow-missing", cwd=cwd)
    ran = lab.runs
    done = job(lab, forge, "push", sha, "pr", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert lab.runs == ran
    assert len(forge.pulls) == 1
    assert lab.results("cml-run/main")


def test_pr_proposes_nothing_that_is_out_of_date(lab: Lab, github_forge: GitHub) -> None:
    sha = lab.change_rate(2.0)
    done = job(lab, github_forge, "push", sha, "pr", cwd=checked_out(lab, "ci", sha))
    assert done.returncode == 2
    assert "train" in done.stderr
    assert github_forge.pulls == []


def test_on_the_merge_with_the_target_only_the_comment_and_the_data_are_sent(
    lab: Lab, forge: Fake
) -> None:
    sha, number = proposed(lab, forge)
    lab.git("checkout", "-q", "main")
    lab.write("README.md", "Changed on main.\n")
    lab.commit("Explain")
    lab.git("checkout", "-q", "--detach", "main")
    lab.git("merge", "-q", "--no-ff", "-m", f"Merge {sha} into main", sha)
    merge = lab.git("rev-parse", "HEAD")
    event = EVENTS[type(forge).__name__]
    environ = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": sha} if event != "pull_request" else {}
    done = job(lab, forge, event, merge, cwd=lab.work, number=number, environ=environ)
    assert done.returncode == 0, done.stderr
    assert len(bodies(forge, number)) == 1
    assert lab.results("better") == []
    assert forge.shown(sha)[NAME] == "success"
