"""Metrics, data and plots as DVC knows them: every trap that was measured is a test here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from lab import Heard

from cml import pipeline

if TYPE_CHECKING:
    from lab import Lab


def test_metrics_are_seen_for_what_they_are(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    lab.write("metrics.json", '{"accuracy": NaN, "n": null, "kind": "resnet", "list": [1, 2]}')
    with opened(lab, lab.work) as project:
        read = pipeline.read_metrics(project, [base, pipeline.WORKSPACE])
    assert read[base].values == {"metrics.json": {"accuracy": 0.5, "n": 3}}
    now = read[pipeline.WORKSPACE].values["metrics.json"]
    assert str(now["accuracy"]) == "nan"
    assert now["kind"] == "resnet"
    assert "n" not in now


@pytest.mark.parametrize("text", ["{", "\x00\x01", '{"a": 1}}'])
def test_a_corrupt_metrics_file_is_an_error_in_the_reading(
    lab: Lab, opened: Any, text: str
) -> None:
    lab.write("metrics.json", text)
    with opened(lab, lab.work) as project:
        read = pipeline.read_metrics(project, [pipeline.WORKSPACE])[pipeline.WORKSPACE]
    assert list(read.errors) == ["metrics.json"]
    assert read.values == {}


def test_a_deleted_metrics_file_is_an_error_in_the_reading(lab: Lab, opened: Any) -> None:
    (lab.work / "metrics.json").unlink()
    with opened(lab, lab.work) as project:
        read = pipeline.read_metrics(project, [pipeline.WORKSPACE])[pipeline.WORKSPACE]
    assert list(read.errors) == ["metrics.json"]


def test_metrics_that_the_baseline_never_recorded_are_simply_absent(lab: Lab, opened: Any) -> None:
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text().replace("metrics.json", "new.json"))
    base = lab.commit("Name the metrics anew, without running", push=False)
    lab.git("rm", "-q", "--cached", "metrics.json")
    with opened(lab, lab.work) as project:
        read = pipeline.read_metrics(project, [base])[base]
    assert (dict(read.values), dict(read.errors)) == ({}, {})


def test_metrics_cached_by_dvc_at_the_baseline_are_fetched(lab: Lab, opened: Any) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write(
        "dvc.yaml", text.replace("metrics.json: {cache: false}", "metrics.json: {cache: true}")
    )
    lab.git("rm", "-q", "--cached", "metrics.json")
    lab.dvc("repro", "-q", "-f", "evaluate")
    lab.dvc("push", "-q")
    base = lab.commit("Let DVC keep the metrics")
    fresh = lab.clone("fresh")
    with opened(lab, fresh) as project:
        read = pipeline.read_metrics(project, [base, pipeline.WORKSPACE])
    assert read[base].values["metrics.json"]["accuracy"] == 0.5
    assert read[pipeline.WORKSPACE].values["metrics.json"]["accuracy"] == 0.5


def test_cached_metrics_lost_from_the_remote_are_an_error_at_the_baseline(
    lab: Lab, opened: Any
) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write(
        "dvc.yaml", text.replace("metrics.json: {cache: false}", "metrics.json: {cache: true}")
    )
    lab.git("rm", "-q", "--cached", "metrics.json")
    lab.dvc("repro", "-q", "-f", "evaluate")
    base = lab.commit("Let DVC keep the metrics, and forget the push")
    with opened(lab, lab.clone("fresh")) as project:
        read = pipeline.read_metrics(project, [base])[base]
    assert list(read.errors) == ["metrics.json"]


def test_data_changes_are_listed_file_by_file_from_the_listings_alone(
    lab: Lab, opened: Any
) -> None:
    base = lab.git("rev-parse", "HEAD")
    (lab.work / "data/1.txt").unlink()
    (lab.work / "data/2.txt").rename(lab.work / "data/two.txt")
    lab.write("data/3.txt", "0.9")
    lab.write("data/ünï.txt", "0.1")
    lab.dvc("add", "-q", "data")
    lab.dvc("push", "-q")
    lab.commit("Other data")
    fresh = lab.clone("fresh")
    with opened(lab, fresh) as project:
        changes = pipeline.data_changes(project, base)
        assert project.pulled.files == 2
    assert not (fresh / "data").exists()
    assert changes.added == ["data/ünï.txt"]
    assert changes.deleted == ["data/1.txt"]
    assert changes.modified == ["data/3.txt"]
    assert [(r.old, r.new) for r in changes.renamed] == [("data/2.txt", "data/two.txt")]


def test_plots_compare_the_baseline_with_now(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    with opened(lab, lab.work) as project:
        Heard(project).reproduce()
        drawn = dict(pipeline.plots(project, base))
    specification = drawn["loss.csv"]
    assert isinstance(specification, dict)
    assert {row["rev"] for row in specification["data"]["values"]} == {
        "now",
        f"baseline {base[:7]}",
    }


def test_plots_that_do_not_differ_are_left_out(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    with opened(lab, lab.work) as project:
        assert dict(pipeline.plots(project, base)) == {}
        assert list(dict(pipeline.plots(project, None))) == ["loss.csv"]


def test_images_that_stages_write_are_taken_as_they_are(lab: Lab, opened: Any) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("loss.csv: {x: step, y: loss,", "loss.jpg: {"))
    lab.write("train.py", (lab.work / "train.py").read_text().replace("loss.csv", "loss.jpg"))
    with opened(lab, lab.work) as project:
        Heard(project).reproduce()
        drawn = dict(pipeline.plots(project, None))
    assert drawn == {"loss.jpg": (lab.work / "loss.jpg").read_bytes()}


def test_plots_in_a_cached_folder_are_fetched_for_both_sides(lab: Lab, opened: Any) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text.replace("loss.csv: {x: step, y: loss, cache: false}", "plots"))
    script = (lab.work / "train.py").read_text().replace('"loss.csv"', '"plots/loss.csv"')
    lab.write("train.py", "import os; os.makedirs('plots', exist_ok=True)\n" + script)
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    base = lab.commit("Plots in a folder")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("Train faster")
    with opened(lab, lab.clone("fresh")) as project:
        drawn = dict(pipeline.plots(project, base))
    (specification,) = drawn.values()
    assert isinstance(specification, dict)
    assert {row["rev"] for row in specification["data"]["values"]} == {
        "now",
        f"baseline {base[:7]}",
    }


def test_reading_metrics_does_not_import_pandas(lab: Lab) -> None:
    script = (
        "import pathlib, sys\nfrom cml import pipeline\n"
        "with pipeline.open_project(pathlib.Path('.')) as project:\n"
        "    pipeline.read_metrics(project, [pipeline.WORKSPACE])\n"
        "print('pandas' in sys.modules)\n"
    )
    assert lab.run(sys.executable, "-c", script) == "False"
