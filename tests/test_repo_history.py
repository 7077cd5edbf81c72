"""Making revisions available: full and shallow clones, detached heads, remotes that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, fork, git, grow, known, opened

from cml.errors import PublishError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def long_history(world: World, before: int = 300, after: int = 20) -> tuple[str, str, str]:
    """Push a branch that left main long ago; return the shas of fork, branch and main."""
    git(world.work, "checkout", "--quiet", "--detach")
    grow(world.work, before)
    base = git(world.work, "rev-parse", "main")
    git(world.work, "branch", "topic", "main")
    grow(world.work, after, "topic")
    grow(world.work, after)
    git(world.work, "push", "--quiet", "origin", "main", "topic")
    return base, git(world.work, "rev-parse", "topic"), git(world.work, "rev-parse", "main")


def test_revisions_that_are_here_are_found_without_the_remote(world: World) -> None:
    sha = commit(world.work, "second")
    git(world.work, "tag", "v1")
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    for revision in ("main", "HEAD", "@", "v1", sha, sha[:8], "HEAD~0", "v1^{commit}"):
        assert world.checkout.ensure(revision) == sha
    assert world.checkout.ensure("HEAD~1") == git(world.work, "rev-parse", "origin/main")


@pytest.mark.parametrize("depth", [[], ["--depth=1"]])
def test_what_is_not_here_is_fetched_and_nothing_else(world: World, depth: list[str]) -> None:
    first = world.checkout.head
    clone = world.clone("clone", "--no-tags", *depth)
    tip = fork(world)
    git(world.work, "tag", "-a", "-m", "words", "v1")
    git(world.work, "tag", "topic-tag")
    world.push("topic", "v1", "topic-tag")
    before = git(clone, "for-each-ref", "refs/heads", "refs/tags")
    for revision in ("topic", "origin/topic", "v1", "refs/tags/topic-tag", tip, tip[:9], "v1^0"):
        assert opened(clone).ensure(revision) == tip, revision
        git(clone, "update-ref", "-d", "refs/remotes/origin/topic")
    assert opened(clone).ensure("topic~1") == first
    assert git(clone, "for-each-ref", "refs/heads", "refs/tags") == before
    assert not (clone / ".git/FETCH_HEAD").exists()


def test_refspecs_that_map_onto_the_users_branches_are_not_followed(world: World) -> None:
    clone = world.clone("clone")
    tip = fork(world)
    git(clone, "config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*")
    assert opened(clone).ensure(tip[:9]) == tip
    assert git(clone, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"


def test_fetching_never_makes_a_full_clone_shallow(world: World) -> None:
    clone = world.clone("clone")
    grow(world.work, 5)
    git(world.work, "push", "--quiet", "origin", "main:topic")
    assert opened(clone).ensure("topic")
    assert not opened(clone).is_shallow
    assert git(clone, "rev-list", "--count", "origin/topic") == "6"
    grow(world.work, 5)
    git(world.work, "push", "--quiet", "origin", "main:other")
    sha = git(world.work, "rev-parse", "main")
    assert opened(clone).ensure(sha) == sha
    assert not opened(clone).is_shallow
    assert git(clone, "rev-list", "--count", sha) == "11"


def test_fetching_into_a_shallow_clone_takes_one_commit_and_cuts_nothing_off(world: World) -> None:
    _, topic, main = long_history(world)
    clone = world.clone("clone", "--depth=30", "-b", "topic", "--single-branch")
    before = known(clone)
    assert opened(clone).ensure("main") == main
    assert known(clone) == before + 1
    git(world.origin, "branch", "same", topic)
    assert opened(clone).ensure("same") == topic
    assert git(clone, "rev-list", "--count", "HEAD") == "30"


def test_steps_back_and_short_shas_deepen_a_shallow_clone_no_further_than_needed(
    world: World,
) -> None:
    grow(world.work, 400)
    world.push("main")
    wanted = git(world.work, "rev-parse", "main~100")
    for revision in ("HEAD~100", "origin/main~100", "main~99^", wanted[:10]):
        clone = world.clone(f"clone-{revision[:4]}-{len(revision)}", "--depth=1")
        assert opened(clone).ensure(revision) == wanted
        assert known(clone) < 300
    assert opened(clone).ensure("HEAD~1000") is None


def test_a_step_back_from_head_is_never_one_from_the_remotes_head(world: World) -> None:
    grow(world.work, 3)
    world.push("main")
    git(world.work, "checkout", "--quiet", "--orphan", "alone")
    commit(world.work, "alone")
    git(world.work, "remote", "set-head", "origin", "main")
    assert world.checkout.ensure("HEAD~1") is None


def test_what_nobody_has_is_not_there(world: World) -> None:
    hostile = ("*", "refs/heads/*", "a:b", "+main", "-q", "--upload-pack=touch x", "x..y", "@{99}")
    for revision in ("nowhere", "0" * 40, "abcdef1", "HEAD~5", "", "HEAD:notes.txt", *hostile):
        assert world.checkout.ensure(revision) is None, revision
    assert not (world.work / "x").exists()


def test_without_a_remote_all_is_local(world: World) -> None:
    git(world.work, "remote", "remove", "origin")
    assert world.checkout.ensure("nowhere") is None
    assert world.checkout.ensure("main") == world.checkout.head
    assert world.checkout.remote_url is None


def test_a_remote_that_is_gone_is_a_publish_error_with_a_hint(world: World) -> None:
    git(world.work, "remote", "set-url", "origin", f"file://{world.root}/gone")
    with pytest.raises(PublishError, match="gone") as caught:
        world.checkout.ensure("nowhere")
    assert "git ls-remote" in (caught.value.hint or "")
    with pytest.raises(PublishError):
        world.checkout.probe()


def test_a_stale_branch_here_does_not_hinder_one_with_its_name_as_a_folder(world: World) -> None:
    git(world.work, "update-ref", "refs/remotes/origin/topic", "HEAD")
    clone = world.clone("clone")
    git(clone, "checkout", "--quiet", "-b", "topic/new")
    sha = commit(clone, "new")
    world.push(folder=clone)
    assert world.checkout.ensure("topic/new") == sha


def test_the_merge_base_in_a_full_clone_is_gits(world: World) -> None:
    base = world.checkout.head
    fork(world)
    git(world.work, "checkout", "--quiet", "main")
    commit(world.work, "on main")
    assert world.checkout.merge_base("main", "topic") == base


def test_the_merge_base_in_a_shallow_clone_is_found_without_all_of_history(world: World) -> None:
    base, topic, _ = long_history(world)
    clone = world.pulled(topic)
    checkout = opened(clone)
    main = checkout.ensure("main")
    assert main
    assert checkout.merge_base(main, "HEAD") == base
    assert known(clone) < 200


def test_old_branches_that_were_merged_do_not_cost_all_of_history(world: World) -> None:
    git(world.work, "checkout", "--quiet", "--detach")
    grow(world.work, 1500)
    tree = git(world.work, "rev-parse", "main^{tree}")
    old = git(world.work, "rev-parse", "main~1200")
    base = git(world.work, "rev-parse", "main")
    git(world.work, "branch", "topic", base)
    grow(world.work, 3, "topic")
    side = git(world.work, "commit-tree", tree, "-p", old, "-m", "side")
    merge = git(world.work, "commit-tree", tree, "-p", base, "-p", side, "-m", "merge")
    git(world.work, "update-ref", "refs/heads/main", merge)
    git(world.work, "push", "--quiet", "origin", "main", "topic")
    clone = world.pulled(git(world.work, "rev-parse", "topic"))
    assert opened(clone).ensure("main")
    assert opened(clone).merge_base("origin/main", "HEAD") == base
    assert known(clone) < 300


def test_a_merge_base_far_back_is_found_as_well(world: World) -> None:
    base, topic, _ = long_history(world, before=5, after=1300)
    checkout = opened(world.pulled(topic))
    assert checkout.ensure("main")
    assert checkout.merge_base("origin/main", "HEAD") == base


def test_a_nearer_merge_base_that_is_cut_off_is_not_missed(world: World) -> None:
    """The branch has merged main through a long detour, and an old commit of main directly."""
    git(world.work, "checkout", "--quiet", "--detach")
    grow(world.work, 5)
    old = git(world.work, "rev-parse", "main")
    grow(world.work, 30)
    git(world.work, "branch", "detour", "main")
    grow(world.work, 70, "detour")
    tree = git(world.work, "rev-parse", "main^{tree}")
    parents = ("-p", old, "-p", "detour")
    topic = git(world.work, "commit-tree", tree, *parents, "-m", "merge")
    grow(world.work, 3)
    git(world.work, "push", "--quiet", "origin", "main", f"{topic}:refs/heads/topic")
    expected = git(world.work, "merge-base", "main", topic)
    checkout = opened(world.pulled(topic))
    assert checkout.ensure("main")
    assert checkout.merge_base("origin/main", "HEAD") == expected


def dated(world: World, count: int, parent: str, date: str) -> str:
    """Make a line of commits, all of which claim a date; return its end."""
    tree = git(world.work, "rev-parse", "main^{tree}")
    for number in range(count):
        args = ("commit-tree", tree, "-p", parent, "-m", str(number))
        parent = git(world.work, *args, GIT_COMMITTER_DATE=date)
    return parent


def test_dates_that_a_change_invents_do_not_hide_the_merge_base(world: World) -> None:
    old = world.checkout.head
    gate = commit(world.work, "the gate")
    git(world.work, "push", "--quiet", "origin", "main")
    long = dated(world, 70, gate, "1971-01-01T00:00:00Z")
    tree = git(world.work, "rev-parse", "main^{tree}")
    topic = git(world.work, "commit-tree", tree, "-p", old, "-p", long, "-m", "topic")
    git(world.work, "push", "--quiet", "origin", f"{topic}:refs/heads/topic")
    for folder in (world.clone("full"), world.pulled(topic)):
        checkout = opened(folder)
        assert checkout.ensure("main") == gate
        assert checkout.merge_base("origin/main", topic) == gate


def test_unrelated_histories_have_no_merge_base(world: World) -> None:
    git(world.work, "checkout", "--quiet", "--orphan", "alone")
    alone = commit(world.work, "alone")
    world.push()
    checkout = opened(world.pulled(alone))
    assert checkout.ensure("main")
    assert checkout.merge_base("origin/main", "HEAD") is None
    with pytest.raises(UsageError, match="nowhere"):
        checkout.merge_base("nowhere", "HEAD")


def test_the_default_branch_is_noted_asked_for_or_guessed(world: World) -> None:
    git(world.work, "push", "--quiet", "origin", "main:trunk")
    git(world.origin, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert world.checkout.default_branch() == "trunk"
    git(world.work, "remote", "set-head", "origin", "main")
    assert world.checkout.default_branch() == "main"
    git(world.work, "remote", "set-head", "origin", "--delete")
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    assert world.checkout.default_branch() == "main"
    git(world.work, "remote", "remove", "origin")
    assert world.checkout.default_branch() == "main"
    git(world.work, "branch", "-m", "main", "odd")
    assert world.checkout.default_branch() is None


def test_a_default_branch_that_nobody_can_tell_is_an_error(world: World) -> None:
    git(world.work, "branch", "-m", "main", "odd")
    git(world.work, "update-ref", "-d", "refs/remotes/origin/main")
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    with pytest.raises(PublishError):
        world.checkout.default_branch()
