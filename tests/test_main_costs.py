"""Budgets end to end: the seconds of a stage, the bytes of an output."""

from __future__ import annotations

import json
import re
import shutil
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


FOLDER = "import pathlib; f = pathlib.Path('o'); f.mkdir(); (f / 'a').write_text('x' * 5000)\n"


@pytest.mark.parametrize("where", ["work tree", "cache", "remote"])
@pytest.mark.parametrize("path", ["model.json", "o"])
def test_nobody_believes_what_dvc_lock_says_of_a_size(lab: Lab, path: str, where: str) -> None:
    make = "  make:\n    cmd: python3 make.py\n    deps: [make.py]\n    outs: [o]\n"
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + make)
    lab.write("make.py", FOLDER.replace("5000", "10"))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    gated(lab, f"checks:\n  bytes:{path}: {{direction: lower, max-drop-percent: 10}}\n")
    lab.write("make.py", FOLDER)
    text = (lab.work / "train.py").read_text()
    lab.write("train.py", text.replace('{"mean"', '{"pad": "x" * 5000, "mean"'))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lock = (lab.work / "dvc.lock").read_text()
    lab.write("dvc.lock", re.sub(r"size: 5\d\d\d", "size: 10", lock))
    lab.commit("Small, as it says")
    cwd = lab.work
    if where != "work tree":
        cwd = lab.clone("ci", "-b", "better")
    if where == "cache":
        lab.dvc("fetch", "-q", cwd=cwd)
        # Nor is it pulled.
        lab.write(".dvc/config", "[core]\n    remote = none\n", cwd=cwd)

    done = lab.cml("check", "--json", "--baseline", "origin/main", cwd=cwd)

    (check,) = json.loads(done.stdout)["checks"]
    assert (done.returncode, check["status"]) == (1, "fail"), done.stdout
    assert 5000 <= check["value"] < 5100


def test_a_size_is_what_dvc_records_where_the_data_are_nowhere(lab: Lab) -> None:
    gated(lab, "checks:\n  bytes:model.json: {target: ..1000}\n")
    lab.commit("A change")
    recorded = (lab.work / "model.json").stat().st_size
    shutil.rmtree(lab.storage / "files")
    cwd = lab.clone("ci", "-b", "better")

    done = lab.cml("check", "--json", cwd=cwd)

    (check,) = json.loads(done.stdout)["checks"]
    assert (done.returncode, check["value"]) == (0, recorded)
