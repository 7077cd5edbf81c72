"""Saving results by runs that are killed, and by those that come after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from git_kit import (
    World,
    always,
    git,
    plan,
    run,
    start,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


STOP = """
import os, pathlib, shutil, signal, sys
from cml import repo
from cml.repo import process
from git_kit import plan, ISOLATED
root, source = pathlib.Path(sys.argv[1]), sys.argv[2]
repo.find(root / "work", dict(ISOLATED)).head
attempt = process.Git.attempt

def saved_until(number, world):
    count = iter(range(1000))
    def counted(self, *args, **kwargs):
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return attempt(self, *args, **kwargs)
    process.Git.attempt = counted
    repo.find(world / "work", dict(ISOLATED)).save(plan(source), lambda _: True)

for number in range(100):
    world = root / str(number)
    for name in ("work", "origin.git"):
        shutil.copytree(root / name, world / name)
    config = world / "work/.git/config"
    config.write_text(config.read_text().replace(str(root), str(world)))
    child = os.fork()
    if not child:
        saved_until(number, world)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
    print(number)
"""


def test_a_run_killed_before_any_git_command_ends_the_same_when_run_again(world: World) -> None:
    source = world.checkout.head
    write(world.work, "metrics.json", "new")
    stopped = start(STOP, str(world.root), source, TMPDIR=str(world.root))
    numbers = stopped.communicate(timeout=120)[0].split()
    assert stopped.returncode == 0
    seen = set[int]()
    for number in numbers:
        again = World(world.root / number, made=True)
        seen.add(len(again.refs()))
        if again.checkout.head == source:
            assert again.checkout.save(plan(source), always).pushed
        tip = again.refs()["refs/heads/main"]
        assert again.refs() == {"refs/heads/main": tip, "refs/tags/exp-1": tip}
        assert git(again.origin, "rev-parse", "main^") == source
        assert again.checkout.head == tip
        assert again.checkout.resolve("exp-1") == tip
        assert git(again.work, "status", "--porcelain") == ""
    assert len(numbers) > 10
    assert seen == {1, 2}


def test_a_locked_index_does_not_fail_a_run_whose_results_are_pushed(world: World) -> None:
    wanted = run(world.work)
    write(world.work, ".git/index.lock", "")
    saved = world.checkout.save(wanted, always)
    assert saved.pushed
    assert world.refs()["refs/heads/main"] == saved.commit
    assert world.checkout.head == wanted.source
    assert "index.lock" in (saved.note or "")
