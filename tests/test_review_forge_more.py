"""What a doubting user tries besides: from a shell, with odd files, and while things go wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from forge_faults import status
from forge_kit import NAME, bodies, closed, job, proposed
from main_kit import change, checked_out

if TYPE_CHECKING:
    from forge_github import GitHub
    from forge_kit import Fake
    from lab import Lab

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
MANY = """\
import json, pathlib
mean = json.loads(pathlib.Path("model.json").read_text())["mean"]
metrics = {"accuracy": mean, "n": 3}
metrics |= {f"class_{n:04}_of_the_many": mean * n for n in range(1, 3001)}
pathlib.Path("metrics.json").write_text(json.dumps(metrics))
"""
RED = {"failure", "failed", "error"}


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Fake:
    fake: Fake = request.getfixturevalue(f"{request.param}_forge")
    return fake


def at_a_shell(forge: Fake) -> dict[str, str]:
    """What a person sets to name a forge where no CI does."""
    if type(forge).__name__ == "GitHub":
        names = ("GITHUB_REPOSITORY", "GITHUB_API_URL", "GITHUB_SERVER_URL")
    else:
        names = ("CI_PROJECT_PATH", "CI_API_V4_URL", "CI_SERVER_URL")
    values = (forge.repository, forge.api, forge.server)
    return {**dict(zip(names, values, strict=True)), "repo_token": forge.token}


def test_three_thousand_metrics_make_a_comment_that_links_to_the_run(lab: Lab, forge: Fake) -> None:
    lab.git("checkout", "-q", "-b", "better")
    lab.write("evaluate.py", MANY)
    sha = lab.commit("Measure much")
    number = forge.add_pull(head="better", sha=sha, base="main")
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, "push", sha, cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    (body,) = bodies(forge, number)
    record = lab.record(cwd)
    assert len(record["metrics"]) == 3002
    assert re.findall(r"\[run\]\(([^)]+)\)", body) == [record["context"]["run_url"]]
    shown = sum(metric["name"] in body for metric in record["metrics"])
    if type(forge).__name__ == "GitHub":
        assert 300 < shown < 3000
        assert re.search(r"… [\d,]+ more metrics, see record\.json", body)
        assert len(body) <= 65_536
    else:
        assert shown == 3002
    assert forge.shown(sha)[NAME] == "success"


def test_at_a_shell_the_forge_is_named_by_the_variables_that_the_hint_tells(
    lab: Lab, forge: Fake
) -> None:
    _, number = proposed(lab, forge)
    named = ("--forge", type(forge).__name__.lower())
    done = lab.cml("--publish", *named, **at_a_shell(forge))
    assert done.returncode == 0, done.stderr
    assert "+0.5" in bodies(forge, number)[0]
    lab.write("report.md", "Hello")
    done = lab.cml("comment", "report.md", *named, "--pr", str(number), **at_a_shell(forge))
    assert done.returncode == 0, done.stderr
    assert any("Hello" in comment["body"] for comment in forge.comments[number])


def test_a_comment_leaves_no_dead_picture_and_reads_nothing_but_files(
    lab: Lab, forge: Fake
) -> None:
    sha, number = proposed(lab, forge)
    cwd = checked_out(lab, "ci", sha)
    os.mkfifo(cwd / "pipe.png")
    (cwd / "i").write_bytes(PNG)
    (cwd / "plot.svg").write_text("<svg/>")
    with (cwd / "huge.png").open("wb") as huge:
        huge.write(PNG)
        huge.truncate(2**24)
    left = "![there](https://example.org/a.png) ![here](/g/r/uploads/a.png)"
    gone = [*("pipe.png", "plot.svg", "huge.png", "/dev/zero", "../..", "x" * 5000), "gone.png"]
    text = "\n".join(
        [left, '<img src="i" alt="i">', *(f"![a{n}]({path})" for n, path in enumerate(gone))]
    )
    (cwd / "report.md").write_text(text)
    done = job(lab, forge, "push", sha, "comment", "report.md", cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    (comment,) = forge.comments[number]
    lines = comment["body"].splitlines()[1:]
    assert lines[0] == left
    assert re.fullmatch(r'<img src="https?://[^"]+-i" alt="i">', lines[1])
    for at, path in enumerate(gone):
        said = f"a{at} (a picture that could not be hosted)"
        assert lines[2 + at] == (said if path[0] != "/" else f"![a{at}]({path})")


def test_a_comment_is_made_also_where_its_pictures_are_refused(
    lab: Lab, github_forge: GitHub
) -> None:
    sha, number = proposed(lab, github_forge)
    hook = lab.origin / "hooks/update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/cml/plots/*) exit 1;; esac\n')
    hook.chmod(0o755)
    cwd = checked_out(lab, "ci", sha)
    (cwd / "loss.png").write_bytes(PNG)
    (cwd / "report.md").write_text("Look: ![loss](loss.png)")
    done = job(lab, github_forge, "push", sha, "comment", "report.md", cwd=cwd, branch="better")
    assert done.returncode == 0, done.stderr
    assert "pictures could not be hosted" in done.stderr
    (comment,) = github_forge.comments[number]
    assert comment["body"].endswith("Look: loss (a picture that could not be hosted)")


def test_pictures_of_pushes_go_too_when_the_pull_request_is_closed(
    lab: Lab, github_forge: GitHub
) -> None:
    lab.git("checkout", "-q", "-b", "better")
    sha = lab.change_rate(2.0)
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    done = job(lab, github_forge, "push", sha, cwd=checked_out(lab, "ci", sha), branch="better")
    assert done.returncode == 0, done.stderr
    assert "refs/cml/plots/" in str(lab.remote_refs())
    done = closed(lab, github_forge, sha, number)
    assert done.returncode == 0, done.stderr
    assert "refs/cml/plots/" not in str(lab.remote_refs())


def test_a_bug_while_the_forge_is_told_leaves_no_status_pending(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    broken = "import cml.forges.sticky as s\ndef bug(*a, **k): raise RuntimeError('bug')\n"
    lab.write("../broken/sitecustomize.py", f"{broken}s.keep = bug\n")
    more = {"PYTHONPATH": str(lab.root / "broken")}
    done = job(lab, forge, "push", sha, cwd=checked_out(lab, "ci", sha), environ=more)
    assert done.returncode == 70, done.stderr
    assert forge.shown(sha)[NAME] in RED


def test_a_signal_while_the_forge_is_told_leaves_no_status_pending(lab: Lab, forge: Fake) -> None:
    sha = change(lab)
    folder = lab.root / "job"
    folder.mkdir()
    environ = lab.environ(**forge.environ("push", folder=folder, sha=sha))
    child: list[subprocess.Popen[bytes]] = []
    forge.before("POST", r"/(comments|discussions)$", lambda: child[0].send_signal(signal.SIGTERM))
    command = [sys.executable, "-m", "cml"]
    cwd = checked_out(lab, "ci", sha)
    child.append(subprocess.Popen(command, cwd=cwd, env=environ, stderr=subprocess.PIPE))
    said = child[0].communicate()[1].decode()
    assert child[0].returncode == 130, said
    assert forge.shown(sha)[NAME] in RED
    done = job(lab, forge, "push", sha, "post", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert forge.shown(sha)[NAME] == "success"


def test_a_refused_status_of_a_check_hinders_no_other(lab: Lab, forge: Fake) -> None:
    sha, _ = proposed(lab, forge)
    record = {
        "version": 1,
        "context": {"forge": "terminal", "repository": forge.repository, "sha": sha},
        "verdict": "fail",
        "checks": [{"name": "c", "status": "fail"}],
        "published": {"pushed": True, "commit": "c" * 40, "parent": sha},
    }
    (lab.root / "artifact").mkdir()
    (lab.root / "artifact/record.json").write_text(json.dumps(record))
    setting = ("POST", r"/(check-runs|statuses)")

    def refuse() -> None:
        forge.fail(*setting, status(422), times=None)

    forge.before(*setting, lambda: forge.before(*setting, lambda: forge.before(*setting, refuse)))
    args = ("post", str(lab.root / "artifact"))
    done = job(lab, forge, "push", sha, *args, cwd=lab.work, branch="better")
    assert done.returncode == 1, done.stderr
    assert "could not set the" in done.stderr
    assert forge.shown(sha)[NAME] in RED
    assert forge.shown("c" * 40)[NAME] in RED


def test_no_stage_sees_a_copy_of_a_token_that_is_not_ours(lab: Lab, forge: Fake) -> None:
    lab.git("checkout", "-q", "-b", "better")
    seen = lab.root / "environment"
    spy = f"\nimport os\nopen({str(seen)!r}, 'w').write(str(dict(os.environ)))\n"
    lab.write("train.py", (lab.work / "train.py").read_text() + spy)
    sha = lab.commit("Look around")
    token = getattr(forge, "job_token", "ghs_anotherTokenOfThisJob")
    address = f"https://job:{token}@packages.example.org/simple"
    environ = {"GH_TOKEN": token, "PIP_INDEX_URL": address, "KEPT": "a", "CI_DEPLOY_PASSWORD": "a"}
    cwd = checked_out(lab, "ci", sha)
    done = job(lab, forge, "push", sha, cwd=cwd, branch="better", environ=environ)
    assert done.returncode == 0, done.stderr
    assert token not in seen.read_text()
    assert "KEPT" in seen.read_text()
