"""When there is nothing to be done at all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab import Lab


@pytest.mark.parametrize(
    "message",
    [
        "Fix a typo [ci skip]",
        "Later\n\nand [Skip CI] please",
        "x [no ci]",
        "x\n\nskip-checks: true",
    ],
)
def test_a_commit_that_wants_no_run_is_skipped(lab: Lab, message: str) -> None:
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.commit(message)
    done = lab.cml("--publish")
    assert done.returncode == 0
    assert lab.runs == []
    assert lab.record()["outcome"] == "skipped"
    assert lab.record()["reason"]


def test_a_scheduled_run_is_not_skipped_by_its_own_last_results(lab: Lab) -> None:
    lab.commit("Nightly [ci skip]")
    env = {
        "GITHUB_ACTIONS": "true",
        "CML_FORGE": "terminal",
        "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_REF": "refs/heads/main",
    }
    assert lab.cml("--no-publish", **env).returncode == 0
    assert lab.record()["outcome"] == "unchanged"


def test_a_skip_loads_neither_dvc_nor_pandas(lab: Lab) -> None:
    lab.commit("Nothing [skip ci]")
    script = (
        "import sys\nfrom cml.cli import main\nsys.argv = ['cml-run']\n"
        "try: main()\nexcept SystemExit as end: assert end.code == 0\n"
        "heavy = set('dvc pandas networkx vl_convert github gitlab rich pygit2'.split())\n"
        "print('LOADED', sorted(heavy & {m.partition('.')[0] for m in sys.modules}))\n"
    )
    assert "LOADED []" in lab.run(sys.executable, "-c", script)
