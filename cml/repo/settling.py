"""After a push: lets the local repository know of it, where that moves nothing of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.repo.process import nul_separated

if TYPE_CHECKING:
    from cml.repo.commits import Commit
    from cml.repo.saving import Saved
    from cml.repo.worktree import WorkTree


def settle(checkout: WorkTree, results: Commit, saved: Saved) -> str | None:
    """Bring the local tag, `origin/<branch>`, the branch and the index up to what was pushed.

    The branch moves only if it is checked out, is still at the source, and the commit stands
    directly on that. Of the index only the entries of the results change. Being stopped half-way
    does no harm: the branch is last, and the next run adopts the pushed commit.

    Returns:
        A sentence for people, where the local branch was left behind.
    """
    if saved.commit is None:
        return None
    if saved.tag:
        _create(checkout, f"refs/tags/{saved.tag}", saved.commit)
    if saved.branch is None:
        return None
    _advance(checkout, f"refs/remotes/origin/{saved.branch}", saved.commit)
    if checkout.branch != saved.branch:
        return None
    behind = f"the local branch {saved.branch} was left as it is: `git pull` brings the results"
    if checkout.head != results.source or checkout.parent(saved.commit) != results.source:
        return None if checkout.is_ancestor(saved.commit, "HEAD") else behind
    try:
        _take_up(checkout, results.source, saved.commit)
    except UsageError as error:
        return f"{behind} ({error.message})"
    return None


def _take_up(checkout: WorkTree, source: str, commit: str) -> None:
    options = ("--quiet", "--pathspec-from-file=-", "--pathspec-file-nul")
    paths = nul_separated(checkout.changed_paths(source, commit))
    checkout.git.call("reset", *options, commit, stdin=paths)
    checkout.git.call("update-ref", "-m", "cml-run: results", "HEAD", commit, source)


def _create(checkout: WorkTree, ref: str, commit: str) -> None:
    """Create a ref; one that is there stays."""
    checkout.git.attempt("update-ref", ref, commit, "0" * len(commit))


def _advance(checkout: WorkTree, ref: str, commit: str) -> None:
    """Move a ref forward, never back."""
    old = checkout.named(ref).get(ref)
    if old is None or checkout.is_ancestor(old, commit):
        checkout.git.attempt("update-ref", ref, commit)
