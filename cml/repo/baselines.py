"""Which commits a run is about: the baseline that it is compared with, and the head's message."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from cml.errors import PublishError, UsageError
from cml.record import Baseline
from cml.repo import history, naming, remotes, transport

if TYPE_CHECKING:
    from cml.record import Context
    from cml.repo.worktree import CommitObject, WorkTree

log = logging.getLogger(__name__)


def baseline(checkout: WorkTree, requested: str, context: Context) -> Baseline | None:
    """Find the commit to compare with, and make it available.

    Args:
        checkout: the work tree.
        requested: a revision; or `auto`: the merge-base with the pull request's target, else with
            the default branch, else (on the default branch itself) the parent commit.
        context: where we are; its `target` is the pull request's, and its `sha` the commit that
            counts where HEAD is a forge's merge of it.

    Returns:
        The baseline; None for a first commit, which has nothing to be compared with.

    Raises:
        UsageError: the revision, or the pull request's target, cannot be found.
        PublishError: more history is needed, and the remote cannot be reached or refuses.
    """
    if requested != "auto":
        return Baseline(revision=requested, sha=_requested(checkout, requested))
    head = reviewed(checkout, context)
    if context.target:
        return _target_baseline(checkout, context.target, head, context)
    name = remotes.default_branch(checkout)
    tip = _branch_tip(checkout, name, context) if name else None
    base = history.merge_base(checkout, tip, head) if tip else None
    if name and base and base != head:
        return Baseline(revision=_label(checkout, name), sha=base)
    return _parent(checkout, head)


def rules(checkout: WorkTree, context: Context) -> Baseline | None:
    """Find the commit whose rules judge, whatever the numbers are compared with.

    That is the last one of the branch that a change is meant for: of the pull request's target,
    else of the default branch; on the default branch itself the parent commit.

    Returns:
        The commit, which is here; None for a first commit.

    Raises:
        UsageError: the pull request's target cannot be found.
        PublishError: the remote cannot be reached or refuses.
    """
    head = reviewed(checkout, context)
    name = context.target or remotes.default_branch(checkout)
    tip = _branch_tip(checkout, name, context) if name else None
    if context.target and tip is None:
        raise _no_target(checkout, context.target)
    if not name or tip is None or (not context.target and checkout.is_ancestor(head, tip)):
        return _parent(checkout, head)
    return Baseline(revision=_label(checkout, name), sha=tip)


def head_message(checkout: WorkTree, context: Context) -> str:
    """Return the message of the commit that people see: not that of a forge's own merge.

    Raises:
        PublishError: the commit is not here, and the remote cannot be reached or refuses.
    """
    names = ["HEAD", context.sha] if context.sha else ["HEAD"]
    head, *shown = checkout.commits(*names)
    if head is None or not _is_merge_of(head, context):
        return checkout.message("HEAD") if head is None else head.message
    return next((commit.message for commit in shown if commit), None) or checkout.message(
        reviewed(checkout, context)
    )


def reviewed(checkout: WorkTree, context: Context) -> str:
    """Return the sha of the commit that a run is about, and make it available.

    That is HEAD; or `context.sha`, where HEAD is a merge that the forge has made of it.

    Raises:
        PublishError: the commit is not here, and the remote cannot be reached or refuses.
    """
    head = checkout.commit(checkout.head)
    if context.sha is None or not _is_merge_of(head, context):
        return head.sha
    return context.sha if history.fetch_commit(checkout, context.sha) else head.sha


def _is_merge_of(head: CommitObject, context: Context) -> bool:
    return len(head.parents) > 1 and context.sha in head.parents


def _requested(checkout: WorkTree, revision: str) -> str:
    sha = naming.ensure(checkout, revision)
    if sha is None:
        raise UsageError(
            f"the baseline {revision!r} cannot be found: {_looked_at(checkout)}",
            hint="Set `baseline` to a branch, a tag or a commit that exists, or to auto.",
        )
    return sha


def _target_baseline(checkout: WorkTree, target: str, head: str, context: Context) -> Baseline:
    tip = _branch_tip(checkout, target, context)
    if tip is None:
        raise _no_target(checkout, target)
    base = history.merge_base(checkout, tip, head)
    if base is None:
        raise UsageError(
            f"the target branch {target!r} and {head[:7]} have no common history",
            hint="Set `baseline` to the revision to compare with.",
        )
    return Baseline(revision=_label(checkout, target), sha=base)


def _no_target(checkout: WorkTree, target: str) -> UsageError:
    return UsageError(
        f"the pull request's target branch {target!r} cannot be found: {_looked_at(checkout)}",
        hint="Set `baseline` to a revision that exists if the branch is gone.",
    )


@functools.cache
def _branch_tip(checkout: WorkTree, branch: str, context: Context) -> str | None:
    """Return a branch's last commit: in CI the remote's, for an old one would be an old gate.

    One run has one, even while somebody pushes.
    """
    places = (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}")
    here = checkout.named(*places)
    noted = here.get(places[0])
    if not transport.has_remote(checkout):
        return noted or here.get(places[1])
    if noted and context.forge == "terminal":
        return noted
    try:
        return history.fetch_branch(checkout, branch)
    except PublishError as error:
        if noted is None:
            raise
        log.warning("using origin/%s as it was fetched before: %s", branch, error.message)
        return noted


def _parent(checkout: WorkTree, head: str) -> Baseline | None:
    sha = checkout.parent(head)
    if sha is None:
        return None
    if checkout.resolve(sha) is None and not _deepened(checkout, head, sha):
        raise UsageError(
            f"the parent commit {sha[:7]} of {head[:7]} cannot be found: {_looked_at(checkout)}",
            hint="Check out with more history: `fetch-depth: 0` on GitHub, GIT_DEPTH: 0 on GitLab.",
        )
    return Baseline(revision=f"{checkout.short(head)}~1", sha=sha)


def _deepened(checkout: WorkTree, head: str, parent: str) -> bool:
    known = transport.has_remote(checkout) and history.deepen(checkout, head, 1)
    return known and checkout.resolve(parent) is not None


def _label(checkout: WorkTree, branch: str) -> str:
    return f"origin/{branch}" if transport.has_remote(checkout) else branch


def _looked_at(checkout: WorkTree) -> str:
    url = transport.remote_url(checkout)
    return (
        f"neither here nor at {url}" if url else "it is not here, and there is no remote `origin`"
    )
