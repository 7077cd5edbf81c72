"""The latest experiments of a branch, by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, git, grow, known, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_latest_experiments_are_the_nearest_tags_of_the_branch(world: World) -> None:
    shas = [commit(world.work, f"{number}") for number in range(8)]
    for number, sha in enumerate(shas):
        git(world.work, "tag", *(["-a", "-m", "x"] if number % 2 else []), f"exp-{sha[:7]}", sha)
    git(world.work, "tag", "exp-notes", shas[-1])
    git(world.work, "tag", "other-1234567", shas[-1])
    git(world.work, "checkout", "--quiet", "-b", "side", shas[6])
    side = commit(world.work, "side")
    git(world.work, "tag", "exp-1234567", side)
    git(world.work, "checkout", "--quiet", "main")
    expected = [(f"exp-{sha[:7]}", sha) for sha in reversed(shas)]
    assert world.checkout.latest_tags("exp-") == expected[:5]
    assert world.checkout.latest_tags("exp-", count=2, revision="HEAD~3") == expected[3:5]
    assert world.checkout.latest_tags("exp-", count=50) == expected


def test_a_prefix_is_taken_literally(world: World) -> None:
    git(world.work, "tag", "ab-1234567")
    for prefix in ("*-", "??-", "a*", "a.-", "[a]b-", "ab-123456[7]"):
        assert world.checkout.latest_tags(prefix) == []
    git(world.work, "tag", "ünï/$(x)-1234567")
    expected = [("ünï/$(x)-1234567", world.checkout.head)]
    assert world.checkout.latest_tags("ünï/$(x)-") == expected


def test_experiments_are_found_in_a_shallow_clone_without_tags(world: World) -> None:
    grow(world.work, 100)
    shas = git(world.work, "rev-list", "main").split()
    for sha in (shas[40], shas[0]):
        git(world.work, "tag", f"exp-{sha[:7]}", sha)
    git(world.work, "push", "--quiet", "origin", "main", "--tags")
    clone = world.clone("clone", "--depth=1", "--no-tags")
    expected = [(f"exp-{sha[:7]}", sha) for sha in (shas[0], shas[40])]
    assert opened(clone).latest_tags("exp-") == expected
    assert known(clone) < 100
    assert git(clone, "tag") == ""


def test_experiments_are_no_reason_to_fail_without_the_remote(world: World) -> None:
    head = commit(world.work, "second")
    git(world.work, "tag", "exp-1234567")
    git(world.work, "push", "--quiet", "origin", "main", "--tags")
    clone = world.clone("clone", "--depth=1")
    git(clone, "remote", "set-url", "origin", "file:///nowhere")
    assert opened(clone).latest_tags("exp-") == [("exp-1234567", head)]


def test_the_latest_of_ten_thousand_tags_are_found_without_reading_the_commits(
    world: World, tmp_path: Path
) -> None:
    grow(world.work, 2000)
    shas = git(world.work, "rev-list", "main").split()
    tagged = [(f"exp-{number:07x}", shas[number // 5]) for number in range(10_000)]
    lines = "".join(f"create refs/tags/{tag} {sha}\n" for tag, sha in tagged)
    git(world.work, "update-ref", "--stdin", stdin=lines)
    git(world.work, "pack-refs", "--all")
    trace = tmp_path / "trace"
    found = opened(world.work, GIT_TRACE=str(trace)).latest_tags("exp-")
    assert found == tagged[:5]
    assert trace.read_text().count("trace: built-in") < 6
