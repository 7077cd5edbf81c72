"""Pictures kept on the remote beside all branches."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from git_kit import ADA, BOT, World, git, race, start, write

from cml.errors import PublishError
from cml.repo.pictures import KEPT, PREFIX

if TYPE_CHECKING:
    from pathlib import Path

PNG = {"plots/loss.png": b"\x89PNG loss", "0-curve.png": b"\x89PNG curve"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def push(world: World, group: str, pictures: dict[str, bytes] = PNG) -> str:
    return world.checkout.push_pictures(pictures, group=group, author=ADA, committer=BOT)


def kept(world: World, group: str = "") -> dict[str, str]:
    folder = f"{PREFIX}/{group}/" if group else f"{PREFIX}/"
    return {ref: sha for ref, sha in world.refs().items() if ref.startswith(folder)}


def fill(world: World, group: str, count: int) -> list[str]:
    """Give a group many refs, the oldest first, as runs of one second each would."""
    sha = git(world.origin, "rev-parse", "main")
    refs = [f"{PREFIX}/{group}/{10**18 + at}-{sha[:12]}" for at in range(count)]
    git(world.origin, "update-ref", "--stdin", stdin="".join(f"create {r} {sha}\n" for r in refs))
    return refs


def test_pictures_lie_in_a_commit_without_history_that_no_branch_and_no_tag_has(
    world: World,
) -> None:
    before = world.refs()
    sha = push(world, "pull-7")
    ((ref, there),) = kept(world, "pull-7").items()
    assert there == sha
    assert world.refs() == {**before, ref: sha}
    assert git(world.origin, "rev-list", sha) == sha
    assert git(world.origin, "ls-tree", "-r", "--name-only", sha).split() == [*sorted(PNG)]
    for path, content in PNG.items():
        command = ["git", "cat-file", "blob", f"{sha}:{path}"]
        assert subprocess.check_output(command, cwd=world.origin) == content
    assert git(world.origin, "log", "-1", "--format=%an %cn %s", sha) == (
        "Ada Bot cml-run: pictures [ci skip]"
    )


def test_nothing_local_moves(world: World) -> None:
    write(world.work, "notes.txt", "edited")
    refs = git(world.work, "for-each-ref")
    push(world, "pull-7")
    assert git(world.work, "for-each-ref") == refs
    assert git(world.work, "status", "--porcelain") == "M notes.txt"


def test_pushing_keeps_the_latest_of_a_group_and_touches_no_other(world: World) -> None:
    old = fill(world, "pull-7", KEPT + 5)
    others = [*fill(world, "pull-70", KEPT + 5), *fill(world, "branch-6d", 1)]
    sha = push(world, "pull-7")
    left = kept(world, "pull-7")
    assert len(left) == KEPT
    assert sha in left.values()
    assert {*left} >= {*old[6:]}
    assert {*kept(world, "pull-70"), *kept(world, "branch-6d")} == {*others}


def test_what_was_just_pushed_stays_also_where_other_clocks_are_ahead(world: World) -> None:
    sha = git(world.origin, "rev-parse", "main")
    for at in range(KEPT + 1):
        git(world.origin, "update-ref", f"{PREFIX}/pull-7/{9 * 10**18 + at}-{sha[:12]}", sha)
    pushed = push(world, "pull-7")
    assert pushed in kept(world, "pull-7").values()


@pytest.mark.parametrize("missing", [1, 2, 5, KEPT - 1])
def test_as_many_as_are_kept_or_fewer_are_all_kept(world: World, missing: int) -> None:
    old = fill(world, "pull-7", KEPT - missing)
    push(world, "pull-7")
    assert {*kept(world, "pull-7")} > {*old}


def test_a_group_that_is_pruned_is_gone_and_no_other(world: World) -> None:
    push(world, "pull-7")
    others = fill(world, "pull-70", 3)
    before = {ref: sha for ref, sha in world.refs().items() if not ref.startswith(PREFIX)}
    world.checkout.prune_pictures("pull-7")
    assert world.refs() == {**before, **dict.fromkeys(others, before["refs/heads/main"])}
    world.checkout.prune_pictures("pull-7")
    assert {*kept(world)} == {*others}


RACE = """
import sys
from pathlib import Path
from git_kit import ADA, BOT, opened
checkout = opened(Path(sys.argv[1]))
pictures = {"a.png": sys.argv[2].encode()}
print("ready", flush=True)
sys.stdin.readline()
print(checkout.push_pictures(pictures, group="pull-7", author=ADA, committer=BOT))
"""


def test_two_that_push_at_once_both_keep_their_pictures(world: World) -> None:
    fill(world, "pull-7", KEPT)
    racers = [start(RACE, str(world.clone(name)), name) for name in ("one", "two")]
    made = race(racers)
    assert len(made) == 2
    left = kept(world, "pull-7")
    assert made <= {*left.values()}
    # One may find locked what the other one removes, and leaves it to the next run.
    assert len(left) in {KEPT, KEPT + 1}


def test_old_pictures_that_cannot_be_removed_are_no_failure(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    fill(world, "pull-7", KEPT)
    hook = write(world.origin, "hooks/update", '#!/bin/sh\ncase "$3" in 0000000*) exit 1;; esac\n')
    hook.chmod(0o755)
    caplog.set_level("INFO")
    sha = push(world, "pull-7")
    assert sha in kept(world, "pull-7").values()
    assert len(kept(world, "pull-7")) == KEPT + 1
    assert "some old pictures are still there" in caplog.text


def test_a_remote_that_refuses_pictures_is_said(world: World) -> None:
    write(world.origin, "hooks/update", "#!/bin/sh\nexit 1\n").chmod(0o755)
    with pytest.raises(PublishError, match="refused the push"):
        push(world, "pull-7")
    assert kept(world) == {}


@pytest.mark.parametrize("name", ["../a.png", ".git", "a\nb.png", "plots/.git/x", "a'b", ""])
def test_a_name_that_git_could_take_for_another_is_refused(world: World, name: str) -> None:
    with pytest.raises(ValueError, match="not a picture's name"):
        push(world, "pull-7", {name: b"x"})
    assert kept(world) == {}
