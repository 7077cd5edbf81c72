"""Where results stand towards their branch on the remote; decides, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml.repo import commits
from cml.repo.process import decode

if TYPE_CHECKING:
    from cml.repo.commits import Commit
    from cml.repo.worktree import WorkTree

Holds = Callable[[set[str]], bool]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Results that look for a place.

    Attributes:
        results: what to save.
        own: the commit of the results on top of their source.
        touched: the paths that it changes.
        was_there: the source was on the remote's branch before: if it no longer is, somebody has
            taken it away.
        holds: tells from the paths that newcomers changed whether the results are still right.
    """

    results: Commit
    own: str
    touched: frozenset[str]
    was_there: bool
    holds: Holds


def judge(checkout: WorkTree, results: Commit, own: str, holds: Holds) -> Case:
    """Note what must be known before the remote is looked at."""
    noted = f"refs/remotes/origin/{results.branch}"
    tracked = checkout.named(noted).get(noted)
    detached = checkout.branch != results.branch
    fetched = tracked is not None and checkout.is_ancestor(results.source, tracked)
    return Case(
        results=results,
        own=own,
        touched=frozenset(checkout.changed_paths(results.source, own)),
        was_there=detached or fetched,
        holds=holds,
    )


def earlier(checkout: WorkTree, case: Case, tip: str) -> list[str]:
    """List the commits between the source and the branch's tip that hold results of the source.

    Those of another project in the repository, which change no file of ours, are left out.
    """
    source = case.results.source
    trailer = f"{commits.TRAILER}{source}"
    fields = checkout.git.names(
        *("log", "-z", "--no-show-signature", "--encoding=UTF-8", "--format=tformat:%H%n%B"),
        *("--fixed-strings", f"--grep={trailer}", f"{source}..{tip}"),
    )
    found = (field.partition("\n") for field in fields)
    return [
        sha
        for sha, _, message in found
        if message.startswith(commits.SUBJECT)
        and trailer in message.splitlines()
        and checkout.changed_paths(f"{sha}^", sha) & case.touched
    ]


def same(checkout: WorkTree, case: Case, other: str) -> bool:
    """Tell whether another commit of results, wherever it stands, says the same as ours."""
    parent = checkout.parent(other)
    touched = checkout.changed_paths(parent, other) if parent else set()
    return not checkout.changed_paths(case.own, other) & (touched | case.touched)


def twin(checkout: WorkTree, case: Case, tip: str) -> str | None:
    """Find results that stand directly on the source and are ours, whoever's run made them.

    Another run that was overtaken by the source has put them there.
    """
    own = (checkout.tree(case.own), (case.results.source,))
    shas = checkout.git.text("rev-list", "--ancestry-path", f"{case.results.source}..{tip}").split()
    found = (commit for commit in checkout.commits(*shas) if commit) if shas else ()
    return next(
        (
            commit.sha
            for commit in found
            if (commit.tree, commit.parents) == own and commit.message.startswith(commits.SUBJECT)
        ),
        None,
    )


def obstacle(checkout: WorkTree, case: Case, tip: str | None) -> str | None:
    """Say why the results cannot go on top of the branch; None where they can."""
    source, branch = case.results.source, case.results.branch
    if tip == source:
        return None
    if tip is None:
        return f"the branch {branch} was deleted" if case.was_there else None
    if checkout.is_ancestor(source, tip):
        changed = checkout.changed_paths(source, tip)
        if not changed & case.touched and case.holds(changed):
            return None
        return f"newer commits on {branch} change what these results depend on"
    if checkout.is_ancestor(tip, source) and not case.was_there:
        return None
    return f"the branch {branch} was rewritten"


def in_large_files(checkout: WorkTree, case: Case) -> bool:
    """Tell whether Git LFS holds any of the files."""
    names = "\0".join([*sorted(case.touched), ""]).encode("utf-8", "surrogateescape")
    done = checkout.git.call("check-attr", "-z", "--stdin", "filter", stdin=names)
    return "lfs" in decode(done).split("\0")[2::3]
