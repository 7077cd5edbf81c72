"""From a repository of 2019 to a run that trains nothing, by the command a user would call."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def first_years(lab: Lab) -> Path:
    """Replace the lab's pipeline by one stage in the format of DVC 0.x."""
    for name in ("dvc.yaml", "dvc.lock", "metrics.json", "loss.csv", "data.dvc"):
        (lab.work / name).unlink()
    lab.write("source.txt", "4\n")
    lab.write("score.json", '{"score": 4}')
    stage: dict[str, Any] = {
        "cmd": "echo ran >> $RUNS_LOG; echo '{\"score\":' $(cat source.txt)'}' > score.json",
        "deps": [{"md5": md5("4\n"), "path": "source.txt"}],
        "outs": [{"cache": False, "md5": md5('{"score": 4}'), "path": "score.json"}],
    }
    own = md5(json.dumps(stage, sort_keys=True))
    stage["outs"][0]["metric"] = True
    file = lab.write("score.dvc", json.dumps({"md5": own, **stage}))
    lab.commit("As in 2019")
    return file


def test_old_files_are_refused_with_a_pointer_to_migrate(lab: Lab) -> None:
    first_years(lab)
    for command in ([], ["plan"], ["doctor"]):
        done = lab.cml(*command)
        assert done.returncode in {1, 2}
        assert "score.dvc" in done.stdout + done.stderr
        assert "cml-run migrate" in done.stdout + done.stderr


def test_migrate_keeps_the_hashes_so_that_nothing_runs(lab: Lab) -> None:
    first_years(lab)
    done = lab.cml("migrate", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert lab.git("status", "--porcelain") == ""
    assert "dvc.yaml" in done.stdout
    assert lab.cml("migrate").returncode == 0
    assert not (lab.work / "score.dvc").exists()
    lab.commit("As today")
    assert lab.cml().returncode == 5
    assert lab.runs == []
    lab.write("README.md", "Now that the baseline can be read")
    lab.commit("Say so")
    done = lab.cml("--publish")
    assert done.returncode == 0, done.stderr
    assert lab.record()["outcome"] == "unchanged"
    assert lab.record()["metrics"][0]["new"] == 4
    assert lab.runs == []
    lab.write("source.txt", "5\n")
    lab.commit("Change what it depends on")
    assert lab.cml().returncode == 0
    assert lab.runs == ["ran"]


def test_migrate_has_nothing_to_do_in_a_repository_of_today(lab: Lab) -> None:
    done = lab.cml("migrate")
    assert done.returncode == 0
    assert "nothing to convert" in done.stdout
    assert lab.git("status", "--porcelain") == ""
