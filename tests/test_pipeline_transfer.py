"""What moves between the DVC remote and here, and what is missed there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from dvc.exceptions import CheckoutError
from lab import Heard

from cml import pipeline
from cml.errors import PipelineError, UsageError
from cml.pipeline import backends

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab


def test_data_missing_from_an_empty_remote_is_seen_without_a_download(
    lab: Lab, opened: Any
) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    with opened(lab, fresh) as project:
        Heard(project).reproduce()
        absent = pipeline.absent_from_remote(project)
        assert sorted(absent) == ["data", "model.json", "prepared.csv"]
        assert sorted(pipeline.lost(project, absent)) == ["data", "model.json", "prepared.csv"]


def test_data_that_was_not_pushed_yet_is_not_lost(lab: Lab, opened: Any) -> None:
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    with opened(lab, lab.work) as project:
        absent = pipeline.absent_from_remote(project)
        assert sorted(absent) == ["data", "model.json", "prepared.csv"]
        assert pipeline.lost(project, absent) == []
        pipeline.push(project, absent, [])
        assert pipeline.absent_from_remote(project) == []
        assert project.pushed.files == 6
    assert (
        sum(f.stat().st_size for f in lab.storage.rglob("*") if f.is_file()) == project.pushed.size
    )


def test_a_push_to_a_remote_that_cannot_be_written_is_an_error(lab: Lab, opened: Any) -> None:
    shutil.rmtree(lab.storage)
    lab.storage.write_text("a file where the folder should be")
    with opened(lab, lab.work) as project, pytest.raises(PipelineError):
        pipeline.push(project, ["model.json"], [])


def test_without_a_remote_results_come_from_the_run_cache_here(lab: Lab, opened: Any) -> None:
    lab.write(".dvc/config", "")
    states = []
    for rate in ("2.0", "1.0"):
        lab.write("params.yaml", f"train:\n  rate: {rate}\n")
        with opened(lab, lab.work) as project:
            states.append(Heard(project).reproduce()["train"])
    assert states == ["ran", "cached"]


def test_results_of_one_machine_are_not_computed_again_on_another(lab: Lab, opened: Any) -> None:
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.commit("Train faster")
    first, second = lab.clone("first"), lab.clone("second")
    with opened(lab, first) as project:
        run = Heard(project)
        assert run.reproduce()["train"] == "ran"
        pipeline.push(project, pipeline.absent_from_remote(project), ["train", "evaluate"])
    assert lab.runs == ["train", "evaluate"]
    with opened(lab, second) as project:
        run = Heard(project)
        states = run.reproduce()
        assert (states["train"], states["evaluate"]) == ("cached", "cached")
        assert project.pulled.files >= 2
    assert lab.runs == ["train", "evaluate"]
    assert (first / "metrics.json").read_text() == (second / "metrics.json").read_text()


def test_only_the_run_cache_entry_at_hand_is_fetched(lab: Lab, opened: Any) -> None:
    for rate in (2.0, 3.0):
        lab.write("params.yaml", f"train:\n  rate: {rate}\n")
        with opened(lab, lab.work) as project:
            Heard(project).reproduce()
            pipeline.push(project, pipeline.absent_from_remote(project), ["train", "evaluate"])
    assert len(list(lab.storage.glob("runs/*/*/*"))) == 4
    fresh = lab.clone("fresh")
    lab.write("params.yaml", "train:\n  rate: 3.0\n", cwd=fresh)
    with opened(lab, fresh) as project:
        Heard(project).reproduce()
    assert len(list(fresh.glob(".dvc/cache/runs/*/*/*"))) == 2


def test_updates_name_what_came_in(lab: Lab, opened: Any, tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("one")
    lab.dvc("import-url", "-q", str(source), "imported.csv")
    lab.commit("Import a table")
    source.write_text("one and two")
    with opened(lab, lab.work) as project:
        (update,) = pipeline.update(project, ["imported.csv.dvc"])
        assert update.path == "imported.csv"
        assert update.old != update.new
        assert pipeline.update(project, ["imported.csv.dvc"]) == []
        with pytest.raises(UsageError, match="no import"):
            pipeline.update(project, ["data.dvc"])
    assert (lab.work / "imported.csv").read_text() == "one and two"


def test_outputs_with_a_remote_of_their_own_need_no_default_one(lab: Lab, opened: Any) -> None:
    lab.write(".dvc/config", "['remote \"storage\"']\n    url = ../../storage\n")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("[model.json]\n", "[model.json: {remote: storage}]\n"))
    with opened(lab, lab.work) as project, pytest.raises(UsageError, match="no remote"):
        pipeline.require_remote(project)
    lab.write(
        "dvc.yaml", "stages:\n  one:\n    cmd: echo 1 > one\n    outs: [one: {remote: storage}]\n"
    )
    (lab.work / "data.dvc").unlink()
    with opened(lab, lab.work) as project:
        Heard(project).reproduce()
        pipeline.require_remote(project)
        assert pipeline.has_remote(project)
        assert pipeline.absent_from_remote(project) == ["one"]
        pipeline.push(project, ["one"], [])
        assert pipeline.absent_from_remote(project) == []


def test_what_dvc_says_in_colours_is_told_without() -> None:
    said = backends.describe(CheckoutError(["data"], {}))

    assert "<https://error.dvc.org/missing-files>" in said
