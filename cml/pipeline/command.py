"""One stage's command as a child process: its output streams live and its end is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

KEPT_LINES = 60
KEPT_CHARACTERS = 8_000
GRACE_SECONDS = 10
# Its standard input ends when the process that holds the other end does, however that ends.
_GUARD = 'read -r _; kill -9 "-$1"'


def answer(line: str, *, cwd: str, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a command line of the user's own; return its exit status and what it printed.

    What it says on stderr goes to ours.
    """
    done = subprocess.run(  # noqa: S602 (a line of the user's own policy, as in dvc.yaml)
        line,
        shell=True,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


class Runner:
    """Starts commands, and stops them all when this process is told to stop.

    Attributes:
        echo: called with each piece of output as it comes.
    """

    def __init__(self, echo: Callable[[str], None]) -> None:
        self.echo = echo
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> tuple[int, str]:
        """Run a command to its end; return its exit status and the end of its output.

        The child is the leader of a process group of its own, so that its children can be
        stopped with it, and it reads from an empty standard input.
        """
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            child = subprocess.Popen(
                argv,
                cwd=cwd,
                env={"PYTHONUNBUFFERED": "1", **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.add(child)
        tail: deque[str] = deque(maxlen=KEPT_LINES)
        with _guarded(child):
            try:
                with child:
                    for line in child.stdout or ():
                        self.echo(line)
                        tail.append(line)
            except BaseException:
                self.stop()
                raise
            finally:
                with self._lock:
                    self._running.discard(child)
        return child.returncode, "".join(tail)[-KEPT_CHARACTERS:]

    def stop(self) -> None:
        """Ask every running command to stop, then insist; no other is started."""
        with self._lock:
            self._stopped = True
            children = list(self._running)
        for child in children:
            _signal(child, signal.SIGTERM)
        for child in children:
            if not _ended(child.pid):
                _signal(child, signal.SIGKILL)


@contextmanager
def _guarded(child: subprocess.Popen[str]) -> Iterator[None]:
    """Have a command killed with its children if this process is: a later run must not meet it."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "sh", str(child.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.communicate()


def _ended(group: int) -> bool:
    """Whether every process of a group ends in time; a shell does not wait for what it started."""
    end = time.monotonic() + GRACE_SECONDS
    while _lives(group):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _lives(group: int) -> bool:
    import psutil

    for process in psutil.process_iter(["status"]):
        # An init that collects no orphans, as in containers, keeps the dead in the table.
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(process.pid) == group:
                    return True
    return False


def _signal(child: subprocess.Popen[str], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        sys.stderr.write(f"cannot stop process group {child.pid}: {error}\n")
