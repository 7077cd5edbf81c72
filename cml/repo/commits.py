"""Makes result commits out of files, beside the user's index and branches; pushes nothing."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cml.errors import UsageError
from cml.repo.process import nul_separated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cml.repo.worktree import WorkTree

SUBJECT = "cml-run: results of "
TRAILER = "Cml-Source: "


class Identity(Protocol):
    """Who stands in a commit as its author or committer."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def email(self) -> str:
        """The address, without brackets."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit to be made of a run's results, and where it is to go.

    Attributes:
        source: the full sha of the commit whose pipeline was run.
        branch: the branch that it stands on.
        paths: the files, as git names them; a folder stands for all that is in it. What is gone
            from the work tree is removed from git.
        message: the commit message. It begins with `SUBJECT` and has the trailer
            `Cml-Source: <source>`, by which later runs know the commit for their own.
        tag: the tag for the results.
        author: who made them.
        committer: who committed them.
    """

    source: str
    branch: str
    paths: Sequence[str]
    message: str
    tag: str | None = None
    author: Identity
    committer: Identity


def build_commit(checkout: WorkTree, results: Commit, *, parent: str) -> str | None:
    """Make a commit of the parent's tree and exactly the results; HEAD and the index stay.

    Ignored files are taken too, as they are named; filters (line endings, Git LFS) apply.

    Args:
        checkout: the work tree.
        results: what to commit.
        parent: the commit to stand on, the source or a later one.

    Returns:
        The sha; None where the parent has the results already.

    Raises:
        UsageError: git refused a file, or the identity.
    """
    tree = stage(checkout, results, parent=parent)
    if tree == checkout.tree(parent):
        return None
    return record(checkout, results, tree, parent=parent)


def stage(checkout: WorkTree, results: Commit, *, parent: str) -> str:
    """Write the tree of the parent with the results in it, beside the index; return its sha."""
    git = checkout.git
    with tempfile.TemporaryDirectory(prefix="cml-") as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.call("read-tree", parent, env=env)
        there = {name for path in results.paths for name in _files(checkout, path)}
        folders = [path for path in results.paths if path not in there]
        tracked = git.names("ls-files", "-z", "--", *folders, env=env) if folders else []
        gone = nul_separated(name for name in tracked if name not in there)
        # A file may have become a folder: removal comes first.
        git.call("update-index", "-z", "--force-remove", "--stdin", stdin=gone, env=env)
        options = ("--force", "--pathspec-from-file=-", "--pathspec-file-nul")
        if there:
            git.call("add", *options, stdin=nul_separated(sorted(there)), env=env)
        return git.text("write-tree", env=env)


def record(
    checkout: WorkTree, results: Commit, tree: str, *, parent: str, merged: str | None = None
) -> str:
    """Write the commit of a tree, with a second parent where one is merged; return its sha."""
    message = results.message.encode("utf-8", "replace")
    env = {
        "GIT_AUTHOR_NAME": results.author.name,
        "GIT_AUTHOR_EMAIL": results.author.email,
        "GIT_COMMITTER_NAME": results.committer.name,
        "GIT_COMMITTER_EMAIL": results.committer.email,
    }
    parents = ["-p", parent, *(["-p", merged] if merged else [])]
    return checkout.git.text("commit-tree", tree, *parents, stdin=message, env=env)


def _files(checkout: WorkTree, path: str) -> Iterator[str]:
    """Name the files and symbolic links of the work tree at and under a path."""
    place = checkout.root / path
    if place == checkout.root:
        raise UsageError("the whole work tree cannot be a result")
    if place.is_symlink() or place.is_file():
        yield path
        return
    for folder, folders, files in os.walk(place):
        links = (name for name in folders if Path(folder, name).is_symlink())
        for name in (*files, *links):
            yield checkout.relative(Path(folder, name))
