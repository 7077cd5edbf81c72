"""Event files count where this run has logged them; what was committed is anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from main_kit import checked_out
from tensorboardX import SummaryWriter
from test_main_gate import gated

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

RULES = "checks:\n  tensorflow:loss: {target: ..0.3, aggregate: min}\n"
LOG = """\
from tensorboardX import SummaryWriter
with SummaryWriter("runs") as writer:
    writer.add_scalar("loss", 0.2, 1)
"""
STAGE = """\
  log:
    cmd: python3 log.py
    deps: [log.py]
    outs:
      - runs: {cache: false}
"""


def write(folder: Path, loss: float) -> None:
    with SummaryWriter(str(folder)) as writer:
        writer.add_scalar("loss", loss, 1)


@pytest.mark.parametrize("logdir", ["", "logdir: link\n"])
def test_a_committed_event_file_does_not_take_the_place_of_what_was_logged(
    lab: Lab, logdir: str
) -> None:
    gated(lab, logdir + RULES)
    write(lab.work / "zz", 0.01)
    if logdir:
        (lab.work / "link").symlink_to("zz")
    cwd = checked_out(lab, "ci", lab.change_rate(0.1))
    (cwd / ".git/info/exclude").write_text("tfevents\n/zz/new\n/runs\n")
    write(cwd / ("zz/new" if logdir else "runs"), 0.9)

    done = lab.cml("--baseline", "origin/main", cwd=cwd)

    (check,) = lab.record(cwd)["checks"]
    assert (done.returncode, check["value"]) == (1, 0.9), done.stderr
    assert "event files that are committed, not logged by this run: 1 left out" in done.stderr
    # Nothing logs anything where nothing runs.
    assert lab.cml("check", "--baseline", "origin/main", cwd=cwd).returncode == 0


@pytest.mark.parametrize("loss", [0.9, 0.1])
def test_a_committed_event_file_that_the_run_goes_on_with_counts(lab: Lab, loss: float) -> None:
    gated(lab, RULES)
    write(lab.work / "zz", 0.4)
    cwd = checked_out(lab, "ci", lab.change_rate(0.1))
    (file,) = (cwd / "zz").iterdir()
    write(lab.root / "new", loss)
    (more,) = (lab.root / "new").iterdir()
    file.write_bytes(file.read_bytes() + more.read_bytes())

    lab.cml("--baseline", "origin/main", cwd=cwd)

    (check,) = lab.record(cwd)["checks"]
    assert check["value"] == min(0.4, loss)


def test_a_committed_event_file_that_a_stage_has_made_counts(lab: Lab) -> None:
    lab.write("log.py", LOG)
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + STAGE)
    lab.dvc("repro", "-q")
    gated(lab, RULES)
    cwd = checked_out(lab, "ci", lab.change_rate(3.0))

    done = lab.cml("--baseline", "origin/main", cwd=cwd)

    (check,) = lab.record(cwd)["checks"]
    assert (done.returncode, check["value"]) == (0, 0.2), done.stderr
