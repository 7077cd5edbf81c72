"""What stands between DVC and its remotes: our file systems in its table, and their failures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml import ssh
from cml.errors import CmlError, PipelineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = {
    "gdrive": "cml.pipeline.gdrive.GivenGDrive",
    "oss": "cml.pipeline.oss.BucketOSS",
    "ssh": "cml.pipeline.ssh.CheckedSSH",
}
EXTRAS = {"webdavs": "webdav"}
"""Extras of DVC that are called otherwise than the scheme in the URL."""
LIBRARIES = {
    *("adlfs", "aiobotocore", "aiohttp", "asyncssh", "azure", "botocore", "dvc_azure"),
    *("dvc_gdrive", "dvc_objects.fs.errors", "fsspec", "gcsfs", "google", "googleapiclient"),
    *("httpx", "oss2", "ossfs", "pyarrow", "pydrive2", "requests", "s3fs", "sshfs", "urllib3"),
    "webdav4",
}
"""Whose exceptions are failures of a remote, and no bugs."""
CREDENTIALS = "check its address and credentials; `cml-run doctor` looks further"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # DVC's links have some where stdout is a terminal


def choose() -> None:
    """Have DVC use our file systems; each is loaded when a remote of its scheme is opened."""
    from dvc.fs import known_implementations

    from cml.pipeline import imported

    imported.check_hosts()
    for scheme, name in OURS.items():
        known_implementations[scheme] = {**known_implementations[scheme], "class": name}


def failure(what: str, error: Exception) -> CmlError | None:
    """Put what a remote's libraries raise into words; None for anything else.

    Args:
        what: what could not be done.
        error: what was raised.
    """
    if scheme := _missing(error):
        extra = EXTRAS.get(scheme, scheme)
        return UsageError(
            f"{what}: the DVC remote is of {scheme}://, and what that needs is not installed",
            hint=f"install it: `pip install 'dvc[{extra}]'`",
        )
    names = {name for one in _chain(error) for name in _names(one)}
    if not names & LIBRARIES:
        return None
    kind = UsageError if "ConfigError" in names else PipelineError
    hint = ssh.UNKNOWN_HOST if "HostKeyNotVerifiable" in names else CREDENTIALS
    return kind(f"{what}: the DVC remote says: {describe(error)}", hint=hint)


def describe(error: BaseException) -> str:
    """Return what DVC says of a failure, with the causes below it, on one line each."""
    lines: list[str] = []
    for seen in _chain(error):
        text = _COLOUR.sub("", str(seen)).strip() or type(seen).__name__
        if not any(text in line for line in lines):
            lines.append(text)
    return "\n".join(lines)


def _missing(error: Exception) -> str | None:
    """Return the scheme of a remote whose packages are not installed."""
    from dvc.fs import RemoteMissingDepsError, known_implementations

    if isinstance(error, RemoteMissingDepsError):
        return str(error.protocol)
    if not isinstance(error, ImportError):
        return None
    tells = {entry.get("err"): scheme for scheme, entry in known_implementations.items()}
    return tells.get(str(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception and the causes below it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _names(error: BaseException) -> Iterator[str]:
    """Name the classes of an exception, and where they are from."""
    for kind in type(error).__mro__:
        yield from (kind.__name__, kind.__module__, kind.__module__.partition(".")[0])
