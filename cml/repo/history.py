"""Makes history available: fetches no more history than is asked for; moves no branch."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.repo import remotes, transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.repo.worktree import WorkTree

log = logging.getLogger(__name__)

# How many commits to deepen a shallow clone by, one after the other, before it becomes a full one.
STEPS = ("--deepen=50", "--deepen=200", "--deepen=1000", "--unshallow")


def fetch_commit(checkout: WorkTree, sha: str) -> bool:
    """Make one commit available, without its history where the clone is shallow.

    Returns:
        Whether it is here now.

    Raises:
        PublishError: it is not here, and the remote cannot be reached or refuses.
    """
    if checkout.resolve(sha):
        return True
    depth = "--depth=1" if checkout.is_shallow else None
    return remotes.fetch(checkout, sha, depth=depth) and checkout.resolve(sha) is not None


def fetch_branch(checkout: WorkTree, branch: str, *, alone: bool = True) -> str | None:
    """Bring `refs/remotes/origin/<branch>` up to date.

    Args:
        checkout: the work tree.
        branch: the name on the remote.
        alone: in a shallow clone, fetch the last commit alone; else all that is not here, which
            is little where the branch has grown out of a commit that is here.

    Returns:
        The sha of its last commit; None where the remote has no such branch.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    source, target = (f"{place}/{branch}" for place in ("refs/heads", "refs/remotes/origin"))
    sha = remotes.refs(checkout, source).get(source)
    if sha is None:
        return None
    if checkout.resolve(sha) is None:
        depth = "--depth=1" if alone and checkout.is_shallow else None
        remotes.fetch(checkout, sha, depth=depth)
    # Only a note: a stale `origin/a` must not hinder the work with a new `origin/a/b`.
    checkout.git.attempt("update-ref", target, sha)
    return checkout.resolve(sha)


def merge_base(checkout: WorkTree, first: str, second: str) -> str | None:
    """Find the best common ancestor of two commits; deepens a shallow clone as far as needed.

    Args:
        checkout: the work tree.
        first: a revision that is here, of history that is trusted.
        second: another, whose commits may claim any date.

    Returns:
        Its sha; None where the two have no common history.

    Raises:
        PublishError: more history is needed, and the remote cannot be reached or refuses.
        UsageError: a revision is not here.
    """
    tips = checkout.commit(first).sha, checkout.commit(second).sha
    for depth in (*STEPS, None):
        found = checkout.git.attempt("merge-base", *tips).output.decode().strip() or None
        hidden = _hiding(checkout, *tips, found)
        if not hidden or depth is None or not transport.has_remote(checkout):
            return found
        remotes.fetch(checkout, *hidden, depth=depth)
    return None


def cut_off(checkout: WorkTree, *tips: str, since: int = 0) -> list[str]:
    """List the commits in the history of `tips` whose parents a shallow clone lacks.

    A tip `^REVISION` takes the history of that away. Only commits made `since`, in seconds since
    1970, are listed.
    """
    shallow = checkout.shallow_commits()
    roots = _dated(checkout, "--max-parents=0", *tips) if shallow else []
    return [sha for time, sha in roots if sha in shallow and time >= since]


def _hiding(checkout: WorkTree, first: str, second: str, found: str | None) -> list[str]:
    """List the commits behind which a better common ancestor than `found` may be cut off.

    In the first one's history commits are taken to be no older than their parents, so that an old
    branch that was merged costs nothing. Who makes the second can date it as they like.
    """
    if found is None or not checkout.is_shallow:
        return cut_off(checkout, first, second)
    ((since, _),) = _dated(checkout, "--max-count=1", found)
    ours = cut_off(checkout, first, f"^{found}", since=since)
    return sorted({*ours, *cut_off(checkout, second, f"^{found}")})


def deepen(checkout: WorkTree, tip: str, commits: int) -> bool:
    """Add so many commits to the known history of `tip`; say whether there was anything to add."""
    ends = cut_off(checkout, tip)
    return bool(ends) and remotes.fetch(checkout, *ends, depth=f"--deepen={commits}")


def results_before(checkout: WorkTree, sha: str, paths: Sequence[str], count: int) -> list[str]:
    """List the commits of a branch's own line that changed files; deepens a shallow clone.

    Args:
        checkout: the work tree.
        sha: where to begin: the commit itself counts.
        paths: what git calls pathspecs; `:(top,literal)PATH` is one file.
        count: how many commits are enough.

    Returns:
        The shas, newest first; fewer where the remote does not answer. The oldest commit that is
        known counts as one that changed all.
    """
    command = ("rev-list", "--first-parent", f"--max-count={count}", sha, "--", *paths)
    for depth in (*STEPS, None):
        found = checkout.git.text(*command, env={"GIT_LITERAL_PATHSPECS": "0"}).split()
        ends = cut_off(checkout, sha) if len(found) < count else []
        if not ends or depth is None or not transport.has_remote(checkout):
            break
        try:
            remotes.fetch(checkout, *ends, depth=depth)
        except PublishError as error:
            log.warning("looking for past results in a part of the history: %s", error.message)
            break
    return found


def _dated(checkout: WorkTree, *args: str) -> list[tuple[int, str]]:
    """List commits with the seconds since 1970 of their making."""
    lines = checkout.git.text("rev-list", "--timestamp", *args).splitlines()
    return [(int(time), sha) for time, sha in map(str.split, lines)]
