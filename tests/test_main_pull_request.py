"""A pull request's checkout: a merge that a forge has made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab import Lab


def pull_request(lab: Lab, *, fork: bool = False) -> dict[str, str]:
    """Check out what GitHub's checkout does on a pull request; return the job's environment."""
    head, base = lab.git("rev-parse", "idea"), lab.git("rev-parse", "main")
    merge = lab.git(
        "commit-tree", "-p", base, "-p", head, "-m", f"Merge {head} into {base}", "HEAD^{tree}"
    )
    lab.git("push", "-q", "origin", f"{merge}:refs/pull/7/merge")
    lab.git("checkout", "-q", "--detach", merge)
    payload = {
        "pull_request": {
            "number": 7,
            "head": {"sha": head, "ref": "idea", "repo": {"full_name": "x/r" if fork else "o/r"}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "o/r"}},
        },
        "repository": {"full_name": "o/r"},
    }
    event = lab.root / "event.json"
    event.write_text(json.dumps(payload))
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "CML_FORGE": "terminal",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": merge,
        "GITHUB_HEAD_REF": "idea",
        "GITHUB_BASE_REF": "main",
        "GITHUB_REPOSITORY": "o/r",
    }


def test_a_pull_request_whose_merge_is_the_head_is_saved_to_the_head_branch(lab: Lab) -> None:
    lab.git("checkout", "-q", "-b", "idea")
    head = lab.change_rate(2.0)
    done = lab.cml(**pull_request(lab))
    assert done.returncode == 0, done.stderr
    record = lab.record()
    assert record["context"]["sha"] == head
    assert record["context"]["pull_request"] == 7
    assert len(lab.results("idea")) == 1
    assert lab.git("rev-parse", "idea~1", cwd=lab.origin) == head


def test_a_pull_request_whose_merge_differs_is_reported_but_not_committed(lab: Lab) -> None:
    lab.git("checkout", "-q", "-b", "idea")
    lab.change_rate(2.0)
    lab.git("checkout", "-q", "main")
    lab.write("README.md", "newer")
    lab.commit("Move on")
    lab.git("checkout", "-q", "idea")
    lab.write("README.md", "newer")
    lab.git("add", "README.md")
    tree = lab.git("write-tree")
    lab.git("reset", "-q", "--hard")
    env = pull_request(lab)
    merge = lab.git("commit-tree", "-p", "main", "-p", "idea", "-m", "Merge", tree)
    lab.git("checkout", "-q", "--detach", merge)
    done = lab.cml(**{**env, "GITHUB_SHA": merge})
    assert done.returncode == 0, done.stderr
    assert lab.results("idea") == []
    assert "merge" in lab.record()["published"]["note"]
    assert lab.record()["transfer"]["pushed_files"] > 0


def test_the_skip_marker_is_looked_for_in_the_head_of_a_pull_request(lab: Lab) -> None:
    lab.git("checkout", "-q", "-b", "idea")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.commit("Not yet [ci skip]")
    assert lab.cml(**pull_request(lab)).returncode == 0
    assert lab.record()["outcome"] == "skipped"


def test_a_pull_request_from_a_fork_pushes_nothing_and_keeps_its_verdict(lab: Lab) -> None:
    lab.git("checkout", "-q", "-b", "idea")
    lab.write("evaluate.py", "open('metrics.json', 'w').write('{}')\n")
    lab.commit("Lose the metrics")
    env = pull_request(lab, fork=True)
    refs, stored = lab.remote_refs(), sorted(lab.storage.rglob("*"))
    assert lab.cml(**env).returncode == 5
    assert lab.remote_refs() == refs
    assert sorted(lab.storage.rglob("*")) == stored
    assert "fork" in lab.record()["published"]["note"]
