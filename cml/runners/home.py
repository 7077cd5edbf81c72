"""A runner's folder: what outlives its supervisor, in files that nobody else may read."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STATE = "state.json"
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process, told from a later one of the same number by when it started.

    `started` counts seconds since the machine was started, which no correction of its clock
    changes; `boot` names that start where the system does.
    """

    pid: int
    started: float
    boot: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A runner that is on the forge's list.

    `credential` is kept until the program has it. `fresh` tells that it was never started.
    """

    id: int | None
    name: str
    url: str
    kind: str
    credential: str = field(repr=False)
    fresh: bool = True


@dataclass(frozen=True, kw_only=True)
class State:
    """What a supervisor must know of the one before it.

    Attributes:
        owner: whose runner it is: a repository or an organisation of a forge.
        entry: the runner on the forge's list, if any.
        program: where its program is.
        process: the program, if it was started.
        worked: whether a job of this entry was seen.
        since: when it was started for the first time, in epoch seconds.
    """

    owner: str
    entry: Entry | None = None
    program: str | None = None
    process: Process | None = None
    worked: bool = False
    since: float | None = None


def make(home: Path) -> None:
    """Make a runner's folder, for its owner only.

    Raises:
        UsageError: it cannot be made, or others may look into it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = home.stat()
    except OSError as error:
        raise UsageError(f"cannot make the runner's folder {home}: {error.strerror}") from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise UsageError(
            f"others may look into {home}, which holds secrets of the runner",
            hint=f"make it yours alone: `chmod 700 {home}`, or choose another by --home",
        )


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Keep a second supervisor out of a runner's folder.

    Raises:
        UsageError: there is one.
    """
    with os.fdopen(os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                f"another cml-run looks after the runner in {home}",
                hint="give this one a name of its own: --name",
            ) from error
        yield


def read(home: Path) -> State | None:
    """Return what was written last; None where there is nothing.

    Raises:
        UsageError: it cannot be read.
    """
    path = home / _STATE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    try:
        if found.pop("version") != _VERSION:
            raise _unreadable(path)
        entry, process = found.pop("entry"), found.pop("process")
        return State(
            entry=Entry(**entry) if entry else None,
            process=Process(**process) if process else None,
            **found,
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise _unreadable(path) from error


def write(home: Path, state: State) -> None:
    """Put a state in place of the last one, at once or not at all; raises as :func:`put`."""
    text = json.dumps({"version": _VERSION, **asdict(state)}, indent=1)
    put(home / _STATE, text)


def clear(home: Path) -> None:
    """Forget all: no runner is left."""
    (home / _STATE).unlink(missing_ok=True)


def put(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in place of an earlier one.

    Raises:
        UsageError: it cannot be written, as on a full disk.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _unreadable(path: Path) -> UsageError:
    return UsageError(
        f"{path} cannot be read",
        hint="look whether its runner is still on the forge's list and remove it there, then "
        "remove this file",
    )
