"""DVC's file system for SSH, which talks only to hosts that it knows."""

from __future__ import annotations

import os
from typing import Any

from dvc_ssh import SSHFileSystem


class CheckedSSH(SSHFileSystem):  # type: ignore[misc]  # dvc-ssh ships no types
    """Checks the host's key, which DVC does not, and takes our own key from the environment."""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        if key := os.environ.get("CML_SSH_PRIVATE_KEY"):
            config["keyfile"] = key
        # DVC would lend the server the keys of our agent; to store data it needs none of them.
        config.setdefault("agent_forwarding", False)
        login: dict[str, Any] = super()._prepare_credentials(**config)
        # An empty tuple is asyncssh's own default: the known_hosts files of ssh.
        login["known_hosts"] = os.environ.get("CML_SSH_KNOWN_HOSTS") or ()
        return login
