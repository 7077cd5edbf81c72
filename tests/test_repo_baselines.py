"""Which commits a run is about: its baseline, and the message of its head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, fork, git, known, opened

from cml.errors import UsageError
from cml.record import Baseline, Context

if TYPE_CHECKING:
    from pathlib import Path

CI = Context(forge="github")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_branch_is_compared_with_where_it_left_the_default_branch(world: World) -> None:
    base = world.checkout.head
    topic = fork(world)
    git(world.work, "checkout", "--quiet", "main")
    commit(world.work, "on main")
    world.push()
    git(world.work, "checkout", "--quiet", "topic")
    expected = Baseline(revision="origin/main", sha=base)
    assert world.checkout.baseline("auto", Context()) == expected
    assert opened(world.pulled(topic)).baseline("auto", CI) == expected


def test_the_default_branch_itself_is_compared_with_its_parent(world: World) -> None:
    parent = world.checkout.head
    head = commit(world.work, "second")
    world.push()
    assert world.checkout.baseline("auto", CI) == Baseline(revision=f"{head[:7]}~1", sha=parent)
    commit(world.work, "third")
    world.push()
    clone = world.pulled(head)
    found = opened(clone).baseline("auto", CI)
    assert found
    assert found.sha == parent


def test_a_first_commit_has_no_baseline(world: World) -> None:
    assert world.checkout.baseline("auto", CI) is None
    assert opened(world.pulled(world.checkout.head)).baseline("auto", CI) is None


def test_without_a_remote_the_local_default_branch_counts(world: World) -> None:
    base = world.checkout.head
    git(world.work, "remote", "remove", "origin")
    git(world.work, "update-ref", "-d", "refs/remotes/origin/main")
    git(world.work, "checkout", "--quiet", "-b", "topic")
    commit(world.work, "on topic")
    expected = Baseline(revision="main", sha=base)
    assert world.checkout.baseline("auto", Context()) == expected


def test_unpushed_commits_on_the_default_branch_are_compared_with_what_is_pushed(
    world: World,
) -> None:
    base = world.checkout.head
    commit(world.work, "second")
    commit(world.work, "third")
    expected = Baseline(revision="origin/main", sha=base)
    assert world.checkout.baseline("auto", Context()) == expected


def test_a_named_baseline_is_fetched_and_an_unknown_one_is_a_usage_error(world: World) -> None:
    first = world.checkout.head
    topic = fork(world)
    checkout = opened(world.pulled(topic))
    assert checkout.baseline("main", CI) == Baseline(revision="main", sha=first)
    assert checkout.baseline("HEAD~1", CI) == Baseline(revision="HEAD~1", sha=first)
    with pytest.raises(UsageError, match="'typo'") as caught:
        checkout.baseline("typo", CI)
    assert "baseline" in (caught.value.hint or "")


def synthetic(world: World) -> tuple[str, str, str]:
    """Make what GitHub checks out for a pull request; return the shas of merge, head and fork."""
    base = world.checkout.head
    topic = fork(world)
    git(world.work, "checkout", "--quiet", "main")
    commit(world.work, "on main")
    world.push()
    git(world.work, "checkout", "--quiet", "--detach")
    git(world.work, "merge", "--quiet", "--no-ff", "-m", "Merge topic into main", topic)
    git(world.work, "push", "--quiet", "origin", "HEAD:refs/pull/7/merge")
    return git(world.work, "rev-parse", "HEAD"), topic, base


def test_a_pull_request_is_compared_with_where_it_left_its_target(world: World) -> None:
    merge, topic, base = synthetic(world)
    context = Context(forge="github", sha=topic, pull_request=7, target="main")
    expected = Baseline(revision="origin/main", sha=base)
    assert opened(world.pulled(merge)).baseline("auto", context) == expected
    assert opened(world.pulled(topic, "head")).baseline("auto", context) == expected
    clone = world.clone("full")
    git(clone, "checkout", "--quiet", topic)
    assert opened(clone).baseline("auto", context) == expected


def test_the_target_is_looked_at_anew_and_not_as_it_was_once_fetched(world: World) -> None:
    clone = world.clone("clone")
    git(world.work, "checkout", "--quiet", "-b", "topic")
    newer = commit(world.work, "newer")
    world.push("HEAD:main")
    topic = commit(world.work, "on topic")
    world.push()
    git(clone, "fetch", "--quiet", "origin", topic)
    git(clone, "checkout", "--quiet", topic)
    context = Context(forge="github", sha=topic, pull_request=7, target="main")
    found = opened(clone).baseline("auto", context)
    assert found
    assert found.sha == newer
    git(clone, "remote", "set-url", "origin", "file:///nowhere")
    assert opened(clone).baseline("auto", context) == found


def test_a_target_that_cannot_be_found_is_an_error_and_no_fallback(world: World) -> None:
    topic = fork(world)
    context = Context(forge="github", sha=topic, pull_request=7, target="gone")
    with pytest.raises(UsageError, match="'gone'"):
        opened(world.pulled(topic)).baseline("auto", context)
    git(world.work, "checkout", "--quiet", "--orphan", "gone")
    commit(world.work, "alone")
    world.push()
    with pytest.raises(UsageError, match="no common history"):
        opened(world.root / "ci").baseline("auto", context)


def test_the_message_is_that_of_the_pull_requests_head(world: World) -> None:
    merge, topic, _ = synthetic(world)
    context = Context(forge="github", sha=topic, pull_request=7, target="main")
    clone = world.pulled(merge)
    assert opened(clone).head_message(context) == "on topic\n"
    assert known(clone) == 2
    assert world.checkout.head_message(context) == "on topic\n"
    assert world.checkout.head_message(Context()) == "Merge topic into main\n"


def test_the_message_of_a_head_that_is_no_merge_is_its_own(world: World) -> None:
    first = world.checkout.head
    commit(world.work, "second")
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    for sha in (None, first, "0" * 40):
        assert world.checkout.head_message(Context(sha=sha)) == "second\n"


def test_the_message_costs_one_process_where_nothing_is_to_be_fetched(
    world: World, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    checkout = opened(world.work, GIT_TRACE=str(trace))
    checkout.head_message(Context(sha=world.checkout.head))
    assert trace.read_text().count("trace: built-in") == 1
