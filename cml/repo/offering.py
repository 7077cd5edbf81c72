"""Brings results to a branch of their own, for a pull request; never to the branch they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.repo import commits, history, remotes
from cml.repo.saving import Saved

if TYPE_CHECKING:
    from cml.repo.commits import Commit
    from cml.repo.worktree import WorkTree

PREFIX = "cml-run/"
_ATTEMPTS = 5


def offer(checkout: WorkTree, results: Commit) -> Saved:
    """Commit results and push them, with their tag, to `cml-run/<branch>`.

    What stands there already becomes the commit's second parent, so that nothing is forced: the
    branch goes on, and what it differs in from `<branch>` are these results alone. Nothing local
    moves.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
        UsageError: git refuses a file or a name.
    """
    own = commits.build_commit(checkout, results, parent=results.source)
    if own is None:
        return Saved()
    name = f"{PREFIX}{results.branch}"
    ref = remotes.branch_ref(checkout, name)
    tag = [remotes.tag_ref(checkout, results.tag)] if results.tag else []
    for _ in range(_ATTEMPTS):
        there = remotes.refs(checkout, ref, *tag)
        tip = there.get(ref)
        commit = _on_top(checkout, results, own, name, tip) if tip else own
        free = [one for one in tag if one not in there]
        targets = free if commit == tip else [ref, *free]
        if not targets or remotes.push(checkout, commit, targets) == "pushed":
            note = f"the results wait on the branch {name}"
            return Saved(
                commit=commit,
                parent=results.source,
                ref=ref,
                branch=name,
                tag=results.tag if free or there.get(tag[0] if tag else "") == commit else None,
                adopted=commit == tip,
                note=note,
            )
    raise PublishError(
        f"others kept pushing to {name}", hint="Run the job again: finished stages are kept."
    )


def _on_top(checkout: WorkTree, results: Commit, own: str, branch: str, tip: str) -> str:
    """Return a commit of the results that the branch can move on to: its tip, where that is one."""
    history.fetch_branch(checkout, branch, alone=False)
    held = checkout.commit(tip)
    tree = checkout.tree(own)
    if held.tree == tree and results.source in held.parents:
        return tip
    return commits.record(checkout, results, tree, parent=results.source, merged=tip)
