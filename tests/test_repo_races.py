"""Saving results while others push to the branch, or have done so before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from git_kit import (
    World,
    always,
    commit,
    content,
    git,
    never,
    newcomer,
    opened,
    paths,
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


def test_results_that_still_hold_go_on_top_of_newcomers(world: World) -> None:
    wanted = run(world.work)
    newer = newcomer(world, mate_txt="x", docs__a_txt="y")
    asked: list[set[str]] = []
    saved = world.checkout.save(wanted, lambda changed: bool(asked.append(changed)) or True)
    assert asked == [{"mate.txt", "docs/a.txt"}]
    assert git(world.origin, "rev-parse", "main^") == newer
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": saved.commit}
    assert paths(world, "main") == {"metrics.json"}
    assert "newer commits" in (saved.note or "")
    assert "git pull" in (saved.note or "")
    assert world.checkout.head == wanted.source
    git(world.work, "checkout", "--quiet", "metrics.json")
    git(world.work, "merge", "--quiet", "--ff-only", "origin/main")


def test_results_that_no_longer_hold_are_kept_under_their_tag(world: World) -> None:
    wanted = run(world.work)
    newer = newcomer(world, params_yaml="rate: 2\n")
    saved = world.checkout.save(wanted, lambda changed: "params.yaml" not in changed)
    assert world.refs() == {"refs/heads/main": newer, "refs/tags/exp-1": saved.commit}
    assert git(world.origin, "rev-parse", "exp-1^") == wanted.source
    assert not saved.pushed
    assert (saved.tag, saved.ref) == ("exp-1", "refs/tags/exp-1")
    assert "kept as refs/tags/exp-1" in (saved.note or "")
    assert world.checkout.head == wanted.source


def test_without_a_tag_they_are_kept_under_a_ref_of_our_own(world: World) -> None:
    source = world.checkout.head
    write(world.work, "metrics.json", "new")
    newer = newcomer(world)
    saved = world.checkout.save(plan(source, tag=None), never)
    assert world.refs() == {"refs/heads/main": newer, f"refs/cml/{source[:7]}": saved.commit}
    again = world.checkout.save(plan(source, tag=None), never)
    assert (again.commit, again.adopted) == (saved.commit, True)
    write(world.work, "metrics.json", "other")
    third = world.checkout.save(plan(source, tag=None), never)
    assert third.ref not in {None, saved.ref}
    assert len(world.refs()) == 3


def test_newcomers_files_are_never_overwritten(world: World) -> None:
    wanted = run(world.work)
    newer = newcomer(world, metrics_json="theirs")
    saved = world.checkout.save(wanted, always)
    assert world.refs()["refs/heads/main"] == newer
    assert world.refs()["refs/tags/exp-1"] == saved.commit


def test_the_branch_may_move_again_and_again(world: World) -> None:
    wanted = run(world.work)
    newcomer(world)
    moves = iter(range(2))

    def holds(_: set[str]) -> bool:
        if next(moves, None) is not None:
            newcomer(world, **{f"n{time.time_ns()}": "x"})
        return True

    saved = world.checkout.save(wanted, holds)
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": saved.commit}
    assert paths(world, "main") == {"metrics.json"}
    assert git(world.origin, "rev-list", "--count", "main") == "5"


def test_a_branch_that_never_rests_ends_in_keeping_the_results(world: World) -> None:
    wanted = run(world.work)
    newcomer(world)

    def holds(_: set[str]) -> bool:
        newcomer(world, **{f"n{time.time_ns()}": "x"})
        return True

    saved = world.checkout.save(wanted, holds, attempts=2)
    assert not saved.pushed
    assert world.refs()["refs/tags/exp-1"] == saved.commit
    assert git(world.origin, "rev-parse", "exp-1^") == wanted.source


@pytest.mark.parametrize("place", ["work", "ci"])
def test_a_branch_that_was_deleted_meanwhile_is_not_made_again(world: World, place: str) -> None:
    git(world.work, "checkout", "--quiet", "-b", "topic")
    source = commit(world.work, "on topic")
    world.push("-u", "HEAD")
    folder = world.work if place == "work" else world.pulled(source)
    write(folder, "metrics.json", "new")
    git(world.origin, "branch", "-D", "topic")
    saved = opened(folder).save(plan(source, branch="topic"), always)
    assert "refs/heads/topic" not in world.refs()
    assert world.refs()["refs/tags/exp-1"] == saved.commit
    assert "deleted" in (saved.note or "")


@pytest.mark.parametrize("place", ["work", "ci"])
def test_commits_that_were_taken_off_a_branch_do_not_come_back(world: World, place: str) -> None:
    first = world.checkout.head
    source = commit(world.work, "regretted")
    world.push()
    folder = world.work if place == "work" else world.pulled(source)
    git(world.origin, "update-ref", "refs/heads/main", first)
    saved = opened(folder).save(run(folder), always)
    assert world.refs() == {"refs/heads/main": first, "refs/tags/exp-1": saved.commit}
    assert "rewritten" in (saved.note or "")


def test_a_rewritten_branch_is_left_alone(world: World) -> None:
    wanted = run(world.work)
    git(world.work, "checkout", "--quiet", "--orphan", "other")
    other = commit(world.work, "other", metrics_json="{}")
    git(world.work, "push", "--quiet", "--force", "origin", "other:main")
    git(world.work, "checkout", "--quiet", "main")
    write(world.work, "metrics.json", "new")
    saved = world.checkout.save(wanted, always)
    assert world.refs() == {"refs/heads/main": other, "refs/tags/exp-1": saved.commit}


def test_an_earlier_runs_same_results_are_adopted(world: World) -> None:
    mate = world.clone("mate")
    at_another_time = {"GIT_COMMITTER_DATE": "1700000000 +0000"}
    first = opened(mate, **at_another_time).save(run(mate), always)
    assert first.commit
    refs = world.refs()
    second = world.checkout.save(run(world.work), never)
    assert second.adopted
    assert second.pushed
    assert (second.commit, second.tag, second.note) == (first.commit, "exp-1", None)
    assert world.refs() == refs
    assert world.checkout.head == first.commit
    assert git(world.work, "status", "--porcelain") == ""


def test_an_earlier_runs_results_are_adopted_below_newer_commits(world: World) -> None:
    mate = world.clone("mate")
    first = opened(mate).save(run(mate), always)
    git(mate, "checkout", "--quiet", "main")
    newer = newcomer(world, metrics_json="theirs")
    saved = world.checkout.save(run(world.work), always)
    assert (saved.commit, saved.adopted) == (first.commit, True)
    assert world.refs() == {"refs/heads/main": newer, "refs/tags/exp-1": first.commit}
    assert world.checkout.resolve("origin/main") == newer


def test_a_tag_that_the_adopted_commit_lacks_is_added(world: World) -> None:
    mate = world.clone("mate")
    first = opened(mate).save(run(mate), always)
    git(world.origin, "tag", "-d", "exp-1")
    saved = world.checkout.save(run(world.work), always)
    assert saved.adopted
    assert world.refs() == {"refs/heads/main": first.commit, "refs/tags/exp-1": first.commit}


def test_another_runs_other_results_are_not_overwritten_and_ours_stay_reachable(
    world: World,
) -> None:
    mate = world.clone("mate")
    opened(mate).save(run(mate, "theirs"), always)
    refs = world.refs()
    source = world.checkout.head
    saved = world.checkout.save(run(world.work, "ours"), always)
    assert {**world.refs(), **refs} == world.refs()
    assert not saved.pushed
    assert saved.tag is None
    assert saved.ref in world.refs()
    assert str(saved.ref).startswith(f"refs/cml/{source[:7]}-")
    assert content(world, str(saved.ref)) == "ours"
    again = world.checkout.save(run(world.work, "ours"), always)
    assert (again.commit, again.ref, again.adopted) == (saved.commit, saved.ref, True)


def test_a_commit_of_the_same_message_that_holds_other_things_is_not_adopted(world: World) -> None:
    wanted = run(world.work)
    mate = world.clone("mate")
    commit(mate, wanted.message, other_txt="x")
    world.push("HEAD:main", folder=mate)
    saved = world.checkout.save(wanted, always)
    assert not saved.adopted
    assert content(world, str(saved.commit)) == '{"a": 1}'


def test_earlier_results_of_more_than_ours_are_not_adopted(world: World) -> None:
    wanted = run(world.work)
    mate = world.clone("mate")
    commit(mate, wanted.message, metrics_json='{"a": 1}\n', other_json="x")
    world.push("HEAD:main", folder=mate)
    saved = world.checkout.save(wanted, always)
    assert not saved.adopted
    assert not saved.pushed


def test_earlier_results_of_less_than_ours_are_not_adopted(world: World) -> None:
    mate = world.clone("mate")
    opened(mate).save(run(mate), always)
    source = world.checkout.head
    for name in ("metrics.json", "other.json"):
        write(world.work, name, '{"a": 1}\n')
    saved = world.checkout.save(plan(source, "metrics.json", "other.json"), always)
    assert not saved.adopted
    assert not saved.pushed
    assert content(world, str(saved.ref), "other.json") == '{"a": 1}'


def test_a_free_name_is_left_to_the_run_that_came_first(world: World) -> None:
    mate = world.clone("mate")
    source = world.checkout.head
    for folder, metrics in ((mate, "theirs"), (world.work, "ours")):
        write(folder, "metrics.json", metrics)
    opened(mate).save(plan(source, tag=None), always)
    saved = world.checkout.save(plan(source, tag="exp-1"), always)
    assert (saved.tag, saved.pushed) == (None, False)
    assert str(saved.ref).startswith(f"refs/cml/{source[:7]}-")
    assert "refs/tags/exp-1" not in world.refs()


def test_results_that_newcomers_already_made_are_theirs(world: World) -> None:
    wanted = run(world.work)
    newer = newcomer(world, metrics_json='{"a": 1}\n')
    saved = world.checkout.save(wanted, always)
    assert world.refs()["refs/heads/main"] == newer
    assert content(world, "exp-1") == '{"a": 1}'
    assert saved.commit == world.refs()["refs/tags/exp-1"]


def test_a_shallow_clone_saves_on_top_of_newcomers(world: World) -> None:
    commit(world.work, "second")
    world.push()
    folder = world.clone("shallow", "--depth=1")
    wanted = run(folder)
    newer = newcomer(world)
    saved = opened(folder).save(wanted, always)
    assert saved.pushed
    assert git(world.origin, "rev-parse", "main^") == newer
    assert git(world.origin, "fsck", "--strict") == ""


RACER = """
import pathlib, sys
from cml import repo
from git_kit import plan, ISOLATED
folder, source, metrics = sys.argv[1:]
pathlib.Path(folder, metrics).write_text(folder)
sys.stdin.read(1)
checkout = repo.find(pathlib.Path(folder), dict(ISOLATED))
saved = checkout.save(plan(source, metrics, tag="t-" + pathlib.Path(folder).name), lambda _: True)
print(saved.commit, saved.ref)
"""


@pytest.mark.parametrize("same_path", [["metrics.json"] * 3, ["a.json", "b.json", "c.json"]])
def test_runs_that_race_lose_nothing(world: World, same_path: list[str]) -> None:
    source = world.checkout.head
    folders = [world.clone(name) for name in ("one", "two", "three")]
    racers = [
        start(RACER, str(folder), source, path)
        for folder, path in zip(folders, same_path, strict=True)
    ]
    told = [racer.communicate("go", timeout=60)[0].split() for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    refs = world.refs()
    for folder, path, (sha, ref) in zip(folders, same_path, told, strict=True):
        assert content(world, sha, path) == str(folder)
        assert git(world.origin, "merge-base", sha, refs[ref]) == sha
        assert paths(world, sha) == {path}
    tip = refs["refs/heads/main"]
    assert git(world.origin, "rev-list", "--merges", tip) == ""
