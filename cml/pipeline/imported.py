"""How DVC clones the git repositories that data is imported from: only from hosts it knows."""

from __future__ import annotations

import functools
import logging
import os
from typing import Any

from cml import ssh
from cml.pipeline import backends

log = logging.getLogger(__name__)


def check_hosts() -> None:
    """Have DVC's own git check the keys of hosts over SSH, which it does not."""
    from dvc import scm

    if not isinstance(scm.clone, functools.partial):
        scm.clone = functools.partial(_clone, scm.clone)


def _clone(clone: Any, *args: Any, **options: Any) -> Any:
    """Clone as DVC does; what that takes is loaded only now."""
    from dulwich import client
    from scmrepo.git.backend import dulwich as backend

    class Checked(client.SubprocessSSHVendor):
        """Runs `ssh`, as somebody has chosen it or else as we do."""

        def run_command(self, *args: Any, **more: Any) -> Any:
            if more.get("ssh_command") in {None, "ssh"}:
                more["ssh_command"] = ssh.command(os.environ)
            return super().run_command(*args, **more)

    client.get_ssh_vendor = Checked
    backend._get_ssh_vendor = Checked  # noqa: SLF001 (Git LFS takes it from here)
    try:
        return clone(*args, **options)
    except Exception as error:
        # DVC may keep this to itself, and say only that the data is missing.
        if "Host key verification failed" in backends.describe(error):
            log.warning("the host that data is imported from is not known: %s", ssh.UNKNOWN_HOST)
        raise
