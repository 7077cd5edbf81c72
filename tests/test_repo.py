"""Finding a checkout, and reading it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from git_kit import ISOLATED, World, commit, git, opened, write

from cml import repo
from cml.errors import UsageError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_importing_the_room_loads_neither_git_nor_dvc() -> None:
    code = "import sys, cml.repo; print(*{'git', 'dvc', 'psutil'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_checkout_is_found_from_a_folder_inside(world: World) -> None:
    inner = world.work / "a/b"
    inner.mkdir(parents=True)
    assert opened(inner).root == world.work.resolve()


def test_a_folder_outside_any_checkout_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(UsageError, match="not in a git work tree"):
        opened(tmp_path)


def test_a_checkout_is_found_through_a_symbolic_link(world: World, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(world.work)
    assert opened(tmp_path / "link").root == world.work.resolve()


def test_a_linked_work_tree_and_a_submodule_are_checkouts_of_their_own(world: World) -> None:
    git(world.work, "worktree", "add", "--quiet", "-b", "side", "../linked")
    git(
        world.work,
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(f"file://{world.origin}", "sub"),
    )
    linked, sub = opened(world.root / "linked"), opened(world.work / "sub")
    assert (linked.branch, linked.common_dir) == ("side", world.work / ".git")
    assert (sub.root, sub.branch) == (world.work / "sub", "main")
    assert sub.git_dir == world.work / ".git/modules/sub"


def test_finding_ones_own_checkout_adds_nothing_to_the_environment(world: World) -> None:
    environ = dict(ISOLATED)
    repo.find(world.work, environ)
    assert environ == ISOLATED


@AS_ROOT
def test_a_checkout_of_another_user_is_accepted_for_this_process_alone(
    world: World, tmp_path: Path
) -> None:
    config = write(tmp_path, "gitconfig", "[user]\n\tname = Me\n")
    for place in (world.work, *world.work.rglob("*")):
        os.chown(place, 12345, 12345)
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    environ = {**ISOLATED, **given, "GIT_CONFIG_GLOBAL": str(config)}

    def child(key: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "config", "--includes", key],
            cwd=world.work,
            env={"PATH": os.environ["PATH"], **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    assert git(world.work, "rev-parse", "HEAD", check=False) == ""
    checkout = repo.find(world.work, environ)
    repo.find(world.work, environ)
    assert environ["GIT_CONFIG_COUNT"] == "2"
    assert environ["GIT_CONFIG_VALUE_1"] == str(world.work)
    assert (child("a.b").stdout, child("core.bare").stdout) == ("c\n", "false\n")
    assert len(checkout.head) == 40
    assert config.read_text() == "[user]\n\tname = Me\n"


@AS_ROOT
def test_a_git_that_heeds_safe_directory_in_files_alone_works_all_the_same(world: World) -> None:
    os.chown(world.work, 12345, 12345)
    environ = dict(ISOLATED)
    checkout = repo.find(world.work, environ)
    # This is what git before 2.38 makes of it.
    del environ["GIT_CONFIG_COUNT"]
    assert len(checkout.head) == 40


def test_a_count_of_configuration_that_is_no_number_is_named(world: World) -> None:
    with pytest.raises(UsageError, match="GIT_CONFIG_COUNT"):
        opened(world.work, GIT_CONFIG_COUNT="many").head  # noqa: B018 (the property is the test)


def test_a_repository_without_commits_is_a_usage_error(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match="no commit yet"):
        opened(tmp_path).head  # noqa: B018 (the property is the test)


def test_head_and_branch_follow_what_is_checked_out(world: World) -> None:
    checkout = world.checkout
    assert (checkout.branch, checkout.head) == ("main", git(world.work, "rev-parse", "HEAD"))
    git(world.work, "checkout", "--quiet", "-b", "topic/ünïcode")
    assert checkout.branch == "topic/ünïcode"
    git(world.work, "checkout", "--quiet", "--detach")
    assert checkout.branch is None


def test_an_unknown_revision_resolves_to_nothing(world: World) -> None:
    for revision in ("nowhere", "", "-x", "--all", "HEAD..HEAD", "HEAD:metrics.json", "a b\nc"):
        assert world.checkout.resolve(revision) is None


def test_a_revision_that_begins_with_a_dash_is_a_revision(world: World) -> None:
    git(world.work, "update-ref", "refs/heads/--output=x", "HEAD")
    git(world.work, "symbolic-ref", "HEAD", "refs/heads/--output=x")
    assert world.checkout.resolve("--output=x") == world.checkout.head
    assert world.checkout.branch == "--output=x"
    assert not (world.work / "x").exists()


def test_an_annotated_tag_resolves_to_its_commit(world: World) -> None:
    git(world.work, "tag", "-a", "-m", "words", "v1")
    assert world.checkout.resolve("v1") == world.checkout.head


def test_a_null_character_in_a_name_is_a_usage_error(world: World) -> None:
    with pytest.raises(UsageError, match="NUL"):
        world.checkout.resolve("a\0b")


def test_a_short_sha_has_at_least_seven_digits_and_names_its_commit(world: World) -> None:
    git(world.work, "config", "core.abbrev", "4")
    short = world.checkout.short("HEAD")
    assert len(short) >= 7
    assert world.checkout.resolve(short) == world.checkout.head


def test_a_message_is_read_whole_in_whatever_encoding(world: World) -> None:
    git(world.work, "config", "log.showSignature", "true")
    message = "Überschrift\n\nbody | `x`\n\nskip-checks: true"
    commit(world.work, message)
    assert world.checkout.message("HEAD") == message + "\n"
    git(world.work, "config", "i18n.commitEncoding", "latin-1")
    file = world.root / "message"
    file.write_bytes("Größe".encode("latin-1"))
    git(world.work, "commit", "--quiet", "--allow-empty", "-F", str(file))
    assert world.checkout.message("HEAD").strip() == "Größe"


def test_several_commits_are_read_in_one_process(world: World, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    checkout = opened(world.work, GIT_TRACE=str(trace))
    first, nothing, hostile = checkout.commits("HEAD", "nowhere", "HEAD\nHEAD")
    assert first is not None
    assert (first.sha, first.parents, first.message) == (checkout.head, (), "first\n")
    assert (nothing, hostile) == (None, None)
    assert sum("cat-file" in line for line in lines(trace)) == 1


def test_a_shallow_clone_still_names_the_parent_that_it_lacks(world: World) -> None:
    parent = world.checkout.head
    commit(world.work, "second")
    world.push()
    checkout = opened(world.clone("shallow", "--depth=1"))
    assert checkout.is_shallow
    assert not world.checkout.is_shallow
    assert checkout.parent("HEAD") == parent
    assert checkout.resolve(parent) is None


def test_a_committed_file_is_shown_as_it_is_and_a_missing_one_as_nothing(world: World) -> None:
    write(world.work, ".gitattributes", "*.bin diff=upper\n")
    git(world.work, "config", "diff.upper.textconv", "tr a-z A-Z <")
    (world.work / "data.bin").write_bytes(b"\xff\0ab\r\n")
    (world.work / "folder").mkdir()
    commit(world.work, "files", folder__a_txt="a")
    checkout = world.checkout
    assert checkout.show("HEAD", "data.bin") == b"\xff\0ab\r\n"
    assert checkout.show("HEAD", "nothing") is None
    assert checkout.show("HEAD", "folder") is None
    assert checkout.show("HEAD", "*.bin") is None
    with pytest.raises(UsageError, match="nowhere"):
        checkout.show("nowhere", "data.bin")


def test_a_file_whose_content_is_lost_is_an_error_and_not_a_missing_file(world: World) -> None:
    sha = git(world.work, "rev-parse", "HEAD:metrics.json")
    (world.work / ".git/objects" / sha[:2] / sha[2:]).unlink()
    with pytest.raises(UsageError, match="cat-file"):
        world.checkout.show("HEAD", "metrics.json")


HOSTILE = ("two\nlines.txt", 'quo"te|`x`.txt', "ünï.txt", ":(glob)**", "-n", "sp ace")


def test_hostile_names_come_back_exactly(world: World) -> None:
    old = world.checkout.head
    for name in HOSTILE:
        write(world.work, name, "1")
    inside = [world.work / name for name in HOSTILE]
    assert world.checkout.untracked(inside) == sorted(HOSTILE)
    commit(world.work, "hostile")
    assert {*world.checkout.tracked()} >= {*HOSTILE}
    assert world.checkout.changed_paths(old, "HEAD") == {*HOSTILE}
    for name in HOSTILE:
        write(world.work, name, "2")
    assert world.checkout.dirty() == {*HOSTILE}
    assert [world.checkout.show("HEAD", name) for name in HOSTILE] == [b"1"] * len(HOSTILE)


def test_names_that_are_not_utf_8_survive(world: World) -> None:
    (Path(os.fsdecode(os.fsencode(world.work) + b"/\xff.txt"))).write_text("x")
    (name,) = world.checkout.untracked([world.work])
    assert os.fsencode(name) == b"\xff.txt"


def test_dirty_means_edited_deleted_or_staged_but_not_touched_or_new(world: World) -> None:
    commit(world.work, "more", staged_txt="1", same_txt="1", gone_txt="1", undone_txt="1")
    write(world.work, "notes.txt", "edited")
    write(world.work, "staged.txt", "2")
    write(world.work, "undone.txt", "2")
    git(world.work, "add", "staged.txt", "undone.txt")
    write(world.work, "undone.txt", "1")
    (world.work / "gone.txt").unlink()
    os.utime(world.work / "same.txt", (1, 1))
    write(world.work, "secret.env", "x")
    expected = {"notes.txt", "staged.txt", "gone.txt", "undone.txt"}
    assert world.checkout.dirty() == expected


def test_a_submodule_is_dirty_when_it_differs_but_not_for_a_new_file(world: World) -> None:
    git(
        world.work,
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        *(f"file://{world.origin}", "sub"),
    )
    commit(world.work, "submodule")
    write(world.work, "sub/new.txt", "x")
    assert world.checkout.dirty() == set()
    git(world.work, "config", "submodule.sub.ignore", "all")
    write(world.work, "sub/notes.txt", "edited")
    assert world.checkout.dirty() == {"sub"}


def test_a_rename_changes_both_names(world: World) -> None:
    git(world.work, "config", "diff.renames", "copies")
    old = world.checkout.head
    git(world.work, "mv", "notes.txt", "words.txt")
    assert world.checkout.dirty() == {"notes.txt", "words.txt"}
    commit(world.work, "rename")
    assert world.checkout.changed_paths(old, "HEAD") == {"notes.txt", "words.txt"}


def test_untracked_files_are_looked_for_only_where_asked(world: World) -> None:
    write(world.work, ".gitignore", "*.log\n")
    for name in ("in/a.txt", "in/b.log", "out/c.txt"):
        write(world.work, name, "x")
    assert world.checkout.untracked([world.work / "in", world.work / "none"]) == ["in/a.txt"]
    assert world.checkout.untracked([]) == []
    with pytest.raises(UsageError, match="not in the work tree"):
        world.checkout.untracked([world.root])


def test_hooks_of_the_checkout_do_not_run(world: World) -> None:
    hook = write(world.work, ".git/hooks/reference-transaction", "#!/bin/sh\ntouch ../ran\n")
    hook.chmod(0o755)
    world.checkout.ensure("main")
    commit(world.work, "seen")
    assert (world.root / "ran").exists()
    (world.root / "ran").unlink()
    git(world.work, "push", "--quiet", "origin", "HEAD:other")
    git(world.work, "update-ref", "-d", "refs/remotes/origin/other")
    (world.root / "ran").unlink()
    assert world.checkout.ensure("other")
    assert world.checkout.resolve("refs/remotes/origin/other")
    assert not (world.root / "ran").exists()


def test_without_git_the_user_is_told_to_install_it(world: World) -> None:
    code = (
        "import pathlib; from cml import errors, repo\n"
        f"checkout = repo.find(pathlib.Path({str(world.work)!r}), {{}})\n"
        "try: checkout.head\n"
        "except errors.UsageError as error: print(error, error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Install git" in done.stdout, done.stderr
