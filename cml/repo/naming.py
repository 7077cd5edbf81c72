"""What a revision's name means, here and on the remote: one commit, never the wrong one of two."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from cml.errors import PublishError, UsageError
from cml.repo import history, remotes, transport

if TYPE_CHECKING:
    from cml.repo.worktree import WorkTree

log = logging.getLogger(__name__)

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATION = re.compile(r"[0-9a-f]{4,63}")
_STEPS_BACK = re.compile(r"(?P<name>[^~^]+)(?P<suffix>([~^]([0-9]*|\{[a-z]*\}))+)")


def ensure(checkout: WorkTree, revision: str) -> str | None:
    """Make a revision available, from the remote where it is not here.

    Git takes a tag before a branch, and a local branch called `origin/main` before the remote's:
    whoever may push could choose with what others are compared. So `origin/NAME` is the remote's
    branch wherever there is one, and a name of two commits is refused.

    Args:
        checkout: the work tree.
        revision: a branch, a tag, `origin/branch`, a full or a short sha, each with or without
            steps back such as `~3` or `^2`; or anything else that git understands here. What is
            here goes before what is on the remote.

    Returns:
        The sha of its commit; None where neither side knows it.

    Raises:
        PublishError: it is not here, and the remote cannot be reached or refuses.
        UsageError: it is a tag and a branch, of different commits.
    """
    steps = _STEPS_BACK.fullmatch(revision)
    name, suffix = (steps["name"], steps["suffix"]) if steps else (revision, "")
    start = _ref(checkout, name)
    if start is None and not name.startswith("refs/"):
        found = checkout.resolve(revision)
        if found or not transport.has_remote(checkout):
            return found
        start = checkout.resolve(name) or _fetched(checkout, name) or _expanded(checkout, name)
    return _dig(checkout, start, f"{start}{suffix}") if start else None


def _ref(checkout: WorkTree, name: str) -> str | None:
    """Find the branch or the tag that is meant; a name without `origin/` only if it is here."""
    if name in {"HEAD", "@"} or _SHA.fullmatch(name):
        return None
    if name.startswith("refs/"):
        return checkout.named(name).get(name) or _there(checkout, name)
    if name.startswith("origin/"):
        noted, branch = f"refs/remotes/{name}", f"refs/heads/{name.removeprefix('origin/')}"
        if found := checkout.named(noted).get(noted) or _there(checkout, branch):
            return found
    return _here(checkout, name)


def _here(checkout: WorkTree, name: str) -> str | None:
    tag, branch, *noted = (
        f"refs/{place}/{name}" for place in ("tags", "heads", "remotes/origin", "remotes")
    )
    here = checkout.named(tag, branch, *noted)
    found = next((here[ref] for ref in (branch, *noted) if ref in here), None)
    if tag in here and found is None:
        try:
            found = _there(checkout, branch)
        except PublishError as error:
            log.warning("taking the tag %s; is there such a branch? %s", name, error.message)
    return _only(name, here.get(tag), found)


def _there(checkout: WorkTree, ref: str) -> str | None:
    """Fetch what has exactly this full name on the remote."""
    if not transport.has_remote(checkout):
        return None
    if ref.startswith("refs/heads/"):
        return history.fetch_branch(checkout, ref.removeprefix("refs/heads/"))
    sha = remotes.refs(checkout, ref).get(ref)
    return checkout.resolve(sha) if sha and history.fetch_commit(checkout, sha) else None


def _fetched(checkout: WorkTree, name: str) -> str | None:
    """Fetch a commit, a tag or a branch that only the remote has."""
    if _SHA.fullmatch(name):
        return name if history.fetch_commit(checkout, name) else None
    tag, branch = f"refs/tags/{name}", f"refs/heads/{name}"
    there = remotes.refs(checkout, tag, branch)
    found = {ref: _there(checkout, ref) for ref in there}
    return _only(name, found.get(tag), found.get(branch))


def _only(name: str, tag: str | None, branch: str | None) -> str | None:
    if tag and branch and tag != branch:
        raise UsageError(
            f"{name!r} is both a tag ({tag[:7]}) and a branch ({branch[:7]})",
            hint=f"Write refs/heads/{name} or refs/tags/{name}.",
        )
    return branch or tag


def _expanded(checkout: WorkTree, name: str) -> str | None:
    """Find a short sha: in the history of HEAD, then in that of all branches."""
    if not _ABBREVIATION.fullmatch(name):
        return None
    found = _dig(checkout, "HEAD", name)
    if found is None:
        remotes.fetch(checkout, "+refs/heads/*:refs/remotes/origin/*")
        found = checkout.resolve(name)
    return found


def _dig(checkout: WorkTree, start: str, wanted: str) -> str | None:
    """Deepen the history of `start` until it has the wanted revision, or ends."""
    for depth in (*history.STEPS, None):
        found = checkout.resolve(wanted)
        known = found or depth is None or not transport.has_remote(checkout)
        ends = [] if known else history.cut_off(checkout, start)
        if not ends or depth is None:
            return found
        remotes.fetch(checkout, *ends, depth=depth)
    return None
