"""The remote called `origin`: what it has, fetching and pushing; never forces, never prunes."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Literal

from cml.errors import PublishError, UsageError
from cml.repo import transport
from cml.repo.process import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cml.repo.worktree import WorkTree

Outcome = Literal["pushed", "rejected", "tag exists", "too shallow"]

_FETCH = (
    *("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--no-prune"),
    # Configured refspecs may map onto the user's own branches.
    *("--no-recurse-submodules", "--refmap="),
)
_PUSH = (
    *("--atomic", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed"),
    "--recurse-submodules=no",
)
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|(cannot|failed to) lock|failed to update ref"
    r"|incorrect old value|reference already exists|atomic transaction failed"
)
_EXISTS = re.compile(r"already exists|needs force|would clobber")
_ABSENT = re.compile(r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref")


def refs(checkout: WorkTree, *names: str) -> dict[str, str]:
    """Ask the remote what refs name.

    Args:
        checkout: the work tree.
        names: full names, such as `refs/heads/main`; no patterns.

    Returns:
        The sha for each name that the remote has; that of the tag itself where it is annotated.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    listed = dict(_listed(transport.read(checkout, "ls-remote", refs=names).output))
    return {name: listed[name] for name in names if name in listed}


def tags(checkout: WorkTree) -> dict[str, str]:
    """Return all tags of the remote with the commits that they name.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    return peeled(transport.read(checkout, "ls-remote", "--tags").output)


def peeled(output: bytes) -> dict[str, str]:
    """Read a list of tags from git, in which `<tag>^{}` names the commit of an annotated tag."""
    # What stands behind a tag comes after it.
    return {
        name.removeprefix("refs/tags/").removesuffix("^{}"): sha for name, sha in _listed(output)
    }


@functools.cache
def default_branch(checkout: WorkTree) -> str | None:
    """Return the name of the repository's main branch; None where nothing tells.

    Git's own note of it comes first, then the remote's answer, then `main` or `master` where there
    is one.

    Raises:
        PublishError: the remote cannot be reached, and nothing here tells either.
    """
    noted = checkout.git.attempt("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
    if noted.status == 0:
        return decode(noted.output).strip().removeprefix("refs/remotes/origin/")
    usual = (name for name in ("main", "master") if _exists(checkout, name))
    if not transport.has_remote(checkout):
        return next(usual, None)
    try:
        answer = decode(transport.read(checkout, "ls-remote", "--symref", refs=["HEAD"]).output)
    except PublishError:
        known = next(usual, None)
        if known is None:
            raise
        return known
    found = re.search(r"^ref: refs/heads/(.+)\tHEAD$", answer, re.MULTILINE)
    return found[1] if found else next(usual, None)


def fetch(checkout: WorkTree, *refspecs: str, depth: str | None = None) -> bool:
    """Fetch; say whether the remote has what was asked for.

    Args:
        checkout: the work tree.
        refspecs: shas or full names, with the full name of where to note it.
        depth: `--depth=N`, `--deepen=N` or `--unshallow`, for shallow clones alone.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    options = (*_FETCH, depth) if depth else _FETCH
    done = transport.run(checkout, "fetch", *options, refs=refspecs)
    if done.status and _ABSENT.search(done.complaint):
        return False
    transport.check(checkout, done, "fetch from")
    return True


def push(checkout: WorkTree, commit: str, targets: Sequence[str]) -> Outcome:
    """Push one commit to all of some refs or to none; git's own hooks here do not run.

    Args:
        checkout: the work tree.
        commit: a full sha.
        targets: full names, see `branch_ref` and `tag_ref`.

    Returns:
        "rejected" where a branch has moved or two pushes collided: look again, then try again.
        "tag exists" where a tag names another commit. "too shallow" where the remote cannot tell
        how the commit hangs together with what it has.

    Raises:
        PublishError: the remote cannot be reached, or refuses for another reason.
    """
    done = transport.run(
        checkout, "push", *_PUSH, refs=[f"{commit}:{target}" for target in targets], push=True
    )
    refusals = dict(_refusals(decode(done.output)))
    reasons = [reason for reason in refusals.values() if "atomic push fail" not in reason]
    if not refusals:
        transport.check(checkout, done, "push to")
        return "pushed"
    if any("shallow update not allowed" in reason for reason in reasons):
        return "too shallow"
    if not all(_MOVED.search(reason) or _EXISTS.search(reason) for reason in reasons):
        told = "; ".join(f"{ref}: {reason}" for ref, reason in refusals.items())
        where = transport.remote_url(checkout)
        raise PublishError(
            f"{where} refused the push: {told}\n{done.complaint}", hint=transport.MAY_WRITE
        )
    return "tag exists" if any(map(_EXISTS.search, reasons)) else "rejected"


def branch_ref(checkout: WorkTree, branch: str) -> str:
    """Return a branch's full name.

    Raises:
        UsageError: no branch can be called that.
    """
    return _ref(checkout, f"refs/heads/{branch}")


def tag_ref(checkout: WorkTree, tag: str) -> str:
    """Return a tag's full name.

    Raises:
        UsageError: no tag can be called that.
    """
    return _ref(checkout, f"refs/tags/{tag}")


def _ref(checkout: WorkTree, name: str) -> str:
    if checkout.git.attempt("check-ref-format", name).status:
        raise UsageError(f"git allows no ref to be called {name!r}")
    return name


def _exists(checkout: WorkTree, branch: str) -> bool:
    names = (f"refs/remotes/origin/{branch}", f"refs/heads/{branch}")
    return bool(checkout.named(*names))


def _listed(output: bytes) -> Iterator[tuple[str, str]]:
    for line in decode(output).splitlines():
        sha, name = line.split(maxsplit=1)
        yield name, sha


def _refusals(output: str) -> Iterator[tuple[str, str]]:
    """Read `git push --porcelain`: the refs that were refused, and why."""
    for line in output.splitlines():
        if line.startswith("!\t"):
            _, refspec, summary = line.split("\t", 2)
            yield refspec.partition(":")[2], summary
