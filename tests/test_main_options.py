"""What users set, and what they get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab import Lab


def test_edits_that_are_no_results_are_refused_before_anything_runs(lab: Lab) -> None:
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    done = lab.cml("--publish")
    assert done.returncode == 2
    assert "params.yaml" in done.stderr + done.stdout
    assert lab.runs == []
    assert lab.cml().returncode == 0
    assert "uncommitted edits: params.yaml" in lab.record()["published"]["note"]


def test_an_untracked_file_that_the_pipeline_reads_is_refused(lab: Lab) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write(
        "dvc.yaml",
        text.replace("[model.json, evaluate.py]", "[model.json, evaluate.py, extra.txt]"),
    )
    lab.commit("Read one more file")
    lab.write("extra.txt", "never added to git")
    done = lab.cml("--publish")
    assert done.returncode == 2
    assert "extra.txt" in done.stderr + done.stdout


def test_the_workflow_variables_of_2020_still_work(lab: Lab) -> None:
    lab.change_rate(2.0)
    done = lab.cml(
        repro_targets="train",
        tag_prefix="v-",
        metrics_format="0.000",
        baseline="HEAD~1",
        dvc_pull="-",
    )
    assert done.returncode == 0, done.stderr
    assert lab.runs == ["train"]
    assert lab.record()["baseline"]["revision"] == "HEAD~1"
    assert "0.500" in done.stdout


def test_a_dash_skips_the_pipeline_and_compares_what_is_there(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml("--repro-targets", "-").returncode == 0
    assert lab.runs == []


def test_pulling_nothing_leaves_a_changed_stage_without_its_data(lab: Lab) -> None:
    lab.change_rate(2.0)
    fresh = lab.clone("fresh")
    assert lab.cml("--dvc-pull", "-", cwd=fresh).returncode == 3
    assert lab.runs == []


def test_pulling_all_brings_everything_first(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    assert lab.cml("--dvc-pull", "all", cwd=fresh).returncode == 0
    assert (fresh / "data/1.txt").exists()
    assert lab.record(fresh)["transfer"]["pulled_files"] == 6


def test_a_bundle_that_cannot_be_written_is_a_clear_error_before_any_work(lab: Lab) -> None:
    lab.change_rate(2.0)
    lab.write("taken", "a file")
    done = lab.cml("--out", "taken/bundle")
    assert done.returncode == 2
    assert "taken/bundle" in done.stderr
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr
    assert lab.runs == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--jobs", "many"], "--jobs"),
        (["--metrics-format", "0.00x"], "0.00x"),
        (["--no-such-option"], "--no-such-option"),
        (["no-such-command"], "no-such-command"),
        (["--tag-prefix", "a b"], "--tag-prefix"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_the_place(lab: Lab, args: list[str], said: str) -> None:
    done = lab.cml(*args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_typo_in_cml_yaml_is_named_with_file_and_line(lab: Lab) -> None:
    lab.write("cml.yaml", "jobs: 2\nbasline: main\n")
    done = lab.cml()
    assert done.returncode == 2
    assert "cml.yaml" in done.stderr
    assert "baseline" in done.stderr


def test_outside_of_a_repository_people_are_told_so(lab: Lab) -> None:
    elsewhere = lab.root / "elsewhere"
    elsewhere.mkdir()
    done = lab.cml(cwd=elsewhere)
    assert done.returncode == 2
    assert "git" in done.stderr
    assert "Traceback" not in done.stderr
