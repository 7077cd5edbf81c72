"""What a variable with a credential holds: the text of a key, or a path; no message shows any."""

from __future__ import annotations

import base64
import binascii
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_WHOLE_JSON = "put all of the key's JSON into the secret, or unset the variable"
_SERVICE_ACCOUNT = {"client_email", "private_key", "token_uri"}
_PEM = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.+?)(-----END [A-Z ]*PRIVATE KEY-----)", re.DOTALL
)
_LINE_LENGTH = 70
_NEWLINES = re.compile(r"\\[nr]|\s")
# A key that no passphrase protects, by PROTOCOL.key of OpenSSH.
_OPENSSH = b"openssh-key-v1\0"
_OPEN = _OPENSSH + b"\0\0\0\x04none"
_HOST_KEY = re.compile(r"(@\S+\s+)?\S+\s+(ssh-|ecdsa-|sk-)\S+\s+[A-Za-z0-9+/]{40,}={0,3}(\s|$)")


def texts(given: Mapping[str, str]) -> dict[str, str]:
    """Return what is to be written for each variable; one that names a file is left out.

    A text may be in base64, as it must be for a variable of GitLab's that is masked.

    Raises:
        UsageError: a variable holds neither the one nor the other.
    """
    found = {name: _text(name, value.strip()) for name, value in given.items()}
    return {
        name: _READERS[name](_decoded(text.replace("\r\n", "\n").strip()).strip() + "\n")
        for name, text in found.items()
        if text is not None
    }


def _text(name: str, value: str) -> str | None:
    """Return the text that a variable holds; None for the path of a file that serves as it is."""
    path = Path(value)
    try:
        if not path.is_file():
            return value
    except (OSError, ValueError):  # a key is longer than any path
        return value
    # ssh refuses a key that others may read, and GitLab's variables of type file are such.
    is_open = name == "CML_SSH_PRIVATE_KEY" and path.stat().st_mode & 0o077
    return path.read_text(encoding="utf-8", errors="replace") if is_open else None


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except ValueError:
        return text


def _google_key(text: str) -> str:
    try:
        key = json.loads(text)
    except ValueError:
        key = None
    if not isinstance(key, dict) or "type" not in key:
        raise UsageError(
            "GOOGLE_APPLICATION_CREDENTIALS holds neither the JSON of a key nor a path of a file",
            hint=_WHOLE_JSON,
        )
    # With such a key Google's libraries would go on, as nobody.
    if key["type"] == "service_account" and (absent := sorted(_SERVICE_ACCOUNT - key.keys())):
        raise UsageError(
            f"the key in GOOGLE_APPLICATION_CREDENTIALS lacks {', '.join(absent)}", hint=_WHOLE_JSON
        )
    return text


def _ssh_key(text: str) -> str:
    found = _PEM.search(text)
    if not found:
        raise UsageError(
            "CML_SSH_PRIVATE_KEY holds neither a private key nor a path of a file",
            hint="put all of the key's file into the secret, from its line BEGIN to its line END",
        )
    begin, body, end = found.groups()
    if "\n" not in body.strip():  # a form or a program has put all lines into one
        bare = _NEWLINES.sub("", body)
        lines = [bare[at : at + _LINE_LENGTH] for at in range(0, len(bare), _LINE_LENGTH)]
        text = "\n".join([begin, *lines, end, ""])
    if "ENCRYPTED" in found[0] or _is_encrypted(_NEWLINES.sub("", body)):
        raise UsageError(
            "the key in CML_SSH_PRIVATE_KEY has a passphrase, and nobody is there to type it",
            hint="make a key for this job alone, without one: `ssh-keygen -t ed25519 -N ''`",
        )
    return text


def _is_encrypted(body: str) -> bool:
    """Tell by the content, where the lines around it do not."""
    try:
        start = base64.b64decode(body)
    except binascii.Error:
        return False
    return start.startswith(_OPENSSH) and not start.startswith(_OPEN)


def _known_hosts(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or not all(_HOST_KEY.match(line) for line in lines):
        raise UsageError(
            "CML_SSH_KNOWN_HOSTS holds neither lines of a known_hosts file nor a path of a file",
            hint="put in what `ssh-keyscan HOST` prints, once you have compared it with the "
            "server's own key",
        )
    return text


_READERS = {
    "GOOGLE_APPLICATION_CREDENTIALS": _google_key,
    "CML_SSH_PRIVATE_KEY": _ssh_key,
    "CML_SSH_KNOWN_HOSTS": _known_hosts,
}
