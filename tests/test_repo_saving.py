"""Saving results where nobody is in the way, and what is settled locally."""

from __future__ import annotations

import shutil
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
    plan,
    run,
    write,
)

from cml.errors import PublishError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_results_go_to_the_branch_with_their_tag_in_one_push(world: World, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    checkout = opened(world.work, GIT_TRACE=str(trace))
    wanted = run(world.work)
    git(world.work, "tag", "private")
    saved = checkout.save(wanted, never)
    assert saved.pushed
    assert (saved.tag, saved.adopted, saved.note) == ("exp-1", False, None)
    assert (saved.branch, saved.ref) == ("main", "refs/heads/main")
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": saved.commit}
    assert git(world.origin, "rev-parse", "main^") == wanted.source
    assert trace.read_text().count("built-in: git push") == 1
    (pushed,) = [line for line in trace.read_text().splitlines() if "built-in: git push" in line]
    assert "--atomic" in pushed
    assert "--force" not in pushed
    assert "--tags" not in pushed


def test_the_local_branch_tag_and_index_follow_and_nothing_else_does(world: World) -> None:
    commit(world.work, "more", edited_txt="1", staged_txt="1", old_json="1")
    world.push()
    wanted = plan(world.checkout.head, "metrics.json", "old.json")
    write(world.work, "metrics.json", "new")
    (world.work / "old.json").unlink()
    for name in ("edited.txt", "staged.txt", "scratch"):
        write(world.work, name, "2")
    git(world.work, "add", "staged.txt")
    saved = world.checkout.save(wanted, always)
    status = git(world.work, "status", "--porcelain").splitlines()
    assert {*status} == {"M edited.txt", "M  staged.txt", "?? scratch"}
    for ref in ("HEAD", "main", "origin/main", "exp-1"):
        assert world.checkout.resolve(ref) == saved.commit
    assert world.checkout.branch == "main"


def test_a_branch_that_the_user_moved_meanwhile_is_left_alone(world: World) -> None:
    wanted = run(world.work)
    git(world.work, "commit", "--quiet", "--allow-empty", "-m", "meanwhile")
    head = world.checkout.head
    before = git(world.work, "status", "--porcelain")
    saved = world.checkout.save(wanted, always)
    assert saved.pushed
    assert "git pull" in (saved.note or "")
    assert (world.checkout.head, git(world.work, "status", "--porcelain")) == (head, before)


def test_a_detached_head_stays_where_it_is(world: World) -> None:
    source = world.checkout.head
    folder = world.pulled(source)
    saved = opened(folder).save(run(folder), always)
    assert saved.pushed
    assert opened(folder).head == source
    assert world.refs()["refs/heads/main"] == saved.commit
    assert saved.note is None


def test_a_new_branch_is_pushed_with_its_commits(world: World) -> None:
    git(world.work, "checkout", "--quiet", "-b", "new")
    source = commit(world.work, "unpushed")
    write(world.work, "metrics.json", "new")
    saved = world.checkout.save(plan(source, branch="new"), always)
    assert world.refs()["refs/heads/new"] == saved.commit
    assert git(world.origin, "rev-parse", "new^") == source


def test_commits_that_are_ahead_of_the_remote_go_with_their_results(world: World) -> None:
    commit(world.work, "unpushed")
    saved = world.checkout.save(run(world.work), always)
    assert (saved.pushed, saved.note) == (True, None)
    assert world.refs()["refs/heads/main"] == saved.commit


def test_without_a_tag_only_the_branch_is_pushed(world: World) -> None:
    write(world.work, "metrics.json", "new")
    saved = world.checkout.save(plan(world.checkout.head, tag=None), always)
    assert world.refs() == {"refs/heads/main": saved.commit}


@pytest.mark.parametrize("branch", ["-x", "--force", "a';x;'", "ünï/b", "$(x)", "a+b"])
def test_hostile_branch_names_are_only_names(world: World, branch: str) -> None:
    git(world.work, "update-ref", f"refs/heads/{branch}", "HEAD")
    git(world.work, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    git(world.work, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
    write(world.work, "metrics.json", "new")
    saved = world.checkout.save(plan(world.checkout.head, branch=branch, tag="-d"), always)
    assert world.refs()[f"refs/heads/{branch}"] == saved.commit
    assert world.refs()["refs/tags/-d"] == saved.commit


@pytest.mark.parametrize("branch", ["a:refs/heads/b", "a b", "", "+main~", "x..y", "*", "a\nb"])
def test_names_that_no_branch_can_have_are_refused(world: World, branch: str) -> None:
    before = world.refs()
    write(world.work, "metrics.json", "new")
    with pytest.raises(UsageError, match="no ref"):
        world.checkout.save(plan(world.checkout.head, branch=branch), always)
    assert world.refs() == before


def test_users_push_settings_do_not_change_what_is_pushed(world: World) -> None:
    git(world.work, "tag", "-a", "-m", "x", "private")
    for key, value in (
        ("push.followTags", "true"),
        ("push.default", "matching"),
        ("push.gpgSign", "true"),
        ("remote.origin.push", "+refs/*:refs/*"),
    ):
        git(world.work, "config", key, value)
    saved = world.checkout.save(run(world.work), always)
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": saved.commit}


def test_a_hook_of_the_server_that_declines_is_a_publish_error(world: World) -> None:
    hook = write(world.origin, "hooks/pre-receive", "#!/bin/sh\necho not you >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PublishError, match="not you") as caught:
        world.checkout.save(run(world.work), always)
    assert "contents: write" in (caught.value.hint or "")
    assert world.checkout.resolve("exp-1") is None


def test_a_remote_that_is_gone_is_tried_again_and_then_an_error(world: World) -> None:
    git(world.work, "remote", "set-url", "origin", "file:///nowhere")
    with pytest.raises(PublishError, match="nowhere"):
        world.checkout.save(run(world.work), always, attempts=2)


def test_a_tag_that_names_another_commit_stays_and_the_branch_gets_the_results(
    world: World,
) -> None:
    other = world.checkout.head
    git(world.work, "push", "--quiet", "origin", "HEAD:refs/tags/exp-1")
    saved = world.checkout.save(run(world.work), always)
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": other}
    assert saved.tag is None
    assert "exp-1" in (saved.note or "")


def test_a_push_tells_apart_what_stands_in_its_way(world: World) -> None:
    first = world.checkout.head
    newer = newcomer(world)
    made = world.checkout.build_commit(run(world.work), parent=first)
    assert made
    assert world.checkout.push(made, ["refs/heads/main", "refs/tags/t"]) == "rejected"
    assert world.refs() == {"refs/heads/main": newer}
    git(world.work, "push", "--quiet", "origin", f"{first}:refs/tags/t")
    assert world.checkout.push(made, ["refs/heads/other", "refs/tags/t"]) == "tag exists"
    assert world.checkout.push(made, ["refs/heads/other"]) == "pushed"
    assert world.checkout.push(made, ["refs/heads/other"]) == "pushed"


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="Git LFS is not installed")
def test_files_of_git_lfs_are_uploaded_before_their_pointers_are_pushed(world: World) -> None:
    git(world.work, "lfs", "install", "--local")
    write(world.work, ".gitattributes", "*.json filter=lfs diff=lfs merge=lfs -text\n")
    git(world.work, "add", "--renormalize", ".")
    source = commit(world.work, "use Git LFS")
    world.push()
    write(world.work, "metrics.json", "large")
    saved = world.checkout.save(plan(source), always)
    assert content(world, str(saved.commit)).startswith("version https://git-lfs")
    stored = [file.read_text() for file in (world.origin / "lfs").rglob("*") if file.is_file()]
    assert "large" in stored
