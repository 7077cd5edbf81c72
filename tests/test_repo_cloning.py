"""A clone for a run: whole, on its own, without hooks; what it is made of is only read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, git, opened, write

from cml.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clone"
    made.mkdir()
    return made


def traces(work: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in work.rglob("*")
        if path.is_file()
    }


def test_a_commit_is_checked_out_as_it_is_and_nothing_here_changes(
    world: World, folder: Path
) -> None:
    old = world.checkout.head
    commit(world.work, "second", params_yaml="rate: 2\n", sub__new_txt="new\n")
    write(world.work, "params.yaml", "rate: 3\n")
    write(world.work, "mine.txt", "untracked\n")
    git(world.work, "config", "core.splitIndex", "true")
    git(world.work, "status")
    before = traces(world.work)

    world.checkout.clone(old, folder)

    assert traces(world.work) == before
    assert (folder / "params.yaml").read_text() == "rate: 1\n"
    assert not (folder / "sub").exists()
    assert not (folder / "mine.txt").exists()
    assert git(folder, "status", "--porcelain=v1", "--branch") == "## HEAD (no branch)"
    assert git(folder, "log", "--format=%H") == old
    assert git(folder, "fsck", "--no-dangling") == ""
    assert git(folder, "remote") == ""


def test_no_hook_runs_then_or_later(world: World, folder: Path) -> None:
    ran = world.root / "ran"
    template = world.root / "template"
    hook = f"#!/bin/sh\ntouch {ran}\n"
    places = (world.work / ".git/hooks", template / "hooks", world.root / "path")
    for name in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
        for place in places:
            write(place, name, hook).chmod(0o755)
    git(world.work, "config", "core.hooksPath", str(world.root / "path"))
    git(world.work, "config", "core.fsmonitor", str(write(world.root, "monitor", hook)))
    (world.root / "monitor").chmod(0o755)

    checkout = opened(world.work, GIT_TEMPLATE_DIR=str(template))
    checkout.clone("HEAD", folder)
    commit(folder, "in the clone")

    assert not ran.exists()


def test_a_shallow_clone_gives_one_whose_history_ends_there_too(world: World, folder: Path) -> None:
    commit(world.work, "second")
    world.push()
    shallow = world.clone("shallow", "--depth=1")

    opened(shallow).clone("HEAD", folder)

    assert git(folder, "log", "--format=%s") == "second"


def test_objects_still_to_come_are_fetched_as_git_would(world: World, folder: Path) -> None:
    old = world.checkout.head
    commit(world.work, "second", params_yaml="rate: 2\n")
    world.push()
    git(world.origin, "config", "uploadpack.allowFilter", "true")
    git(world.origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    partial = world.clone("partial", "--filter=blob:none")

    opened(partial).clone(old, folder)

    assert (folder / "params.yaml").read_text() == "rate: 1\n"


def test_a_linked_work_tree_has_its_commits_cloned_too(world: World, folder: Path) -> None:
    git(world.work, "worktree", "add", "--quiet", "-b", "side", str(world.root / "linked"))
    sha = commit(world.root / "linked", "aside", side_txt="side\n")

    opened(world.root / "linked").clone(sha, folder)

    assert (folder / "side.txt").read_text() == "side\n"


def test_filters_that_are_configured_here_alone_do_their_work(world: World, folder: Path) -> None:
    git(world.work, "config", "filter.loud.smudge", "tr a-z A-Z")
    git(world.work, "config", "filter.loud.clean", "tr A-Z a-z")
    sha = commit(world.work, "filtered", _gitattributes="*.txt filter=loud\n")
    assert (world.work / "notes.txt").read_text() == "n\n"

    world.checkout.clone(sha, folder)

    assert (folder / "notes.txt").read_text() == "N\n"


def test_a_filter_that_fails_is_told(world: World, folder: Path) -> None:
    git(world.work, "config", "filter.lfs.smudge", "false")
    git(world.work, "config", "filter.lfs.clean", "cat")
    git(world.work, "config", "filter.lfs.required", "true")
    commit(world.work, "filtered", _gitattributes="*.txt filter=lfs\n")

    with pytest.raises(UsageError, match=r"(?s)checkout of .*smudge filter lfs failed"):
        world.checkout.clone("HEAD", folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_owner_is_cloned(world: World, folder: Path) -> None:
    for path in (world.work, *world.work.rglob("*")):
        os.chown(path, 12345, 12345)
    assert git(world.work, "rev-parse", "HEAD", check=False) == ""

    world.checkout.clone("HEAD", folder)

    assert (folder / "params.yaml").read_text() == "rate: 1\n"
    assert git(folder, "log", "--format=%s") == "first"
