"""What a run would do, and which files its results are."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from cml import pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab


def test_a_plan_says_which_stages_run_and_why_without_data(lab: Lab, opened: Any) -> None:
    fresh = lab.clone("fresh")
    lab.write("params.yaml", "train:\n  rate: 2.0\n", cwd=fresh)
    with opened(lab, fresh) as project:
        plan = pipeline.plan(project, None)
        assert project.pulled.files == 0
    states = {stage.name: (stage.state, stage.reasons) for stage in plan.stages}
    assert states["prepare"] == ("unchanged", [])
    assert states["train"][0] == "run"
    assert any("train.rate" in reason for reason in states["train"][1])
    assert states["evaluate"] == ("may run", ["needs train"])
    assert [(pull.path, pull.files, pull.size) for pull in plan.pulls] == [("prepared.csv", 1, 14)]
    assert plan.missing == []
    assert not (fresh / "prepared.csv").exists()
    assert lab.git("status", "--porcelain", cwd=fresh) == "M params.yaml"


def test_a_plan_can_be_made_where_dvc_itself_cannot(lab: Lab, opened: Any) -> None:
    fresh = lab.clone("fresh")
    lab.write("prepare.py", "# changed\n", cwd=fresh)
    with opened(lab, fresh) as project:
        plan = pipeline.plan(project, None)
    assert [(pull.path, pull.files, pull.size) for pull in plan.pulls] == [("data", 3, 11)]


def test_a_plan_sees_data_that_was_never_pushed(lab: Lab, opened: Any) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    with opened(lab, fresh) as project:
        assert sorted(pipeline.plan(project, None).missing) == [
            "data",
            "model.json",
            "prepared.csv",
        ]


def test_a_gitignore_edited_by_hand_is_no_result(lab: Lab, opened: Any) -> None:
    before = (lab.work / ".gitignore").read_bytes()
    with opened(lab, lab.work) as project:
        lab.write(".gitignore", before.decode() + "/model.json.bak\n")
        edited = pipeline.files(project, lambda _: before)
        lab.write(".gitignore", before.decode().replace("/model.json\n", ""))
        by_dvc = pipeline.files(project, lambda _: before)
    assert lab.work / ".gitignore" not in edited
    assert lab.work / ".gitignore" in by_dvc
    assert {p.name for p in edited} == {"data.dvc", "dvc.lock", "loss.csv", "metrics.json"}


def test_results_hold_only_when_nothing_the_pipeline_knows_changed(lab: Lab, opened: Any) -> None:
    with opened(lab, lab.work) as project:
        holds = pipeline.holds(project)
        for name in ("README.md", "docs/data.md", "notes/train.py"):
            assert holds([lab.work / name]), name
        for name in (
            *("train.py", "params.yaml", "dvc.yaml", "dvc.lock", "data.dvc", "metrics.json"),
            *("data/9.txt", "sub/dvc.yaml", ".dvc/config", "loss.csv"),
        ):
            assert not holds([lab.work / "README.md", lab.work / name]), name


def test_a_project_is_not_looked_for_beyond_the_git_repository(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").touch()
    inner = tmp_path / "repository/folder"
    inner.mkdir(parents=True)
    assert pipeline.find_root(inner) == tmp_path
    (tmp_path / "repository/.git").mkdir()
    assert pipeline.find_root(inner) is None
