"""Bundles of strangers that do harm, published by a job that holds a token."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from forge_faults import status
from forge_kit import NAME, bodies, job

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

OTHER = "b" * 40
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def bundle(lab: Lab, forge: Fake, **facts: Any) -> tuple[str, int, Path]:
    """Make the bundle of a fork's merge request, with whatever a stranger writes there."""
    sha = lab.change_rate(2.0)
    number = forge.add_pull(head="better", sha=sha, base="main", fork="eve/r")
    folder = lab.root / "artifact"
    (folder / "plots").mkdir(parents=True)
    context = {"forge": "terminal", "repository": forge.repository, "sha": sha, "trusted": False}
    record = {"version": 1, "context": context, "outcome": "unchanged", **facts}
    (folder / "record.json").write_text(json.dumps(record))
    return sha, number, folder


def post(lab: Lab, forge: Fake, sha: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Publish it from a job that somebody of the project starts on the default branch."""
    by_hand = {"GitHub": "workflow_dispatch", "GitLab": "web"}[type(forge).__name__]
    artifact = str(lab.root / "artifact")
    head = lab.git("rev-parse", "HEAD~1")
    return job(lab, forge, by_hand, head, "post", "--sha", sha, *args, artifact, cwd=lab.work)


def kept(lab: Lab) -> list[str]:
    return [ref for ref in lab.remote_refs() if ref.startswith("refs/cml/plots/")]


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def test_what_a_stranger_says_was_published_is_not_believed_by_a_job_started_by_hand(
    lab: Lab, forge: Fake
) -> None:
    claims = {"pushed": True, "commit": OTHER, "tag": "v1", "proposed": "evil"}
    sha, number, _ = bundle(lab, forge, verdict="pass", published=claims)
    done = post(lab, forge, sha, "--release")
    assert done.returncode == 0, done.stderr
    assert len(bodies(forge, number)) == 1
    assert forge.shown(sha)[NAME] == "success"
    assert forge.shown(OTHER) == {}
    assert forge.releases == []
    assert len(forge.pulls) == 1


@pytest.mark.parametrize("code", [0, 99, -1, 10**30])
def test_a_failure_in_a_bundle_fails_whatever_code_it_names(
    lab: Lab, github_forge: GitHub, code: int
) -> None:
    failure = {"message": "no", "exit_code": code}
    sha, _, _ = bundle(lab, github_forge, outcome="failed", failure=failure)
    done = post(lab, github_forge, sha)
    assert "Traceback" not in done.stderr
    assert done.returncode in {2, 3}


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/x.png", "../a.png", "away/a.png", "./a.png", "plots//a.png", "plots/link.png"),
        *("plots/it's.png", "plots/a\nb.png", "plots/.git", "plots/\0.png", "plots/pipe.png"),
        f"plots/{'x' * 5000}.png",
    ],
    ids=lambda name: repr(name[:20]),
)
def test_a_plots_file_leads_nowhere_whatever_it_is_called(
    lab: Lab, github_forge: GitHub, name: str
) -> None:
    sha, number, folder = bundle(lab, github_forge, plots=[{"id": "p", "file": name}])
    (lab.root / "away").mkdir()
    (folder / "away").symlink_to(lab.root / "away")
    (folder / "plots/link.png").symlink_to(lab.root / "a.png")
    os.mkfifo(folder / "plots/pipe.png")
    for real in ("a.png", "away/a.png", "plots/it's.png", "plots/a\nb.png", "plots/.git"):
        (folder / real).write_bytes(PNG)
    (lab.root / "a.png").write_bytes(PNG)
    done = post(lab, github_forge, sha)
    assert done.returncode == 0, done.stderr
    (body,) = bodies(github_forge, number)
    assert "could not be hosted" in body
    assert kept(lab) == []


def test_a_folder_of_plots_that_is_a_link_leads_nowhere(lab: Lab, github_forge: GitHub) -> None:
    sha, _, folder = bundle(lab, github_forge, plots=[{"id": "p", "file": "plots/a.png"}])
    (folder / "plots").rename(lab.root / "away")
    (folder / "plots").symlink_to(lab.root / "away")
    (lab.root / "away/a.png").write_bytes(PNG)
    done = post(lab, github_forge, sha)
    assert done.returncode == 0, done.stderr
    assert kept(lab) == []


def test_a_forks_pictures_are_kept_with_its_pull_request(lab: Lab, github_forge: GitHub) -> None:
    sha, number, folder = bundle(lab, github_forge, plots=[{"id": "p", "file": "plots/a.png"}])
    (folder / "plots/a.png").write_bytes(PNG)
    done = post(lab, github_forge, sha)
    assert done.returncode == 0, done.stderr
    (ref,) = kept(lab)
    assert ref.split("/")[3] == f"pull-{number}"
    (body,) = bodies(github_forge, number)
    assert f"/raw/{lab.remote_refs()[ref]}/plots/a.png" in body


def test_a_verdict_wins_where_the_pull_request_cannot_be_asked_for(lab: Lab, forge: Fake) -> None:
    sha, _, _ = bundle(lab, forge, verdict="fail")
    forge.fail("GET", r"/(pulls|merge_requests)$", status(403), times=None)
    done = post(lab, forge, sha)
    assert done.returncode == 1, done.stderr
    assert forge.shown(sha)[NAME] in {"failure", "failed"}


@pytest.mark.parametrize(
    "value", ["1" + "0" * 5000, "1e400", "1e308", str(2**64), '"' + "a" * 100_000 + '"'], ids=len
)
def test_numbers_of_any_size_are_shown_or_refused(
    lab: Lab, github_forge: GitHub, value: str
) -> None:
    sha, _, folder = bundle(
        lab,
        github_forge,
        metrics=[{"path": "m", "name": "n", "old": 1, "new": "HERE"}],
        checks=[{"name": "n", "status": "pass", "value": "HERE", "target": "0.."}],
        experiments=[{"tag": "t", "sha": sha, "metrics": {"n": "HERE"}} for sha in ("a", "b")],
        verdict="pass",
    )
    record = folder / "record.json"
    record.write_text(record.read_text().replace('"HERE"', value))
    done = post(lab, github_forge, sha)
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 2}, done.stderr


def test_names_and_messages_of_checks_are_text(lab: Lab, forge: Fake) -> None:
    hostile = [
        "a\nb",
        "",
        "x" * 5000,
        "`| @all",
        "x\r\n::error::y",
        "\u202e\0",
        "/merge",
        "..",
        "a/b?c",
    ]
    checks = [{"name": text, "status": "fail", "message": text} for text in hostile]
    sha, number, _ = bundle(lab, forge, verdict="fail", checks=checks)
    done = post(lab, forge, sha)
    assert done.returncode == 1, done.stderr
    (body,) = bodies(forge, number)
    assert not any(line.startswith(("/merge", "::")) for line in body.splitlines())
    assert "| `/merge` |" in body
    assert "\u202e" not in body
    shown = forge.shown(sha)
    assert all(name == NAME or name.startswith(f"{NAME}/") for name in shown)
    assert len(shown) == 1 + len(hostile)
    lines = done.stderr.splitlines()
    assert not any(line.startswith("::error::") for line in lines)


def test_a_bundle_of_very_many_things_costs_few_requests(lab: Lab, github_forge: GitHub) -> None:
    checks = [{"name": f"c{at}", "status": "pass"} for at in range(20_000)]
    plots = [
        {"id": f"p{at}", "file": "plots/a.png", "chart": "graph TD; a"} for at in range(20_000)
    ]
    sha, number, _ = bundle(lab, github_forge, verdict="pass", checks=checks, plots=plots)
    done = post(lab, github_forge, sha)
    assert done.returncode == 0, done.stderr
    assert github_forge.count() < 60
    (body,) = bodies(github_forge, number)
    assert "graph TD" not in body
