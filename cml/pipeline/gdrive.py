"""DVC's file system for Google Drive, which waits for no browser where nobody sits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dvc_gdrive import GDriveFileSystem

from cml.errors import UsageError


class GivenGDrive(GDriveFileSystem):  # type: ignore[misc]  # dvc-gdrive ships no types
    """Ends where a job has no credentials; DVC asks for them in a browser, for ever."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        settings = self._settings
        given = settings["client_json"] or settings["client_json_file_path"]
        if not given and not settings["use_service_account"] and not sys.stdin.isatty():
            self._require_login(settings["client_id"], settings["profile"] or "default")

    def _require_login(self, client: str, profile: str) -> None:
        """See that somebody has logged in on this machine before.

        Raises:
            UsageError: nobody has.
        """
        import appdirs

        cache = Path(appdirs.user_cache_dir("pydrive2fs", appauthor=False))
        if not (cache / client / f"{profile}.json").is_file():
            raise UsageError(
                f"the DVC remote {self.url} has no credentials, and nobody is there to log in",
                hint=f"put their JSON into the variable {self.GDRIVE_CREDENTIALS_DATA}",
            )
