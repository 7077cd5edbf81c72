"""What a supervisor sees: whether a job runs, for how long none did, and what the program says."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from cml import console
from cml.errors import PublishError
from cml.runners import process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cml.forges.base import Runner

log = logging.getLogger("cml")

GONE_SECONDS = 60.0
"""How long a runner may be missing from the forge's list before that means that it has no job."""

_LARGEST_LOG = 8 << 20


class Watch:
    """Whether a job runs, asked now and then; what is not known counts as a job.

    Args:
        poll: seconds between two questions.
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, poll: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.busy: bool | None = None
        self._poll = poll
        self._clock = clock
        self._quiet_since = clock()
        self._next = 0.0
        self._missing_since: float | None = None
        self._told = False

    @property
    def idle(self) -> float:
        """Seconds for which it is sure that no job ran."""
        return self._clock() - self._quiet_since

    def restart(self) -> None:
        """Look at a program that has just been started, and that nobody has asked about."""
        self.busy, self._next, self._missing_since = None, 0.0, None
        self._quiet_since = self._clock()

    def doubt(self) -> None:
        """Take the last answer as out of date; ask again when it is time."""
        self.busy = None

    def look(
        self, ask: Callable[[], Runner | None] | None, works: Callable[[], bool | None]
    ) -> None:
        """Ask the forge and look at the processes, if it is time.

        Args:
            ask: returns how the runner stands; None where there is nobody to ask.
            works: tells by the processes whether a job runs.
        """
        if self._clock() < self._next:
            return
        self._next = self._clock() + self._poll
        seen = works()
        if seen or ask is None:
            self.busy = seen
        else:
            self.busy = self._asked(ask)
        if self.busy is not False:
            self._quiet_since = self._clock()

    def _asked(self, ask: Callable[[], Runner | None]) -> bool | None:
        try:
            runner = ask()
        except PublishError as error:
            if not self._told:
                log.warning("whether a job runs is not known, so it counts: %s", error.message)
            self._told = True
            return None
        self._told = False
        if runner is None:
            return self._missing()
        self._missing_since = None
        return runner.busy

    def _missing(self) -> bool | None:
        """A runner is missing before it is known, and while it ends after its one job."""
        if self._missing_since is None:
            self._missing_since = self._clock()
        return None if self._clock() - self._missing_since < GONE_SECONDS else False


class Output:
    """Passes on what the program writes to its file."""

    def __init__(self, home: Path) -> None:
        self._path = home / process.LOG
        self._at = 0
        self._secret = ""

    def begin(self, secret: str) -> None:
        """Read a new file from its start; the secret is not passed on."""
        self._at, self._secret = 0, secret

    def skip(self) -> None:
        """Leave out what another supervisor has passed on."""
        self._at = self._path.stat().st_size if self._path.exists() else 0

    def pass_on(self) -> None:
        """Pass on the lines that have come."""
        if not self._path.exists():
            return
        with self._path.open("rb+") as file:
            file.seek(self._at)
            whole, newline, _ = file.read().rpartition(b"\n")
            self._at += len(whole) + len(newline)
            if self._at > _LARGEST_LOG:
                file.truncate(0)
                self._at = 0
        if newline:
            text = whole.decode("utf-8", "replace")
            text = text.replace(self._secret, "***") if self._secret else text
            console.echo(f"{text}\n")
