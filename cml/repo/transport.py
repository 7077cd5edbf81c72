"""How git gets to `origin`: its URL, our credentials, and what a failure means to people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml import ssh
from cml.errors import PublishError
from cml.repo import credentials, over_ssh
from cml.repo.process import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.repo.process import Completed
    from cml.repo.worktree import WorkTree

_DENIED = re.compile(
    r"authentication failed|could not read (username|password)|invalid credentials|access denied"
    r"|permission( to .*)? denied|denied to|not allowed|unauthorized|forbidden|\b40[134]\b"
    r"|repository .*not found|insufficient",
    re.IGNORECASE,
)
_UNKNOWN_HOST = "Host key verification failed"
MAY_READ = (
    "Give the job a token that may read the repository: `permissions: contents: read` on GitHub; "
    "on GitLab CI_JOB_TOKEN, or a token with read_repository in the variable repo_token."
)
MAY_WRITE = (
    "Let the job push: `permissions: contents: write` on GitHub; on GitLab a project access token "
    "with write_repository in the variable repo_token. Where a rule protects the branch, let that "
    "token's user past it."
)


_NO_PROMPT = {"GIT_ASKPASS": ""}


class UnreachableError(PublishError):
    """The remote could not be talked to; what was asked of it may have happened or not."""


def has_remote(checkout: WorkTree) -> bool:
    """Tell whether there is a remote called `origin`."""
    return _configured_url(checkout) is not None


def remote_url(checkout: WorkTree) -> str | None:
    """Return the URL of `origin` to show to people: without credentials. None without a remote."""
    url = _configured_url(checkout)
    return None if url is None else credentials.without_credentials(url)


def authenticate(checkout: WorkTree, token: str, username: str = "x-access-token") -> None:
    """Use a token for the remote, where it is an HTTP one, instead of what git has configured."""
    checkout.git.credentials = credentials.Credentials(username=username, token=token.strip())


def probe(checkout: WorkTree) -> None:
    """Look whether the remote answers.

    Raises:
        PublishError: the remote cannot be reached, or refuses.
    """
    read(checkout, "ls-remote", "--symref", refs=["HEAD"])


def run(
    checkout: WorkTree, *command: str, refs: Sequence[str] = (), push: bool = False
) -> Completed:
    """Run a git command that talks to the remote, with the credentials if there are any.

    Args:
        checkout: the work tree.
        command: the command and its options; the remote and `refs` follow.
        refs: refspecs, or patterns of refs.
        push: go to the address for pushes, where that is another one.
    """
    url = _configured_url(checkout, push=push) or "origin"
    known = checkout.git.credentials
    if known is None or not credentials.is_http(url):
        return checkout.git.attempt(
            *command, "origin", *refs, config=over_ssh.config(checkout, url)
        )
    clean = credentials.without_credentials(url)
    return checkout.git.attempt(
        *command, clean, *refs, env=_NO_PROMPT, config=credentials.config(clean, known)
    )


def read(checkout: WorkTree, *command: str, refs: Sequence[str] = ()) -> Completed:
    """Run a git command that reads from the remote.

    Raises:
        PublishError: it failed.
    """
    done = run(checkout, *command, refs=refs)
    check(checkout, done, "read from")
    return done


def check(checkout: WorkTree, done: Completed, doing: str) -> None:
    """Put the failure of a git command that talked to the remote into words.

    Raises:
        PublishError: the remote refused; what to grant is in the hint.
        UnreachableError: the remote could not be talked to.
    """
    if done.status == 0:
        return
    url = remote_url(checkout) or "origin"
    message = f"git could not {doing} {url}:\n{done.complaint}"
    if _UNKNOWN_HOST in done.complaint:
        raise PublishError(message, hint=ssh.UNKNOWN_HOST)
    if _DENIED.search(done.complaint):
        raise PublishError(message, hint=MAY_WRITE if doing == "push to" else MAY_READ)
    raise UnreachableError(message, hint=f"Look whether `git ls-remote {url}` works from here.")


def _configured_url(checkout: WorkTree, *, push: bool = False) -> str | None:
    options = ["--push"] if push else []
    done = checkout.git.attempt("remote", "get-url", *options, "origin")
    return decode(done.output).strip() or None if done.status == 0 else None
