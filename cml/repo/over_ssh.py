"""How git talks to a remote over SSH: with the job's key, and only to hosts that are known."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cml.repo.process import Config
    from cml.repo.worktree import WorkTree

UNKNOWN_HOST = (
    "Compare what `ssh-keyscan HOST` prints (with `-p PORT` where it is not 22) with the server's "
    "own key, and put it into CML_SSH_KNOWN_HOSTS, or into ~/.ssh/known_hosts here."
)


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
    key, hosts = environ.get("CML_SSH_PRIVATE_KEY"), environ.get("CML_SSH_KNOWN_HOSTS")
    if not (key or hosts) or not is_ssh(url) or _chosen(checkout):
        return ()
    command = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    command += ["-i", key, "-o", "IdentitiesOnly=yes"] if key else []
    if hosts:
        command += ["-o", f'UserKnownHostsFile="{hosts}"', "-o", "GlobalKnownHostsFile=/dev/null"]
    return (("core.sshCommand", shlex.join(command)),)


def _chosen(checkout: WorkTree) -> bool:
    environ = checkout.git.environ
    if environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH"):
        return True
    return checkout.git.attempt("config", "core.sshCommand").status == 0
