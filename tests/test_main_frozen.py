"""Stages that a change freezes: their metrics say nothing of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from main_kit import checked_out
from test_main_gate import gated

if TYPE_CHECKING:
    from lab import Lab

RULES = "checks:\n  metrics:accuracy: {direction: higher}\n"
SIDE = "  side:\n    cmd: cp evaluate.py side.txt\n    deps: [evaluate.py]\n    outs: [side.txt]\n"


def freeze(lab: Lab, stage: str) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace(f"  {stage}:\n", f"  {stage}:\n    frozen: true\n"))


def run(lab: Lab) -> tuple[int, list[str]]:
    """Worsen the metric, run that in a clean clone, and return the exit code and the problems."""
    text = (lab.work / "train.py").read_text()
    lab.write("train.py", text.replace("len(numbers) * rate", "len(numbers) / 10"))
    cwd = checked_out(lab, "ci", lab.commit("Train otherwise"))
    done = lab.cml("--baseline", "origin/main", cwd=cwd)
    return done.returncode, lab.record(cwd)["problems"]


@pytest.mark.parametrize("stage", ["evaluate", "train"])
def test_a_change_that_freezes_what_makes_a_metric_is_invalid(lab: Lab, stage: str) -> None:
    gated(lab, RULES)
    freeze(lab, stage)

    assert run(lab) == (
        5,
        [f"stage {stage} is frozen by this change, so the metrics it leads to may be stale"],
    )


def test_another_name_is_no_way_around_it(lab: Lab) -> None:
    gated(lab, RULES)
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("  evaluate:\n", "  judge:\n    frozen: true\n"))
    lock = (lab.work / "dvc.lock").read_text()
    lab.write("dvc.lock", lock.replace("  evaluate:\n", "  judge:\n"))

    code, problems = run(lab)

    assert (code, len(problems)) == (5, 1)
    assert "stage judge is frozen by this change" in problems[0]


def test_a_stage_that_was_frozen_before_is_no_trouble(lab: Lab) -> None:
    freeze(lab, "evaluate")
    gated(lab, RULES)

    assert run(lab) == (0, [])


def test_a_stage_that_leads_to_no_metric_may_be_frozen(lab: Lab) -> None:
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + SIDE)
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    gated(lab, RULES)
    freeze(lab, "side")

    assert run(lab) == (1, [])


def test_frozen_imports_are_no_stages(lab: Lab) -> None:
    gated(lab, RULES)
    lab.dvc("import-url", "-q", str(lab.work / "evaluate.py"), "imported.py")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("deps: [data, ", "deps: [data, imported.py, "))
    lab.dvc("push", "-q")

    assert run(lab) == (1, [])
