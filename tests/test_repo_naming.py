"""Names that others may push, and that git would take for another commit than is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, fork, git, grow, opened

from cml.errors import UsageError
from cml.record import Context

if TYPE_CHECKING:
    from pathlib import Path

CI = Context(forge="github")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def tagged(world: World, name: str) -> tuple[str, str]:
    """Push a change, and a tag at it; return the shas of main and of the change."""
    main, topic = world.checkout.head, fork(world)
    git(world.work, "update-ref", f"refs/tags/{name}", topic)
    world.push(f"refs/tags/{name}")
    return main, topic


def clones(world: World, topic: str) -> list[Path]:
    """Clone as a person does, and as CI does, which has the tag but not its branch."""
    alone = world.pulled(topic)
    git(alone, "fetch", "--quiet", "--tags", "origin", topic)
    return [world.clone("full"), alone]


@pytest.mark.parametrize("revision", ["origin/main", "origin/main~0", "origin/main^{commit}"])
def test_a_tag_called_like_the_remotes_branch_is_not_taken_for_it(
    world: World, revision: str
) -> None:
    main, topic = tagged(world, "origin/main")
    for folder in clones(world, topic):
        assert opened(folder).ensure(revision) == main


def test_a_local_branch_called_like_the_remotes_branch_is_not_taken_for_it(world: World) -> None:
    main = world.checkout.head
    fork(world, "origin/main")
    assert world.checkout.ensure("origin/main") == main


@pytest.mark.parametrize("revision", ["main", "main~0"])
def test_a_name_that_is_both_a_tag_and_a_branch_is_refused(world: World, revision: str) -> None:
    main, topic = tagged(world, "main")
    for folder in clones(world, topic):
        with pytest.raises(UsageError, match="both a tag") as caught:
            opened(folder).ensure(revision)
        assert caught.value.hint == "Write refs/heads/main or refs/tags/main."
        for ref, sha in (("refs/heads/main", main), ("refs/tags/main", topic)):
            assert opened(folder).ensure(ref) == sha


def test_a_name_that_only_the_remote_has_twice_is_refused_too(world: World) -> None:
    clone = world.clone("clone", "--single-branch", "--no-tags")
    git(world.work, "tag", "both")
    fork(world, "both")
    world.push("refs/tags/both", "refs/heads/both")
    with pytest.raises(UsageError, match="both a tag"):
        opened(clone).ensure("both")


def test_a_tag_and_a_branch_of_one_commit_do_not_contradict_each_other(world: World) -> None:
    grow(world.work, 2)
    git(world.work, "reset", "--quiet", "--hard")
    git(world.work, "tag", "-a", "-m", "words", "main")
    world.push("refs/heads/main", "refs/tags/main")
    for folder in (world.work, world.clone("clone", "--no-tags")):
        assert opened(folder).ensure("main") == world.checkout.head


def test_a_tag_is_found_where_the_remote_cannot_be_asked_for_a_branch(world: World) -> None:
    git(world.work, "tag", "-a", "-m", "words", "v1")
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    assert world.checkout.ensure("v1") == world.checkout.head


@pytest.mark.parametrize("name", ["refs/heads/main", "refs/remotes/origin/main"])
def test_a_tag_with_the_full_name_of_a_branch_is_not_taken_for_it(world: World, name: str) -> None:
    main, topic = tagged(world, name)
    ci = opened(clones(world, topic)[1])
    assert ci.resolve(name) == topic
    assert ci.ensure("refs/heads/main") == main
    (ci.git_dir / "refs/remotes/origin/main").unlink()
    found = ci.baseline("auto", Context(sha=topic, target="main"))
    assert found
    assert found.sha == main
    assert ci.default_branch() == "main"


def test_the_baseline_is_the_branch_of_the_remote_whatever_tags_are_pushed(world: World) -> None:
    main, topic = tagged(world, "origin/main")
    git(world.work, "push", "--quiet", "origin", f"{topic}:refs/heads/origin/main")
    clone = world.clone("clone")
    git(clone, "checkout", "--quiet", "-b", "origin/main", "refs/remotes/origin/origin/main")
    commit(clone, "more")
    found = opened(clone).baseline("origin/main", CI)
    assert found
    assert found.sha == main
