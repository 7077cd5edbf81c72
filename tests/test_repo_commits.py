"""Commits of results: exactly the named files, beside the index and branches."""

from __future__ import annotations

import dataclasses
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from git_kit import (
    ADA,
    BOT,
    World,
    always,
    commit,
    git,
    plan,
    run,
    write,
)

from cml.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_commit_holds_exactly_the_named_paths(world: World) -> None:
    write(world.work, ".gitignore", "*.log\nignored.json\n")
    source = commit(world.work, "more", old_json="1", dir__a_txt="1", dir__b_txt="1", kept_txt="1")
    write(world.work, "staged.txt", "x")
    git(world.work, "add", "staged.txt")
    index = (world.work / ".git/index").read_bytes()
    for name in ("metrics.json", "secret.env", "notes.txt", "x.log", "ignored.json", "dir/c.log"):
        write(world.work, name, "new")
    for name in ("old.json", "dir/a.txt", "kept.txt"):
        (world.work / name).unlink()
    wanted = ("metrics.json", "ignored.json", "old.json", "dir", "never.json")
    made = world.checkout.build_commit(plan(source, *wanted), parent=source)
    assert made
    changed = git(world.work, "diff-tree", "-r", "--name-status", source, made).splitlines()
    assert sorted(changed) == [
        *("A\tdir/c.log", "A\tignored.json", "D\tdir/a.txt", "D\told.json", "M\tmetrics.json"),
    ]
    assert world.checkout.head == source
    assert (world.work / ".git/index").read_bytes() == index


def test_a_commit_needs_no_configured_identity(world: World) -> None:
    made = world.checkout.build_commit(run(world.work), parent="HEAD")
    shown = git(world.work, "log", "-1", "--format=%an <%ae> %cn <%ce>%n%B", str(made))
    assert shown.splitlines()[0] == f"Ada <{ADA.email}> Bot <{BOT.email}>"
    assert "\n\nCml-Source: " in shown


def test_a_message_is_utf_8_whatever_is_configured(world: World) -> None:
    git(world.work, "config", "i18n.commitEncoding", "latin-1")
    wanted = dataclasses.replace(run(world.work), message="Größe ☃\n")
    made = world.checkout.build_commit(wanted, parent="HEAD")
    assert world.checkout.message(str(made)) == "Größe ☃\n"


def test_hostile_names_are_committed_and_select_no_other_file(world: World) -> None:
    names = ("two\nlines", "*", ":(glob)**", "-A", "ünï", 'quo"te', ":!x", "sp ace/[a]")
    for name in (*names, "other"):
        write(world.work, name, "1")
    made = world.checkout.build_commit(plan(world.checkout.head, *names), parent="HEAD")
    assert made
    assert world.checkout.changed_paths("HEAD", made) == {*names}


def test_links_modes_and_line_endings_are_kept_as_git_would(world: World) -> None:
    write(world.work, ".gitattributes", "*.csv text eol=crlf\n")
    commit(world.work, "attributes")
    write(world.work, "run.sh", "x").chmod(0o755)
    (world.work / "link").symlink_to("nowhere")
    (world.work / "folder").symlink_to(world.root)
    (world.work / "a.csv").write_bytes(b"1\r\n")
    wanted = plan(world.checkout.head, "run.sh", "link", "folder", "a.csv")
    made = world.checkout.build_commit(wanted, parent="HEAD")
    assert made
    listed = git(world.work, "ls-tree", made, "run.sh", "link", "folder").splitlines()
    assert [line.split()[0] for line in listed] == ["120000", "120000", "100755"]
    assert world.checkout.show(made, "a.csv") == b"1\n"


def test_a_file_may_become_a_folder_and_a_folder_a_file(world: World) -> None:
    source = commit(world.work, "both", a="1", b__x="1")
    (world.work / "a").unlink()
    shutil.rmtree(world.work / "b")
    write(world.work, "a/x", "2")
    write(world.work, "b", "2")
    made = world.checkout.build_commit(plan(source, "a", "b"), parent=source)
    assert made
    assert git(world.work, "ls-tree", "-r", "--name-only", made, "a", "b").split() == ["a/x", "b"]


def test_there_is_nothing_to_commit_where_nothing_differs(world: World) -> None:
    before = world.refs()
    os.utime(world.work / "metrics.json", (1, 1))
    saved = world.checkout.save(plan(world.checkout.head), always)
    assert (saved.commit, saved.pushed, world.refs()) == (None, False, before)


@pytest.mark.parametrize("path", ["", ".", "../outside"])
def test_what_is_no_file_of_the_work_tree_is_refused(world: World, path: str) -> None:
    write(world.root, "outside", "x")
    with pytest.raises(UsageError):
        world.checkout.build_commit(plan(world.checkout.head, path), parent="HEAD")
