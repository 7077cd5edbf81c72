"""How git talks to a remote over SSH: with the job's key, and only to hosts that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml import ssh

if TYPE_CHECKING:
    from cml.repo.process import Config
    from cml.repo.worktree import WorkTree


def is_ssh(url: str) -> bool:
    """Tell whether git uses ssh for a URL: `ssh://host/path`, or `host:path`."""
    scheme, mark, _ = url.partition("://")
    return scheme.endswith("ssh") if mark else ":" in url.partition("/")[0]


def config(checkout: WorkTree, url: str) -> Config:
    """Return the git configuration for the key and the known hosts that the environment names.

    Both are paths by now. Another ssh command that somebody has chosen is left alone, as
    actions/checkout does.
    """
    environ = checkout.git.environ
    if not ssh.chosen(environ) or not is_ssh(url) or _chosen(checkout):
        return ()
    return (("core.sshCommand", ssh.command(environ)),)


def _chosen(checkout: WorkTree) -> bool:
    environ = checkout.git.environ
    if environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH"):
        return True
    return checkout.git.attempt("config", "core.sshCommand").status == 0
