"""The main job as users meet it: a subprocess, real git, real DVC, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab import Lab


def test_nothing_to_do_passes_pulls_nothing_and_commits_nothing(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    done = lab.cml("--publish", "--tag-prefix", "exp-", cwd=fresh)
    assert done.returncode == 0, done.stderr
    record = lab.record(fresh)
    assert record["outcome"] == "unchanged"
    assert record["verdict"] == "pass"
    assert record["transfer"]["pulled_bytes"] == record["transfer"]["pushed_bytes"] == 0
    assert lab.runs == []
    assert list(lab.remote_refs()) == ["refs/heads/main"]
    assert lab.results() == []
    assert lab.metric("accuracy", fresh)["new"] == 0.5


def test_a_changed_parameter_is_trained_compared_and_saved_once(lab: Lab) -> None:
    source = lab.change_rate(2.0)
    fresh = lab.clone("fresh")
    done = lab.cml("--publish", "--tag-prefix", "exp-", cwd=fresh)
    assert done.returncode == 0, done.stderr
    assert lab.runs == ["train", "evaluate"]
    record = lab.record(fresh)
    assert record["outcome"] == "changed"
    accuracy = lab.metric("accuracy", fresh)
    assert (accuracy["old"], accuracy["new"], accuracy["diff"]) == (0.5, 1.0, 0.5)
    assert [(p["name"], p["old"], p["new"]) for p in record["params"]] == [("train.rate", 1, 2)]
    assert record["data"]["modified"] == ["model.json"]
    assert {s["name"]: s["state"] for s in record["stages"]} == {
        "prepare": "unchanged",
        "train": "ran",
        "evaluate": "ran",
    }
    assert record["transfer"]["pulled_files"] == 1
    published = record["published"]
    refs = lab.remote_refs()
    assert refs["refs/heads/main"] == refs[f"refs/tags/exp-{source[:7]}"] == published["commit"]
    assert published["pushed"]
    message = lab.git("log", "-1", "--format=%B", "main", cwd=lab.origin)
    assert message.splitlines()[0] == f"cml-run: results of {source[:7]} [ci skip]"
    assert f"Cml-Source: {source}" in message
    files = lab.git("show", "--format=", "--name-only", "main", cwd=lab.origin).split()
    assert files == ["dvc.lock", "loss.csv", "metrics.json"]
    assert lab.git("log", "-1", "--format=%an <%ae>", "main", cwd=lab.origin) == (
        "cml-run <cml-run@localhost>"
    )
    assert lab.git("status", "--porcelain", cwd=fresh) == ""
    assert lab.git("rev-parse", "HEAD", cwd=fresh) == published["commit"]
    for report in (done.stdout, (fresh / ".cml/report.md").read_text()):
        assert "`accuracy` | 0.5 | 1 | +0.5" in report
    assert (fresh / ".cml" / record["plots"][0]["file"]).read_bytes().startswith(b"\x89PNG")

    again = lab.cml("--publish", cwd=lab.clone("again"))
    assert again.returncode == 0
    assert "results of" in again.stdout
    assert len(lab.results()) == 1


def test_other_machines_get_the_data_of_a_saved_run(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml("--publish", cwd=lab.clone("fresh")).returncode == 0
    other = lab.clone("other")
    lab.dvc("pull", "-q", cwd=other)
    assert json.loads((other / "model.json").read_text()) == {"mean": 1.0}
    assert lab.dvc("status", cwd=other).endswith("up to date.")


def test_changed_data_runs_all_that_depends_on_it(lab: Lab) -> None:
    lab.write("data/4.txt", "1.0")
    lab.dvc("add", "-q", "data")
    lab.dvc("push", "-q")
    lab.commit("More data")
    fresh = lab.clone("fresh")
    assert lab.cml(cwd=fresh).returncode == 0
    assert lab.runs == ["prepare", "train", "evaluate"]
    assert lab.record(fresh)["data"]["added"] == ["data/4.txt"]


def test_from_a_shell_the_default_is_to_show_and_to_say_so(lab: Lab) -> None:
    lab.change_rate(2.0)
    before = lab.remote_refs()
    done = lab.cml()
    assert done.returncode == 0
    assert "--publish" in done.stdout
    assert lab.remote_refs() == before
    assert not lab.record()["published"]["pushed"]
    assert lab.record()["metrics"]


def test_in_ci_the_default_is_to_save(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml(CI="true").returncode == 0
    assert len(lab.results()) == 1


def test_no_publish_stops_after_the_bundle_in_ci_too(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml("--no-publish", CI="true").returncode == 0
    assert lab.results() == []


def test_results_of_a_local_run_can_be_saved_later(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml().returncode == 0
    assert lab.cml("--publish").returncode == 0
    assert lab.runs == ["train", "evaluate"]
    assert len(lab.results()) == 1
    assert lab.git("status", "--porcelain") == ""


def test_the_latest_experiments_come_from_the_tags_of_the_branch(lab: Lab) -> None:
    for rate in (2.0, 3.0):
        lab.change_rate(rate)
        assert lab.cml("--publish", "--tag-prefix", "exp-").returncode == 0
    lab.change_rate(4.0)
    done = lab.cml("--tag-prefix", "exp-")
    experiments = lab.record()["experiments"]
    assert [e["metrics"]["accuracy"] for e in experiments] == [1.5, 1.0]
    assert all(e["tag"].startswith("exp-") for e in experiments)
    assert "xychart-beta" in done.stdout


def test_updates_of_imports_are_reported_and_run_what_depends_on_them(lab: Lab) -> None:
    source = lab.root / "source.csv"
    source.write_text("1")
    lab.dvc("import-url", "-q", str(source), "extra.csv")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write(
        "dvc.yaml",
        text.replace("[model.json, evaluate.py]", "[model.json, evaluate.py, extra.csv]"),
    )
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("Watch a table")
    (lab.root / "runs.log").unlink()
    source.write_text("2")
    done = lab.cml("--publish", "--update", "extra.csv.dvc")
    assert done.returncode == 0, done.stderr
    assert lab.runs == ["evaluate"]
    assert [u["path"] for u in lab.record()["updates"]] == ["extra.csv"]
    assert "extra.csv" in done.stdout
    assert "extra.csv.dvc" in lab.git("show", "--format=", "--name-only", "main", cwd=lab.origin)


def test_several_jobs_give_the_same_results(lab: Lab) -> None:
    lab.change_rate(2.0)
    assert lab.cml("--publish", "--jobs", "4").returncode == 0
    assert lab.runs == ["train", "evaluate"]
    assert len(lab.results()) == 1


def test_stdout_is_the_report_and_stderr_the_story(lab: Lab) -> None:
    lab.change_rate(2.0)
    done = lab.cml()
    assert done.stdout == (lab.work / ".cml/report.md").read_text()
    assert "stage train: ran" in done.stderr
    assert "trained 2.0" in done.stderr
