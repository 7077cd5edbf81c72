"""Single values of an environment or a payload, whatever their kind; never raises."""

import re
from collections.abc import Mapping

_FALSE = {"", "0", "false", "no", "off"}


def truthy(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a variable is set to anything but a no."""
    return environ.get(name, "").strip().lower() not in _FALSE


def variable(environ: Mapping[str, str], name: str) -> str | None:
    """Return a variable, None where it is empty."""
    return environ.get(name) or None


def look(value: object, path: str) -> object:
    """Walk down a payload by a dotted path; None where something is missing or of another kind."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def text(payload: object, path: str) -> str | None:
    """Return the text at a dotted path; None where there is none, or something else."""
    value = look(payload, path)
    return value or None if isinstance(value, str) else None


def after(prefix: str, value: str | None) -> str | None:
    """Return what follows a prefix; None where the prefix or something behind it is missing."""
    return value[len(prefix) :] or None if value and value.startswith(prefix) else None


def number(value: object) -> int | None:
    """Read a pull request's number: a positive integer, or its digits as text."""
    found = re.fullmatch(r"[1-9][0-9]{0,17}", str(value))
    return int(found[0]) if found else None
