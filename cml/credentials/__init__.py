"""Keys that a job has in its environment as text become files that libraries can read; shows none.

The variables are those of the 2020 README. After `laid_out` each of `FILES` holds a path.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

FILES = ("GOOGLE_APPLICATION_CREDENTIALS", "CML_SSH_PRIVATE_KEY", "CML_SSH_KNOWN_HOSTS")
OLDER = {
    "DVC_REMOTE_SSH_KEY": "CML_SSH_PRIVATE_KEY",
    "GDRIVE_USER_CREDENTIALS_DATA": "GDRIVE_CREDENTIALS_DATA",
}
"""What the first README called some variables, and what they are called now."""
HIDDEN = frozenset({"CML_SSH_PRIVATE_KEY", "DVC_REMOTE_SSH_KEY"})
"""What no stage sees: the key may open the git remote as a token does."""

_PREFIXES = ("AWS_", "AZURE_", "CML_SSH_", "DVC_REMOTE_", "GDRIVE_", "GOOGLE_", "OSS_")
_ELSEWHERE = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    "AWS_CA_BUNDLE",
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_CONTAINER_NAME"),
    *("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"),
    *("OSS_BUCKET", "OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_ENDPOINT"),
    "GDRIVE_CREDENTIALS_DATA",
)


def seen(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables for DVC remotes that are set; an empty one is not."""
    return [name for name in (*FILES, *_ELSEWHERE, *OLDER) if environ.get(name, "").strip()]


@contextmanager
def laid_out(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Have each variable of `FILES` that holds a key's text hold the path of a file meanwhile.

    A path becomes an absolute one, for commands that run in other folders. The files are of mode
    0600, in a folder of mode 0700 outside the work tree, and gone at the end, also when this
    process is killed. An empty variable, which is what a job gets for a secret that it may not
    have, is not there meanwhile: libraries take it for a value.

    Args:
        environ: the environment of this process, which its children inherit; as before at the end.

    Raises:
        UsageError: a variable holds neither a key nor the path of one, or there is no place.
    """
    before = {name: environ[name] for name in environ if name.startswith(_PREFIXES)}
    if not before:
        yield
        return
    try:
        for name in [name for name, value in before.items() if not value.strip()]:
            del environ[name]
        for name in OLDER.keys() & environ.keys():
            environ.setdefault(OLDER[name], environ[name])
        with _files(environ) as paths:
            environ.update(paths)
            yield
    finally:
        for name in {name for name in environ if name.startswith(_PREFIXES)} - before.keys():
            del environ[name]
        environ.update(before)


@contextmanager
def _files(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    given = {name: environ[name] for name in FILES if name in environ}
    if not given:
        yield {}
        return
    from pathlib import Path

    from cml.credentials import folder, material

    with folder.holding(material.texts(given), environ) as paths:
        yield {name: paths.get(name) or str(Path(given[name].strip()).absolute()) for name in given}
