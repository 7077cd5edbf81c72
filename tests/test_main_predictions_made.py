"""Predictions belong to their metric: the stages that make it, or those before, make them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from main_kit import checked_out
from test_main_predictions import DVC_YAML, FOLDER, HARMFUL, HARMLESS, kept_by_dvc

if TYPE_CHECKING:
    from lab import Lab

PREDICT = """\
import json, pathlib, subprocess, sys
subprocess.run([sys.executable, "evaluate.py", *sys.argv[1:]])
pathlib.Path("m.json").rename("all.json")
"""
TWO = """\
stages:
  predict:
    cmd: python3 predict.py {given}
    deps: [predict.py, evaluate.py]
    outs: [preds, all.json]
  evaluate:
    cmd: cp all.json m.json
    deps: [all.json]
    metrics:
      - m.json: {{cache: false}}
"""
OTHER = """\
  other:
    cmd: mkdir -p preds && cp evaluate.csv preds/test.csv
    deps: [evaluate.csv]
    outs: [preds]
"""
FORGED = "is not made by the stage that makes m.json, or by one before it"


def run(lab: Lab) -> tuple[int, dict[str, Any]]:
    """Commit a change, run it in a clean clone, and return the exit code and the one check."""
    cwd = checked_out(lab, "ci", lab.commit("Better, I hope"))
    done = lab.cml("--baseline", "origin/main", cwd=cwd)
    assert lab.record(cwd)["checks"], done.stderr
    (check,) = lab.record(cwd)["checks"]
    return done.returncode, check


def test_the_stage_before_may_make_them(lab: Lab) -> None:
    kept_by_dvc(lab)
    lab.write("predict.py", PREDICT)
    lab.write("dvc.yaml", TWO.format(given=HARMFUL))

    code, check = run(lab)

    assert code == 1
    assert "400 items in preds/test.csv changed by -0.2" in check["message"]


@pytest.mark.parametrize("how", ["by hand", "by dvc add", "by another stage"])
def test_whatever_else_makes_them_is_not_believed(lab: Lab, how: str) -> None:
    """Each of them leaves the good predictions where they were, beside bad metrics."""
    kept_by_dvc(lab)
    good = (lab.work / "preds/test.csv").read_text()
    lab.git("rm", "-q", "--ignore-unmatch", ".gitignore")
    shutil.rmtree(lab.work / "preds")
    text = (lab.work / "evaluate.py").read_text()
    lab.write("evaluate.py", text.replace("preds", "other"))
    lab.write("dvc.yaml", DVC_YAML.format(given=HARMFUL, outs="other"))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    if how == "by another stage":
        lab.write("evaluate.csv", good)
        lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + OTHER)
    else:
        lab.write("preds/test.csv", good)
    if how == "by dvc add":
        lab.dvc("add", "-q", "preds")
        text = (lab.work / "dvc.yaml").read_text()
        lab.write("dvc.yaml", text.replace("deps: [", "deps: [preds, "))
        lab.dvc("push", "-q")

    code, check = run(lab)

    assert (code, check["status"]) == (5, "invalid"), check["message"]
    assert f"preds/test.csv {FORGED}" in check["message"]


def test_a_metrics_file_that_no_stage_makes_has_no_predictions(lab: Lab) -> None:
    kept_by_dvc(lab)
    text = DVC_YAML.format(given=HARMFUL, outs=FOLDER)
    lab.write("dvc.yaml", text.partition("    metrics:")[0] + "metrics: [m.json]\n")

    code, check = run(lab)

    assert (code, check["status"]) == (5, "invalid")
    assert f"preds/test.csv {FORGED}" in check["message"]


@pytest.mark.parametrize(("given", "status"), [(HARMFUL, 1), ("10 0 0", 0), (HARMLESS, 0)])
def test_a_baseline_without_predictions_still_has_its_metric(
    lab: Lab, given: str, status: int
) -> None:
    kept_by_dvc(lab)
    lab.git("checkout", "-q", "main")
    text = (lab.work / "evaluate.py").read_text()
    lab.write("evaluate.py", text.replace("preds", "other"))
    lab.write("dvc.yaml", DVC_YAML.format(given="10 0 0", outs="other"))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("No predictions yet")
    lab.git("checkout", "-q", "-B", "better")
    lab.write("evaluate.py", text)
    lab.write("dvc.yaml", DVC_YAML.format(given=given, outs=FOLDER))

    code, check = run(lab)

    assert code == status, json.dumps(check)
    said = "fell from 0.9 to 0.7: worse by 0.2" if status else "stayed at 0.9, which is no worse"
    assert f"metrics:acc {said}" in check["message"]
    assert check["message"].endswith("There are no predictions at the baseline to compare with.")
