"""A DVC project in a folder of a larger repository, with neighbours and spaces in its path."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from main_kit import (
    DVC_YAML,
    PREFIX,
    change,
    checked_out,
    ci,
    lost_data,
    newcomer,
    published,
    results,
    shown,
    source_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

PUBLISH = ("--publish", "--tag-prefix", PREFIX)
OTHER = """\
stages:
  make:
    cmd: python3 make.py
    deps: [make.py]
    outs: [out]
"""
PROJECT = "проекты/ml 'pipe' $(touch pwned)"


@pytest.fixture
def project(lab: Lab) -> Path:
    """Move the laboratory's project into a folder, and give it neighbours that it depends on."""
    change(lab, 1.0)
    folder = lab.work / PROJECT
    folder.mkdir(parents=True)
    for item in list(lab.work.iterdir()):
        if item.name not in {".git", "проекты"}:
            shutil.move(item, folder / item.name)
    config = folder / ".dvc/config"
    config.write_text(config.read_text().replace("../../storage", "../../../../storage"))
    lab.write("shared/lib.py", "x = 1\n")
    lab.write("shared/common.yaml", "round: 3\n")
    lab.write("other/dvc.yaml", "stages: {}\n")
    lab.write(f"{PROJECT}/docs/index.md", "How to\n")
    text = DVC_YAML.replace("train.py, lib]", "train.py, lib, ../../shared/lib.py]")
    text = text.replace("python3 evaluate.py", "python3 evaluate.py ${round}")
    lab.write(f"{PROJECT}/dvc.yaml", f"vars: [../../shared/common.yaml]\n{text}")
    lab.commit("A project in a folder")
    return folder


def test_results_are_committed_in_the_projects_folder_alone(lab: Lab, project: Path) -> None:
    lab.write(f"{PROJECT}/params.yaml", "train:\n  rate: 2.0\n")
    source = lab.commit("Train at 2.0")
    lab.write("other/notes.txt", "not mine")
    job = checked_out(lab, "job", source)
    during = newcomer(lab, "echo 'stages: {x: {cmd: ls}}' > other/dvc.yaml")
    done = lab.cml("--publish", cwd=job / PROJECT, **ci(source), **during)
    assert done.returncode == 0, done.stderr
    assert lab.remote_log()[1] == "newcomer"
    (commit,) = results(lab)
    names = lab.git("show", "--format=", "--name-only", "-z", commit, cwd=lab.origin).split("\0")
    assert {*names} - {""} == {f"{PROJECT}/dvc.lock", f"{PROJECT}/metrics.json"}
    assert lost_data(lab, commit, f"{PROJECT}/dvc.lock") == []
    assert (job / PROJECT / ".cml/record.json").exists()
    assert not (job / ".cml").exists()
    assert [m["path"] for m in lab.record(job / PROJECT)["metrics"]] == ["metrics.json"] * 2
    assert not list(lab.root.rglob("pwned"))


def test_what_the_project_reads_outside_of_its_folder_counts(lab: Lab, project: Path) -> None:
    edits = ("echo 'x = 2' > shared/lib.py", "echo 'round: 4' > shared/common.yaml")
    for rate, edit in enumerate(edits, start=2):
        lab.write(f"{PROJECT}/params.yaml", f"train:\n  rate: {rate}.0\n")
        source = lab.commit(f"Train at {rate}")
        inside = checked_out(lab, f"job{rate}", source) / PROJECT / "docs"
        during = newcomer(lab, edit)
        done = lab.cml(*PUBLISH, cwd=inside, **ci(source), **during)
        assert done.returncode == 0, done.stderr
        assert published(lab, inside)["ref"] == f"refs/tags/{PREFIX}{source[:7]}"
        assert results(lab) == []
        lab.git("pull", "-q")


def test_two_projects_of_one_commit_both_reach_the_branch(lab: Lab, project: Path) -> None:
    lab.write("other/make.py", "open('out', 'w').close()\n")
    lab.write("other/dvc.yaml", OTHER)
    lab.write("other/.dvc/config", (project / ".dvc/config").read_text())
    lab.write(f"{PROJECT}/params.yaml", "train:\n  rate: 2.0\n")
    source = lab.commit("Two projects to run")
    for name, folder in (("ml", PROJECT), ("other", "other"), ("ml again", PROJECT)):
        job = checked_out(lab, name, source) / folder
        done = lab.cml("--publish", cwd=job, **ci(source))
        assert done.returncode == 0, done.stderr
        assert published(lab, job)["pushed"]
    assert [source_of(lab, commit) for commit in results(lab)] == [source, source]
    assert shown(lab, "main", "other/dvc.lock")
