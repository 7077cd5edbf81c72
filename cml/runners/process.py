"""The runner program as a process that outlives its supervisor, or is taken over by another."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.runners.home import Process

if TYPE_CHECKING:
    from pathlib import Path

    from cml.runners.base import Command

LOG = "program.log"
_CLOCK_SLACK = 1.0  # seconds by which two readings of the same start may differ
_PAUSE = 0.05
_SET_DUMPABLE = 4  # PR_SET_DUMPABLE of <sys/prctl.h>


class Child:
    """A runner program that was started: `process` says which, `code` how it ended, if known."""

    def __init__(self, process: Process, handle: subprocess.Popen[bytes] | None = None) -> None:
        self.process = process
        self._handle = handle

    @property
    def code(self) -> int | None:
        """Its exit status; None while it runs, and where it is nobody's child of ours."""
        return self._handle.poll() if self._handle else None

    def alive(self) -> bool:
        """Tell whether it runs."""
        if self._handle:
            return self._handle.poll() is None
        return _is_alive(self.process)

    def kill(self, *, grace: float) -> None:
        """End it and what it started, with a job or not: politely, then after `grace` seconds."""
        self._signal(signal.SIGTERM)
        end = time.monotonic() + grace
        while self._any_alive() and time.monotonic() < end:
            time.sleep(_PAUSE)
        self._signal(signal.SIGKILL)
        if self._handle:
            self._handle.wait()

    def _any_alive(self) -> bool:
        """Tell whether it runs, or anything that it started and that stayed in its group."""
        if self.alive():
            return True
        try:
            os.killpg(self.process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def start(command: Command, home: Path) -> Child:
    """Start a program in a process group of its own.

    Its output goes to a file: a pipe would end, and the program with it, when we do.

    Raises:
        UsageError: it cannot be started.
    """
    import psutil

    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    with os.fdopen(os.open(home / LOG, flags, 0o600), "wb") as log:
        try:
            handle = subprocess.Popen(  # it is to go on when this function has ended
                command.argv,
                cwd=command.cwd,
                env=dict(command.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise UsageError(f"cannot start {command.argv[0]}: {error.strerror}") from error
    # A process that has ended is still there as long as nobody has asked how.
    started = psutil.Process(handle.pid).create_time()
    return Child(Process(pid=handle.pid, started=started), handle)


def adopt(process: Process) -> Child | None:
    """Return a program that another supervisor started; None where it has ended."""
    return Child(process) if _is_alive(process) else None


def names_below(pid: int) -> set[str]:
    """Return the names of the programs that a process and its children have started."""
    import psutil

    found = set()
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found.add(child.name())
    return found


def conceal() -> None:
    """Keep jobs, which run as the same user, from reading our environment, where the token is.

    Against a job that runs as root nothing helps. https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _is_alive(process: Process) -> bool:
    import psutil

    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < _CLOCK_SLACK
        return same and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
