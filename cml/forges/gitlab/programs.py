"""GitLab's runner program: its newest version, its address and its checksum; sends no token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml.errors import PublishError
from cml.forges.api import TIMEOUT
from cml.forges.base import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

VARIABLE = "CML_RUNNER_DOWNLOADS"
NEWEST = "https://gitlab.com/api/v4/projects/gitlab-org%2Fgitlab-runner/releases/permalink/latest"
DOWNLOADS = "https://gitlab-runner-downloads.s3.amazonaws.com"
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_HINT = (
    "Install gitlab-runner yourself, or name a folder with release.sha256 and binaries/ in it, "
    f"which ends with the version: {VARIABLE}=https://mirror.example/gitlab-runner/v18.6.0."
)


def newest(environ: Mapping[str, str], *, system: str, machine: str) -> Program:
    """Return the newest release, or the one in the folder that CML_RUNNER_DOWNLOADS names.

    The layout is that of https://docs.gitlab.com/runner/install/bleeding-edge/: binaries/ beside
    release.sha256, in a folder for each version.

    Raises:
        PublishError: it cannot be reached, or there is no checksum.
    """
    folder = (environ.get(VARIABLE) or f"{DOWNLOADS}/v{_newest_version()}").rstrip("/")
    version = _version(folder.rpartition("/")[2])
    name = f"binaries/gitlab-runner-{system.lower()}-{_MACHINES.get(machine, machine)}"
    sums = _sums(_fetched(f"{folder}/release.sha256").text)
    if name not in sums:
        raise PublishError(f"there is no checksum of {name} in {folder}", hint=_HINT)
    return Program(version=version, url=f"{folder}/{name}", sha256=sums[name])


def _newest_version() -> str:
    try:
        return _version(str(_fetched(NEWEST).json()["tag_name"]))
    except (ValueError, LookupError, TypeError) as error:
        raise PublishError("GitLab does not tell its newest runner", hint=_HINT) from error


def _version(name: str) -> str:
    found = _VERSION.fullmatch(name)
    if not found:
        raise PublishError(f"{name!r} is no version of gitlab-runner", hint=_HINT)
    return found[1]


def _sums(listed: str) -> dict[str, str]:
    """Read lines of a checksum and a name, as `sha256sum` writes them or with a tab."""
    fields = (line.split() for line in listed.splitlines())
    return {
        pair[1].lstrip("*./"): pair[0].lower()
        for pair in fields
        if len(pair) == 2 and _SHA256.fullmatch(pair[0])  # noqa: PLR2004 - a pair
    }


def _fetched(url: str) -> requests.Response:
    import requests

    def nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request  # else requests would look for a password in ~/.netrc

    try:
        answer = requests.get(url, timeout=TIMEOUT, auth=nobody)
        answer.raise_for_status()
    except (requests.RequestException, ValueError) as error:
        raise PublishError(f"could not fetch {url}: {error}", hint=_HINT) from error
    return answer
