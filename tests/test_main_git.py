"""Every state that a checkout can be in."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab import Lab


def test_a_first_commit_has_no_baseline_and_still_a_report(lab: Lab) -> None:
    lab.git("checkout", "-q", "--orphan", "fresh-start")
    lab.git("commit", "-q", "-m", "Start")
    lab.git("remote", "remove", "origin")
    done = lab.cml()
    assert done.returncode == 0, done.stderr
    assert lab.record()["baseline"] is None
    accuracy = lab.metric("accuracy")
    assert (accuracy["old"], accuracy["new"]) == (None, 0.5)


def test_a_branch_is_compared_with_where_it_left_the_default_branch(lab: Lab) -> None:
    fork = lab.git("rev-parse", "HEAD")
    lab.git("checkout", "-q", "-b", "idea")
    lab.change_rate(2.0)
    lab.change_rate(3.0)
    lab.git("checkout", "-q", "main")
    lab.write("README.md", "newer")
    lab.commit("Move on")
    lab.git("checkout", "-q", "idea")
    assert lab.cml().returncode == 0
    assert lab.record()["baseline"]["sha"] == fork
    assert lab.metric("accuracy")["old"] == 0.5


def test_a_shallow_clone_fetches_what_the_baseline_needs(lab: Lab) -> None:
    fork = lab.git("rev-parse", "HEAD")
    lab.git("checkout", "-q", "-b", "idea")
    lab.change_rate(2.0)
    lab.change_rate(3.0)
    shallow = lab.clone("shallow", "--depth=1", "--branch=idea")
    done = lab.cml("--publish", cwd=shallow)
    assert done.returncode == 0, done.stderr
    assert lab.record(shallow)["baseline"]["sha"] == fork
    assert len(lab.results("idea")) == 1


def test_a_detached_head_in_ci_saves_to_the_branch_that_the_job_is_for(lab: Lab) -> None:
    source = lab.change_rate(2.0)
    fresh = lab.clone("fresh")
    lab.git("checkout", "-q", "--detach", source, cwd=fresh)
    env = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "CML_FORGE": "terminal",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": source,
        "GITHUB_REPOSITORY": "o/r",
    }
    assert lab.cml(cwd=fresh, **env).returncode == 0
    assert len(lab.results()) == 1
    again = lab.cml(cwd=fresh, **env)
    assert again.returncode == 0, again.stderr
    assert len(lab.results()) == 1


def test_a_detached_head_without_a_branch_is_reported_and_not_saved(lab: Lab) -> None:
    lab.git("checkout", "-q", "--detach")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.git("commit", "-qam", "Aside")
    before = lab.remote_refs()
    done = lab.cml("--publish")
    assert done.returncode == 0
    assert "detached" in done.stdout
    assert lab.remote_refs() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_checkout_of_another_owner_is_used_without_touching_the_configuration(lab: Lab) -> None:
    lab.change_rate(2.0)
    fresh = lab.clone("fresh")
    shutil.copytree(fresh, lab.root / "copy")
    lab.run("chown", "-R", "4242:4242", "copy", cwd=lab.root)
    copy = lab.root / "copy"
    assert "dubious" in lab.run("sh", "-c", "git status 2>&1", cwd=copy, check=False)
    done = lab.cml("--publish", cwd=copy)
    assert done.returncode == 0, done.stderr
    assert len(lab.results()) == 1
    assert not list((lab.root / "home").glob(".gitconfig"))
    assert "safe" not in (copy / ".git/config").read_text()


def test_what_dvc_adds_to_its_own_gitignore_is_no_edit_of_the_users(lab: Lab) -> None:
    # What DVC before 0.82 wrote; this clone's own `.dvc/tmp` must not be committed for it.
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.write(".dvc/.gitignore", "/cache\n/config.local\n")
    lab.write(".git/info/exclude", "/.dvc/tmp\n")
    source = lab.commit("Train at 2.0")
    fresh = lab.clone("fresh")
    done = lab.cml("--publish", cwd=fresh)
    assert done.returncode == 0, done.stderr
    assert "/tmp" in lab.git("show", "main:.dvc/.gitignore", cwd=lab.origin)
    assert lab.git("rev-parse", "main^", cwd=lab.origin) == source


def test_a_stage_that_replaces_the_baseline_in_git_changes_no_rules(lab: Lab) -> None:
    lab.write("cml.yaml", "checks:\n  metrics:accuracy: {target: 1.5..}\n")
    lab.commit("Set the gate")
    lab.git("checkout", "-q", "-b", "idea")
    lab.git("rm", "-q", "cml.yaml")
    trick = "import subprocess\nsubprocess.run('git replace -f origin/main HEAD', shell=True)\n"
    lab.write("train.py", (lab.work / "train.py").read_text() + trick)
    lab.change_rate(0.1)
    done = lab.cml()
    assert "replace" in lab.git("for-each-ref", "refs/replace")
    assert done.returncode == 1, done.stdout
