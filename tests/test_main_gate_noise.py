"""Checks with `history`: what is worse by chance passes, what is worse than that is caught."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from forge_kit import NAME, job
from main_kit import checked_out

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub
    from lab import Lab

PAST = (0.5, 0.51, 0.49, 0.5, 0.52)
OTHER_STAGE = """\
  other:
    cmd: echo {number}
    outs:
    - path: other.txt
      hash: md5
      md5: abcdef{number:026x}
      size: 1
"""


def rules(keys: str, name: str = "metrics:accuracy") -> str:
    return f"checks:\n  {name}: {{{keys}}}\n"


def result(lab: Lab, accuracy: float) -> None:
    """Commit a result as a run would leave it: the metrics, and their hash in dvc.lock."""
    old = (lab.work / "metrics.json").read_bytes()
    new = json.dumps({"accuracy": accuracy, "n": 3}).encode()
    lab.write("metrics.json", new.decode())
    lock = (lab.work / "dvc.lock").read_text()
    was, now = (hashlib.md5(each, usedforsecurity=False).hexdigest() for each in (old, new))
    assert was in lock
    lock = lock.replace(was, now)
    lab.write(
        "dvc.lock", re.sub(r"(path: metrics.json\n.*\n.*\n\s+size: )\d+", rf"\g<1>{len(new)}", lock)
    )
    lab.commit(f"Results with {accuracy}", push=False)


def plain(lab: Lab, *commits: str, keys: str = "direction: higher, history: 10") -> Path:
    """Make a repository without DVC whose main branch has had some metrics files."""
    folder = lab.root / "plain"
    folder.mkdir()
    lab.git("init", "-q", "-b", "main", cwd=folder)
    lab.write("cml.yaml", rules(keys, "metrics:out/m.json:acc"), cwd=folder)
    for number, text in enumerate(commits):
        lab.write("out/m.json", text, cwd=folder)
        lab.commit(f"Result {number}", cwd=folder, push=False)
    return folder


def accuracies(*values: Any) -> list[str]:
    return [json.dumps({"acc": value, "run": run}) for run, value in enumerate(values)]


def judged(lab: Lab, folder: Path, value: float) -> tuple[int, dict[str, Any]]:
    lab.write("out/m.json", json.dumps({"acc": value, "run": -1}), cwd=folder)
    done = lab.cml("check", "--json", "--baseline", "main", cwd=folder)
    (found,) = json.loads(done.stdout)["checks"]
    return done.returncode, found


@pytest.mark.parametrize(("rate", "status", "says"), [(0.98, 0, "within"), (0.9, 1, "worse than")])
def test_a_run_that_is_worse_by_chance_passes_and_one_that_is_worse_is_caught(
    lab: Lab, github_forge: GitHub, rate: float, status: int, says: str
) -> None:
    lab.write("cml.yaml", rules("direction: higher, history: 10"))
    for number, accuracy in enumerate(PAST[1:]):
        result(lab, accuracy)
        # What another stage records makes no new result of this one.
        lock = (lab.work / "dvc.lock").read_text().partition("  other:\n")[0]
        lab.write("dvc.lock", lock + OTHER_STAGE.format(number=number))
        lab.commit("Another stage ran")
    lab.git("checkout", "-q", "-b", "better")
    sha = lab.change_rate(rate)
    github_forge.add_pull(head="better", sha=sha, base="main")
    cwd = checked_out(lab, "ci", sha)

    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")

    assert done.returncode == status, done.stderr
    (found,) = lab.record(cwd)["checks"]
    assert found["message"] == (
        f"metrics:accuracy is {rate / 2}, {says} what the last 5 results let expect: "
        "at least 0.477373 (95 % prediction interval)."
    )
    assert found["target"] == "as expected of the last 10 results"
    assert github_forge.shown(sha)[f"{NAME}/metrics:accuracy"] == (
        "failure" if status else "success"
    )


def test_with_too_few_results_nothing_can_be_told(lab: Lab, github_forge: GitHub) -> None:
    lab.write("cml.yaml", rules("direction: higher, history: 10"))
    lab.commit("Set the gate")
    lab.git("checkout", "-q", "-b", "better")
    sha = lab.change_rate(0.1)
    cwd = checked_out(lab, "ci", sha)

    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")

    assert done.returncode == 5, done.stderr
    (found,) = lab.record(cwd)["checks"]
    assert found["status"] == "inconclusive"
    assert found["message"] == (
        "Of metrics:accuracy there is 1 past result, too few to tell a change for the worse from "
        "chance: it takes 2 more."
    )


def test_no_more_results_than_asked_for_count_and_only_numbers_do(lab: Lab) -> None:
    old, new = accuracies(0.1, 0.9, 0.5), accuracies(0.8, None, 0.81, 0.82)
    folder = plain(lab, *old, "{broken", *new, keys="direction: higher, history: 3")

    for value, status in ((0.78, 0), (0.77, 1)):
        code, found = judged(lab, folder, value)
        assert (code, found["status"]) == (status, ("pass", "fail")[status])
        assert "the last 3 results let expect: at least 0.776283 (" in found["message"]


def test_where_less_is_better_only_more_is_worse(lab: Lab) -> None:
    folder = plain(lab, *accuracies(0.2, 0.21, 0.22), keys="direction: lower, history: 3")

    for value, status in ((-5.0, 0), (0.24, 0), (0.25, 1)):
        code, found = judged(lab, folder, value)
        assert code == status
        assert "at most 0.243717 (95 % prediction interval)" in found["message"]


def test_results_that_are_all_equal_make_a_point(lab: Lab) -> None:
    folder = plain(lab, *accuracies(0.3, 0.3, 0.3))

    for value, status in ((0.3, 0), (0.2999, 1)):
        code, found = judged(lab, folder, value)
        assert code == status
        assert found["message"].endswith("all were 0.3, so that the interval is a point.")


def test_the_target_holds_besides_the_history(lab: Lab) -> None:
    keys = "direction: higher, history: 3, target: 0.95.."
    code, found = judged(lab, plain(lab, *accuracies(0.8, 0.81, 0.82), keys=keys), 0.81)

    assert (code, found["status"]) == (1, "fail")
    assert found["target"] == "0.95.., as expected of the last 3 results"


def test_commits_of_a_merged_branch_are_no_results_of_the_target(lab: Lab) -> None:
    folder = plain(lab, *accuracies(0.8, 0.81))
    lab.git("checkout", "-q", "-b", "topic", cwd=folder)
    for text in accuracies(0.1, 0.2, 0.82):
        lab.write("out/m.json", text, cwd=folder)
        lab.commit("Try", cwd=folder, push=False)
    lab.git("checkout", "-q", "main", cwd=folder)
    lab.git("merge", "-q", "--no-ff", "-m", "Merge", "topic", cwd=folder)

    code, found = judged(lab, folder, 0.81)

    assert code == 0
    assert "the last 3 results let expect: at least 0.776283 (" in found["message"]


@pytest.mark.parametrize("remote", ["answers", "is gone"])
def test_a_shallow_clone_is_deepened_as_far_as_it_takes(lab: Lab, remote: str) -> None:
    origin = plain(lab, *accuracies(0.8, 0.81, 0.82))
    lab.write("README.md", "words\n", cwd=origin)
    lab.commit("No result", cwd=origin, push=False)
    lab.git("clone", "-q", "--depth=1", f"file://{origin}", "ci", cwd=lab.root)
    if remote == "is gone":
        origin.rename(lab.root / "moved")
    ci = lab.root / "ci"
    lab.git("checkout", "-q", "-b", "better", cwd=ci)
    lab.commit("A change", cwd=ci, push=False)

    code, found = judged(lab, ci, 0.81)

    if remote == "answers":
        assert (code, found["status"]) == (0, "pass")
        assert "the last 3 results" in found["message"]
    else:
        assert (code, found["status"]) == (5, "inconclusive")
        assert "there is 1 past result" in found["message"]


def test_results_that_dvc_keeps_are_found_in_a_project_below_the_top(lab: Lab) -> None:
    folder = lab.root / "whole"
    project = folder / "[a]/project"
    project.mkdir(parents=True)
    lab.git("init", "-q", "-b", "main", cwd=folder)
    lab.dvc("init", "-q", "--subdir", cwd=project)
    stage = {"cmd": "cp in.json m.json", "deps": ["in.json"], "metrics": ["m.json"]}
    lab.write("dvc.yaml", json.dumps({"stages": {"evaluate": stage}}), cwd=project)
    lab.write("cml.yaml", rules("direction: higher, history: 3"), cwd=project)
    for number, value in enumerate((0.5, 0.8, 0.81, 0.82, 0.77)):
        lab.write("in.json", json.dumps({"accuracy": value}), cwd=project)
        lab.dvc("repro", "-q", cwd=project)
        if number < 4:
            lab.commit("Run it", cwd=folder, push=False)
            lab.write("notes.txt", str(number), cwd=project)
            lab.commit("Write it down", cwd=folder, push=False)

    done = lab.cml("check", "--json", "--baseline", "HEAD", cwd=project)

    assert done.returncode == 1, done.stderr
    (found,) = json.loads(done.stdout)["checks"]
    assert (
        "0.77, worse than what the last 3 results let expect: at least 0.776283 ("
        in found["message"]
    )


def test_one_of_many_checks_that_is_worse_by_chance_blocks_nothing(lab: Lab) -> None:
    past = [json.dumps(dict.fromkeys("abc", value)) for value in (0.9, 0.92, 0.91, 0.89, 0.9)]
    folder = plain(lab, *past)
    lab.git("checkout", "-q", "-b", "better", cwd=folder)
    names = [f"metrics:out/m.json:{name}" for name in "abc"]
    keys = "direction: higher, history: 5"

    for count, a, code in ((1, 0.873, 1), (3, 0.873, 0), (3, 0.85, 1)):
        checks = "".join(f"  {name}: {{{keys}}}\n" for name in names[:count])
        lab.write("cml.yaml", f"checks:\n{checks}", cwd=folder)
        lab.commit("Other rules", cwd=folder, push=False)
        lab.git("branch", "-q", "-f", "main", cwd=folder)
        lab.commit("A change", cwd=folder, push=False)
        lab.write("out/m.json", json.dumps({"a": a, "b": 0.9, "c": 0.9}), cwd=folder)
        done = lab.cml("check", "--json", "--baseline", "main", cwd=folder)
        first = json.loads(done.stdout)["checks"][0]
        assert (done.returncode, first["status"]) == (code, ("pass", "fail")[code]), first
        assert ("Holm's correction for 3 checks" in first["message"]) == (count == 3 and not code)
        lab.git("checkout", "-q", "out/m.json", cwd=folder)
