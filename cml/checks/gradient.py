"""GradientCI's project file, version 0, apart from its checks: looked at, so that no typo hides.

Its keys and their values are those of Paperspace's documents of 2019.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml.checks import nodes
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.checks.nodes import Entry

KEYS = (
    "version",
    "project",
    "experiment",
    "type",
    "ports",
    "paths",
    "worker",
    "parameter-server",
    "checks",
)
TYPES = ("single", "multi-grpc", "multi-mpi")
_PATHS = ("workdir", "artifacts")
_MACHINE = ("container", "command", "machine-type", "count")
_MACHINES = ("worker", "parameter-server")


def validate(found: Mapping[str, Entry], filename: str) -> None:
    """Look at everything but the checks.

    Raises:
        UsageError: a key is unknown, or its value is of the wrong kind.
    """
    nodes.known(found, KEYS)
    if "version" not in found:
        raise UsageError(f"{filename}:1:1: version is missing", hint="write `version: 0`")
    _version(found["version"])
    for name in ("project", "experiment"):
        if name in found:
            nodes.text(found[name])
    if "ports" in found:
        _ports(found["ports"])
    if "paths" in found:
        _section(found["paths"], _PATHS)
    _machines(found, several=_several(found.get("type")))


def _version(entry: Entry) -> None:
    if nodes.text(entry) != "0":
        raise UsageError(
            f"{entry.where}: version 0 is expected, not {nodes.text(entry)!r}",
            hint="write `version: 0`; newer files of GradientCI are not known",
        )


def _several(entry: Entry | None) -> bool:
    """Return whether the experiment runs on several machines."""
    if entry is None:
        return False
    word = nodes.text(entry)
    if word not in TYPES:
        raise UsageError(f"{entry.where}: unknown type {word!r}", hint=nodes.advice(word, TYPES))
    return word != "single"


def _ports(entry: Entry) -> None:
    for port in nodes.texts(entry):
        _whole(entry, port)


def _whole(entry: Entry, word: str) -> None:
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", word):
        raise UsageError(f"{entry.where}: a whole number of at least 1 is expected, not {word!r}")


def _section(entry: Entry, keys: tuple[str, ...]) -> dict[str, Entry]:
    found = nodes.entries(entry)
    nodes.known(found, keys)
    for each in found.values():
        nodes.text(each)
    return found


def _machines(found: Mapping[str, Entry], *, several: bool) -> None:
    for name in _MACHINES:
        if name in found:
            keys = _section(found[name], _MACHINE)
            if "count" in keys:
                _whole(keys["count"], nodes.text(keys["count"]))
            elif several:
                raise UsageError(
                    f"{found[name].place}: {name} has no count",
                    hint=f"an experiment on several machines needs it: `count: 2` in {name}",
                )
