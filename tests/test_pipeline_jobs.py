"""Stages side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lab import Heard

from cml.errors import PipelineError

if TYPE_CHECKING:
    from lab import Lab


def test_independent_stages_run_side_by_side(lab: Lab, opened: Any) -> None:
    script = (
        "import pathlib, sys, time\nme, other = sys.argv[1:]\n"
        "pathlib.Path(me + '.started').touch()\n"
        "for _ in range(200):\n"
        "    if pathlib.Path(other + '.started').exists(): break\n"
        "    time.sleep(0.05)\n"
        "else: raise SystemExit('the other never started')\n"
        "pathlib.Path(me).write_text(me)\n"
    )
    lab.write("meet.py", script)
    stages = "".join(
        f"  {me}:\n    cmd: python3 meet.py {me} {other}\n    deps: [meet.py]\n    outs: [{me}]\n"
        for me, other in (("one", "two"), ("two", "one"))
    )
    after = "  after:\n    cmd: cat one two > both\n    deps: [one, two]\n    outs: [both]\n"
    lab.write("dvc.yaml", f"stages:\n{stages}{after}")
    with opened(lab, lab.work) as project:
        states = Heard(project).reproduce(jobs=2)
    assert states == {"one": "ran", "two": "ran", "after": "ran"}
    assert (lab.work / "both").read_text() == "onetwo"


def test_sixteen_stages_eight_at_a_time_all_succeed(lab: Lab, opened: Any) -> None:
    stages = "".join(
        f"  s{n}:\n    cmd: echo {n} > o{n}\n    deps: [prepare.py]\n    outs: [o{n}]\n"
        for n in range(16)
    )
    lab.write("dvc.yaml", f"stages:\n{stages}")
    with opened(lab, lab.work) as project:
        assert list(Heard(project).reproduce(jobs=8).values()) == ["ran"] * 16


def test_a_failure_among_parallel_stages_starts_no_dependent_stage(lab: Lab, opened: Any) -> None:
    lab.write("train.py", "raise SystemExit(3)\n")
    with opened(lab, lab.work) as project, pytest.raises(PipelineError, match="exit status 3"):
        Heard(project).reproduce(jobs=4)
    assert "evaluate" not in lab.runs


def test_a_stage_waits_for_one_that_it_needs_and_that_is_still_running(
    lab: Lab, opened: Any
) -> None:
    lab.write(
        "dvc.yaml",
        "stages:\n"
        "  slow:\n    cmd: sleep 1 && echo 1 > slow\n    deps: [prepare.py]\n    outs: [slow]\n"
        "  quick:\n    cmd: echo 1 > quick\n    deps: [prepare.py]\n    outs: [quick]\n"
        "  after:\n    cmd: cat slow > after\n    deps: [slow]\n    outs: [after]\n",
    )
    with opened(lab, lab.work) as project:
        heard = Heard(project)
        heard.reproduce(jobs=3)
    assert [stage.name for stage in heard.stages] == ["quick", "slow", "after"]
