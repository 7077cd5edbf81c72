"""Keeps pictures on the remote beside all branches: one ref a run, the old ones removed."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.repo import remotes, transport
from cml.repo.process import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.repo.commits import Identity
    from cml.repo.worktree import WorkTree

log = logging.getLogger(__name__)

PREFIX = "refs/cml/plots"
KEPT = 20
"""How many runs of one group keep their pictures."""


def push_pictures(
    checkout: WorkTree,
    pictures: Mapping[str, bytes],
    *,
    group: str,
    author: Identity,
    committer: Identity,
) -> str:
    """Commit pictures without any history, push them under a ref of their own, return the sha.

    Args:
        checkout: the work tree.
        pictures: paths in the commit, with their bytes.
        group: what they are pruned with: letters, digits, `-` and `_`.
        author: who made the commit.
        committer: who committed it.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    commit = _commit(checkout, pictures, author, committer)
    ref = f"{PREFIX}/{group}/{time.time_ns()}-{commit[:12]}"
    if remotes.push(checkout, commit, [ref]) != "pushed":
        raise PublishError(f"the pictures could not be pushed as {ref}")
    prune_pictures(checkout, group, kept=KEPT, new=ref)
    return commit


def prune_pictures(checkout: WorkTree, group: str, *, kept: int = 0, new: str = "") -> None:
    """Remove the pictures of all but the latest runs of a group; what fails is tried next time.

    The `new` ref stays: the clocks of other machines may be ahead.
    """
    try:
        listed = transport.read(checkout, "ls-remote", refs=[f"{PREFIX}/{group}/*"]).output
    except PublishError as error:
        log.warning("old pictures are still there: %s", error.message)
        return
    found = sorted(line.split()[1] for line in decode(listed).splitlines())
    old = [ref for ref in found[: max(0, len(found) - kept)] if ref != new]
    if old:
        refs = [f":{ref}" for ref in old]
        done = transport.run(checkout, "push", "--quiet", "--no-verify", refs=refs, push=True)
        if done.status:
            log.info("some old pictures are still there: %s", done.complaint)


def _commit(
    checkout: WorkTree, pictures: Mapping[str, bytes], author: Identity, committer: Identity
) -> str:
    env = {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
    tree = _tree(checkout, pictures)
    return checkout.git.text("commit-tree", tree, stdin=b"cml-run: pictures [ci skip]\n", env=env)


def _tree(checkout: WorkTree, pictures: Mapping[str, bytes]) -> str:
    """Write a tree; `mktree` makes one level, so a folder becomes a tree within it."""
    entries, folders = [], dict[str, dict[str, bytes]]()
    for path, content in pictures.items():
        folder, _, rest = path.partition("/")
        if rest:
            folders.setdefault(folder, {})[rest] = content
            continue
        blob = checkout.git.text("hash-object", "-w", "--stdin", stdin=content)
        entries.append(f"100644 blob {blob}\t{_safe(path)}")
    for folder, inside in folders.items():
        entries.append(f"040000 tree {_tree(checkout, inside)}\t{_safe(folder)}")
    return checkout.git.text("mktree", "-z", stdin=("\0".join(entries) + "\0").encode())


def _safe(name: str) -> str:
    if not re.fullmatch(r"[\w.+ -]+", name) or name in {".", "..", ".git"}:
        raise ValueError(f"not a picture's name: {name!r}")
    return name
