"""Brings results to the remote without losing them, and without overwriting anything there."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.repo import commits, history, remotes, settling, standing, transport

if TYPE_CHECKING:
    from cml.repo.commits import Commit
    from cml.repo.standing import Case, Holds
    from cml.repo.worktree import WorkTree

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What became of results.

    Attributes:
        commit: the commit that holds them; None where nothing differed from the source.
        parent: the commit that it stands on: the source, or a newer one of the branch.
        ref: the full name by which the remote has it.
        branch: the branch that contains it; None where it is kept beside the branch.
        tag: the tag that names it.
        adopted: an earlier run had saved the same results.
        note: a sentence for people, where it did not go the plain way.
    """

    commit: str | None = None
    parent: str | None = None
    ref: str | None = None
    branch: str | None = None
    tag: str | None = None
    adopted: bool = False
    note: str | None = None

    @property
    def pushed(self) -> bool:
        """Whether the branch has the results."""
        return self.branch is not None


def save(checkout: WorkTree, results: Commit, holds: Holds, *, attempts: int = 5) -> Saved:
    """Commit results and push them, with their tag, on top of their branch.

    Where the branch has moved, they go on top of the newcomers if they still hold there. Else they
    are kept on top of the source alone, under the tag or as `refs/cml/<short sha>`. The same
    results of an earlier run are taken for ours. Nothing local moves before the push; what moves
    afterwards, `settle` tells.

    Args:
        checkout: the work tree, with the results in it.
        results: what to save.
        holds: tells from the paths that newcomers changed whether the results are still right.
        attempts: how often to try while others push to the branch, or the network fails.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
        UsageError: git refuses a file or a name.
    """
    own = commits.build_commit(checkout, results, parent=results.source)
    if own is None:
        return Saved()
    saved = _find_place(checkout, standing.judge(checkout, results, own, holds), attempts)
    notes = [saved.note, settling.settle(checkout, results, saved)]
    return replace(saved, note="; ".join(note for note in notes if note) or None)


def _find_place(checkout: WorkTree, case: Case, attempts: int) -> Saved:
    import secrets

    for attempt in range(attempts):
        time.sleep(secrets.randbelow(200) / 1000 * attempt**2)
        try:
            saved = _try(checkout, case)
        except transport.UnreachableError as error:
            if attempt == attempts - 1:
                raise
            log.warning("trying again: %s", error.message)
            continue
        if saved:
            return saved
    return _keep(checkout, case, f"others kept pushing to {case.results.branch}")


def _try(checkout: WorkTree, case: Case) -> Saved | None:
    """Look at the remote and act on what is there; None where it has changed meanwhile."""
    results = case.results
    branch = remotes.branch_ref(checkout, results.branch)
    tag = [remotes.tag_ref(checkout, results.tag)] if results.tag else []
    there = remotes.refs(checkout, branch, *tag)
    tip = there.get(branch)
    if tip and tip != results.source:
        if history.fetch_branch(checkout, results.branch, alone=False) != tip:
            return None
        others = standing.earlier(checkout, case, tip)
        same = next((other for other in others if standing.same(checkout, case, other)), None)
        same = same or standing.twin(checkout, case, tip)
        if same:
            return _adopt(checkout, results, same)
        if others:
            return _keep(
                checkout, case, f"another run of {results.source[:7]} came first", apart=True
            )
    reason = standing.obstacle(checkout, case, tip)
    if reason:
        return _keep(checkout, case, reason)
    return _push(checkout, case, tip, [name for name in tag if name not in there])


def _push(checkout: WorkTree, case: Case, tip: str | None, free_tag: list[str]) -> Saved | None:
    """Push the results on top of the branch, and the tag if no other commit has it."""
    results = case.results
    commit, parent, notes = case.own, results.source, list[str]()
    if tip and not checkout.is_ancestor(tip, results.source):
        tree = commits.stage(checkout, results, parent=tip)
        commit, parent = commits.record(checkout, results, tree, parent=tip), tip
        notes.append(_overtaken(results))
    _upload_large_files(checkout, case, commit)
    branch = remotes.branch_ref(checkout, results.branch)
    if _deliver(checkout, commit, [branch, *free_tag]) != "pushed":
        return None
    if results.tag and not free_tag:
        notes.append(_taken(results.tag))
    return Saved(
        commit=commit,
        parent=parent,
        ref=branch,
        branch=results.branch,
        tag=results.tag if free_tag else None,
        note="; ".join(notes) or None,
    )


def _adopt(checkout: WorkTree, results: Commit, commit: str) -> Saved:
    """Take a commit of the branch for ours, and give it the tag that it may lack."""
    tag = results.tag
    if tag and _deliver(checkout, commit, [remotes.tag_ref(checkout, tag)]) != "pushed":
        tag = None
    parent = checkout.parent(commit)
    notes = [_overtaken(results)] if parent != results.source else []
    notes += [_taken(results.tag)] if results.tag and not tag else []
    return Saved(
        commit=commit,
        parent=parent,
        ref=remotes.branch_ref(checkout, results.branch),
        branch=results.branch,
        tag=tag,
        adopted=True,
        note="; ".join(notes) or None,
    )


def _keep(checkout: WorkTree, case: Case, reason: str, *, apart: bool = False) -> Saved:
    """Make the results reachable without the branch; with `apart`, without the tag as well."""
    results = case.results
    short = checkout.short(results.source)
    # By content, so that the same run again finds its own.
    unique = f"refs/cml/{short}-{checkout.tree(case.own)[:7]}"
    tag = remotes.tag_ref(checkout, results.tag) if results.tag else None
    _upload_large_files(checkout, case, case.own)
    for ref in [unique] if apart else [tag or f"refs/cml/{short}", unique]:
        held = remotes.refs(checkout, ref).get(ref)
        ours = held is not None and _is_ours(checkout, case, held)
        if ours or (held is None and _deliver(checkout, case.own, [ref]) == "pushed"):
            return Saved(
                commit=held or case.own,
                parent=results.source,
                ref=ref,
                tag=results.tag if ref == tag else None,
                adopted=ours,
                note=f"{reason}: the results are kept as {ref}",
            )
    raise PublishError(
        f"{reason}, and the results could not be kept as {unique}",
        hint="Run the job again: the results of finished stages are in the DVC remote.",
    )


def _deliver(checkout: WorkTree, commit: str, targets: list[str]) -> remotes.Outcome:
    """Push; from a shallow clone, with as much history as the remote needs.

    It needs more where its branches no longer have the commit that a clone was cut off at.
    """
    outcome = remotes.push(checkout, commit, targets)
    for depth in history.STEPS:
        ends = history.cut_off(checkout, commit) if outcome == "too shallow" else []
        if not ends or not remotes.fetch(checkout, *ends, depth=depth):
            break
        outcome = remotes.push(checkout, commit, targets)
    if outcome == "too shallow":
        raise PublishError(
            f"{transport.remote_url(checkout)} takes no commit from so shallow a clone",
            hint="Check out with more history: `fetch-depth: 0` on GitHub, GIT_DEPTH: 0 on GitLab.",
        )
    return outcome


def _is_ours(checkout: WorkTree, case: Case, held: str) -> bool:
    if not history.fetch_commit(checkout, held):
        return False
    other, own = checkout.commit(held), checkout.commit(case.own)
    return (other.tree, other.parents) == (own.tree, own.parents)


def _upload_large_files(checkout: WorkTree, case: Case, commit: str) -> None:
    """Do what the hook of Git LFS would: a server refuses pointers to files that it lacks."""
    if standing.in_large_files(checkout, case):
        done = transport.run(checkout, "lfs", "push", refs=[commit], push=True)
        transport.check(checkout, done, "push to")


def _overtaken(results: Commit) -> str:
    newer = f"newer commits of {results.branch}"
    return f"the results stand on top of {newer}: a run of the newest one judges them there"


def _taken(tag: str) -> str:
    return f"the tag {tag} names another commit and stays there"
