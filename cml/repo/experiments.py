"""Finds the latest experiments of a branch by their tags; reads no commit to do so."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.repo import history, remotes, transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.repo.worktree import WorkTree

_HEX = re.compile(r"[0-9a-f]{4,64}")
# How far to look, and how far to deepen a shallow clone for it.
_WALKED = (1_000, 100_000)
_DEEPENED = (50, 450)

log = logging.getLogger(__name__)


def latest_tags(
    checkout: WorkTree, prefix: str, *, count: int = 5, revision: str = "HEAD"
) -> list[tuple[str, str]]:
    """Find the tags `<prefix><hex digits>` that are nearest to a revision in its history.

    A shallow clone asks the remote for its tags and deepens by up to 500 commits; where the remote
    cannot be reached, what is here must do.

    Args:
        checkout: the work tree.
        prefix: how the tags begin, literally.
        count: how many to find.
        revision: where to begin.

    Returns:
        Pairs of tag and sha, newest commit first.
    """
    here = _local_tags(checkout)
    if not checkout.is_shallow or not transport.has_remote(checkout):
        return _nearest(checkout, _by_commit(here, prefix), count, revision)
    try:
        tags = _by_commit({**here, **remotes.tags(checkout)}, prefix)
        for commits in _DEEPENED:
            found = _nearest(checkout, tags, count, revision)
            if len(found) >= min(count, sum(map(len, tags.values()))):
                return found
            if not history.deepen(checkout, checkout.commit(revision).sha, commits):
                return found
    except PublishError as error:
        log.warning("showing only the experiments that are here: %s", error.message)
        tags = _by_commit(here, prefix)
    return _nearest(checkout, tags, count, revision)


def _local_tags(checkout: WorkTree) -> dict[str, str]:
    """Return all tags with the commits that they name; packed tags are not opened for it."""
    done = checkout.git.attempt("show-ref", "--tags", "--dereference")
    return remotes.peeled(done.output)


def _by_commit(tags: Mapping[str, str], prefix: str) -> dict[str, list[str]]:
    found = defaultdict(list)
    for tag, sha in sorted(tags.items()):
        if tag.startswith(prefix) and _HEX.fullmatch(tag, len(prefix)):
            found[sha].append(tag)
    return found


def _nearest(
    checkout: WorkTree, tags: Mapping[str, list[str]], count: int, revision: str
) -> list[tuple[str, str]]:
    start = checkout.commit(revision).sha
    found: list[tuple[str, str]] = []
    for limit in _WALKED if tags else ():
        shas = checkout.git.text("rev-list", f"--max-count={limit}", start).split()
        found = [(tag, sha) for sha in shas for tag in tags.get(sha, ())][:count]
        if len(found) == count or len(shas) < limit:
            break
    return found
