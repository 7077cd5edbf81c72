"""What a check reads, and that a change cannot put something else in its place."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from test_main_gate import gated

if TYPE_CHECKING:
    from lab import Lab

REL = "checks:\n  metrics:accuracy: {direction: higher}\n"


def judged(lab: Lab, *args: str) -> tuple[int, dict[str, Any]]:
    """Run in a clean clone of what is committed, and return the exit code and the record."""
    cwd = lab.clone("ci", "-b", "better")
    done = lab.cml(*args, "--baseline", "origin/main", cwd=cwd)
    return done.returncode, lab.record(cwd)


@pytest.mark.parametrize(("rate", "status"), [(0.1, 1), (1.0, 0), (3.0, 0)])
def test_a_value_in_a_file_that_dvc_keeps_is_compared(lab: Lab, rate: float, status: int) -> None:
    gated(lab, "checks:\n  custom:model.json: {aggregate: /mean, direction: higher}\n")
    lab.change_rate(rate)

    code, record = judged(lab)

    (check,) = record["checks"]
    assert (code, check["value"]) == (status, 0.5 * rate)
    said = {0.1: "fell from 0.5 to 0.05", 1.0: "stayed at 0.5", 3.0: "rose from 0.5 to 1.5"}
    assert said[rate] in check["message"]


def test_a_value_in_a_file_that_dvc_has_lost_is_no_pass(lab: Lab) -> None:
    gated(lab, "checks:\n  custom:model.json: {aggregate: /mean, direction: higher}\n")
    lab.change_rate(3.0)
    lab.dvc("repro", "-q")
    shutil.rmtree(lab.work / ".dvc/cache")
    shutil.rmtree(lab.storage / "files")

    done = lab.cml("check", "--json", "--baseline", "origin/main")

    (check,) = json.loads(done.stdout)["checks"]
    assert (done.returncode, check["status"]) == (5, "invalid")
    assert "model.json, as DVC recorded it, is neither in the cache nor" in check["message"]


def named(lab: Lab) -> str:
    """Give the metric a name that looks like a file's, with a rule for it."""
    text = (lab.work / "evaluate.py").read_text()
    lab.write("evaluate.py", text.replace('"accuracy"', '"val:accuracy"'))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    return "checks:\n  metrics:val:accuracy: {target: 0.4.., direction: higher}\n"


def test_a_name_with_a_colon_is_a_name(lab: Lab) -> None:
    gated(lab, named(lab))
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + "metrics: [val]\n")
    lab.write("val", '{"other": 0.99}')
    lab.change_rate(0.1)

    code, record = judged(lab)

    assert code == 1
    assert "fell from 0.5 to 0.05" in record["checks"][0]["message"]


@pytest.mark.parametrize("where", ["here", "at the baseline"])
def test_a_name_that_is_a_file_and_a_name_too_is_invalid(lab: Lab, where: str) -> None:
    rules, other = named(lab), (lab.work / "dvc.yaml").read_text() + "metrics: [val]\n"
    if where == "at the baseline":
        lab.write("dvc.yaml", other)
        lab.write("val", '{"accuracy": 0.99}')
    gated(lab, rules)
    if where == "here":
        lab.write("dvc.yaml", other)
        lab.write("val", '{"accuracy": 0.99}')
    else:
        text = (lab.work / "evaluate.py").read_text()
        lab.write("evaluate.py", text.replace('"val:accuracy"', '"acc"'))
    lab.change_rate(0.1)

    code, record = judged(lab)

    (check,) = record["checks"]
    assert (code, check["status"]) == (5, "invalid")
    assert (
        "can be read as accuracy in val and as val:accuracy in metrics.json: write "
        "metrics:metrics.json:val:accuracy, or give one of them another name" in check["message"]
    )


def test_check_without_dvc_reads_the_files_of_the_rules_in_force(lab: Lab) -> None:
    """A change that takes its rule away, or names another file, hides no metric."""
    plain = lab.root / "plain"
    plain.mkdir()
    lab.git("init", "-q", "-b", "main", cwd=plain)
    rules = "checks:\n  metrics:out/m.json:acc: {direction: higher}\n"
    lab.write("cml.yaml", rules, cwd=plain)
    lab.write("out/m.json", '{"acc": 0.9}', cwd=plain)
    lab.commit("First", cwd=plain, push=False)
    lab.git("checkout", "-q", "-b", "better", cwd=plain)
    lab.write("x.json", '{"y": 1}', cwd=plain)
    for text in ("checks: {}\n", "checks:\n  metrics:x.json:y: {target: 0..}\n"):
        lab.write("cml.yaml", text, cwd=plain)
        for value, status in ((0.95, 0), (0.1, 1)):
            lab.write("out/m.json", f'{{"acc": {value}}}', cwd=plain)
            lab.commit("Change", cwd=plain, push=False)
            done = lab.cml("check", "--json", "--baseline", "main", cwd=plain)
            assert done.returncode == status, done.stdout + done.stderr
            (found,) = json.loads(done.stdout)["checks"]
            assert (found["name"], found["value"]) == ("metrics:out/m.json:acc", value)


def test_check_without_dvc_tells_of_a_baseline_whose_rules_are_wrong(lab: Lab) -> None:
    plain = lab.root / "plain"
    plain.mkdir()
    lab.git("init", "-q", "-b", "main", cwd=plain)
    lab.write("cml.yaml", "checks: {metrics:m.json:acc: {targt: 1}}\n", cwd=plain)
    lab.commit("First", cwd=plain, push=False)
    lab.git("checkout", "-q", "-b", "better", cwd=plain)
    lab.write("cml.yaml", "checks: {}\n", cwd=plain)
    lab.commit("Change", cwd=plain, push=False)

    done = lab.cml("check", "--json", "--baseline", "main", cwd=plain)

    assert done.returncode == 5, done.stdout + done.stderr
    assert "cannot be read" in json.loads(done.stdout)["problems"][0]
