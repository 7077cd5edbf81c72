"""Locks that killed git processes left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, git, opened, write

from cml.repo import locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STALE = (
    *("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock"),
    *("refs/heads/main.lock", "refs/remotes/origin/a/b.lock", "refs/tags/exp.lock"),
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(locks, "_PATIENCE_SECONDS", 0.3)
    return World(tmp_path)


@pytest.fixture
def busy(world: World) -> Iterator[subprocess.Popen[bytes]]:
    """A git process that works in the checkout until its stdin ends."""
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(command, cwd=world.work, stdin=subprocess.PIPE) as process:
        yield process


def test_stale_locks_are_removed_and_git_works_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made = [write(world.work / ".git", name, "") for name in STALE]
    branch = write(world.work / ".git", "refs/heads/locksmith", world.checkout.head)
    assert world.checkout.clear_stale_locks() == sorted(made)
    assert not [file for file in made if file.exists()]
    assert branch.exists()
    assert str(made[0]) in caplog.text
    commit(world.work, "works again")
    git(world.work, "tag", "exp")


def test_nothing_is_waited_for_where_there_is_no_lock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_PATIENCE_SECONDS", 60)
    assert world.checkout.clear_stale_locks() == []


def test_the_locks_of_a_git_process_that_works_here_stay(
    world: World, busy: subprocess.Popen[bytes]
) -> None:
    lock = write(world.work, ".git/index.lock", "")
    assert world.checkout.clear_stale_locks() == []
    assert lock.exists()
    busy.communicate(b"")
    assert world.checkout.clear_stale_locks() == [lock]


def test_a_git_process_that_works_elsewhere_does_not_count(world: World, tmp_path: Path) -> None:
    lock = write(world.work, ".git/index.lock", "")
    elsewhere = world.clone("elsewhere")
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(command, cwd=elsewhere, stdin=subprocess.PIPE):
        assert world.checkout.clear_stale_locks() == [lock]


def test_a_lock_that_goes_away_by_itself_or_is_made_anew_is_not_stale(world: World) -> None:
    short = write(world.work, ".git/index.lock", "")
    again = write(world.work, ".git/HEAD.lock", "")

    def work() -> None:
        time.sleep(0.15)
        short.unlink()
        again.unlink()
        write(world.work, ".git/HEAD.lock", "new")

    thread = threading.Thread(target=work)
    thread.start()
    assert world.checkout.clear_stale_locks() == []
    thread.join()
    assert again.exists()


def test_locks_of_a_linked_work_tree_are_its_own_and_the_shared_ones(world: World) -> None:
    git(world.work, "worktree", "add", "--quiet", "-b", "side", "../linked")
    other = write(world.work, ".git/index.lock", "")
    own = write(world.work, ".git/worktrees/linked/index.lock", "")
    shared = write(world.work, ".git/refs/heads/side.lock", "")
    assert opened(world.root / "linked").clear_stale_locks() == sorted([own, shared])
    assert other.exists()


@pytest.mark.parametrize(("here", "there"), [("work", "linked"), ("linked", "work")])
def test_a_git_process_in_another_work_tree_of_the_repository_counts(
    world: World, here: str, there: str
) -> None:
    git(world.work, "worktree", "add", "--quiet", "-b", "side", "../linked")
    write(world.work, ".git/packed-refs.lock", "")
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(command, cwd=world.root / there, stdin=subprocess.PIPE):
        assert opened(world.root / here).clear_stale_locks() == []
    assert opened(world.root / here).clear_stale_locks() != []


def test_what_a_killed_git_leaves_behind_is_cleared(world: World, tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = write(tmp_path, "slow", f"#!/bin/sh\ntouch {started}\nexec sleep 60\n")
    script.chmod(0o755)
    write(world.work, ".gitattributes", "*.slow filter=slow\n")
    git(world.work, "config", "filter.slow.clean", str(script))
    write(world.work, "a.slow", "x")
    adding = subprocess.Popen(
        ["git", "add", "a.slow"], cwd=world.work, start_new_session=True, stderr=subprocess.DEVNULL
    )
    while not started.exists():
        time.sleep(0.01)
    assert world.checkout.clear_stale_locks() == []
    os.killpg(adding.pid, signal.SIGKILL)
    adding.wait()
    assert world.checkout.clear_stale_locks() == [world.work / ".git/index.lock"]
