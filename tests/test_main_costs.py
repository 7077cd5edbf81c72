"""Budgets end to end: the seconds of a stage, the bytes of an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_main_gate import gated

if TYPE_CHECKING:
    from lab import Lab


def judged(lab: Lab, *args: str) -> tuple[int, dict[str, Any]]:
    """Run, and return the exit code and the one check's result."""
    done = lab.cml(*args)
    record = lab.record()
    (check,) = record["checks"]
    return done.returncode, check


def test_the_seconds_of_a_stage_have_a_budget(lab: Lab) -> None:
    gated(lab, "checks:\n  seconds:train: {target: ..0.001}\n")
    lab.change_rate(2.0)
    status, check = judged(lab)
    assert (status, check["status"]) == (1, "fail")
    assert check["value"] == next(
        stage["seconds"] for stage in lab.record()["stages"] if stage["name"] == "train"
    )


@pytest.mark.parametrize("how", ["unchanged", "cached", "left out"])
def test_a_stage_that_did_not_run_is_within_its_budget(lab: Lab, how: str) -> None:
    gated(lab, "checks:\n  seconds:train: {target: ..0.001}\n")
    lab.change_rate(2.0)
    args = ("--repro-targets", "prepare") if how == "left out" else ()
    if how != "left out":
        assert judged(lab)[0] == 1
    if how == "cached":
        lab.git("checkout", "-q", "--", "dvc.lock", "metrics.json", "loss.csv")
    status, check = judged(lab, *args)
    assert (status, check["status"]) == (0, "pass")
    assert (f"it is {how}" if args == () else "not asked to run") in check["message"]


@pytest.mark.parametrize("name", ["seconds:trian", "bytes:modle.json"])
def test_what_is_not_there_is_no_pass(lab: Lab, name: str) -> None:
    gated(lab, f"checks:\n  {name}: {{target: ..1000000}}\n")
    lab.change_rate(2.0)
    status, check = judged(lab)
    assert (status, check["status"]) == (5, "invalid")


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("target: ..1000", 0),
        ("target: ..10", 1),
        ("direction: lower", 1),
        ("{direction: lower, max-drop: 1000}", 0),
        ("{direction: lower, max-drop-percent: 1}", 1),
    ],
)
def test_the_bytes_of_an_output_have_a_budget(lab: Lab, rule: str, status: int) -> None:
    rule = rule if rule.startswith("{") else f"{{{rule}}}"
    gated(lab, f"checks:\n  bytes:model.json: {rule}\n")
    before = (lab.work / "model.json").stat().st_size
    lab.change_rate(1 / 3)
    code, check = judged(lab)
    assert code == status
    assert check["value"] == (lab.work / "model.json").stat().st_size > before
