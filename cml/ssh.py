"""How `ssh` is called for git: with the job's key, only for known hosts; calls nothing itself."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN_HOST = (
    "compare what `ssh-keyscan HOST` prints (with `-p PORT` where it is not 22) with the server's "
    "own key, and put it into CML_SSH_KNOWN_HOSTS, or into ~/.ssh/known_hosts here"
)


def chosen(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment names a key or known hosts."""
    return bool(environ.get("CML_SSH_PRIVATE_KEY") or environ.get("CML_SSH_KNOWN_HOSTS"))


def command(environ: Mapping[str, str]) -> str:
    """Return the command, for a shell, with the key and the known hosts of the environment.

    Args:
        environ: the environment, in which both are paths by now.
    """
    key, hosts = environ.get("CML_SSH_PRIVATE_KEY"), environ.get("CML_SSH_KNOWN_HOSTS")
    words = ["ssh", "-o", "StrictHostKeyChecking=yes"]
    words += ["-o", "BatchMode=yes"] if chosen(environ) else []
    words += ["-i", key, "-o", "IdentitiesOnly=yes"] if key else []
    if hosts:
        words += ["-o", f'UserKnownHostsFile="{hosts}"', "-o", "GlobalKnownHostsFile=/dev/null"]
    return shlex.join(words)
