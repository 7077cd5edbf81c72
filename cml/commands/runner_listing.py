"""A runner's place on its forge's list, written down before it is relied on."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.commands import runner_programs, runner_register
from cml.errors import UsageError
from cml.runners import home

if TYPE_CHECKING:
    from cml.commands.runner_register import Wish
    from cml.commands.runner_terms import Hosts
    from cml.forges.base import Registration, Runner, RunnerHost
    from cml.runners.base import RunnerProgram
    from cml.runners.home import Entry

log = logging.getLogger("cml")


class Listing:
    """The runner of one folder; `state` is what is known of it.

    With a `given` runner there is nobody to ask, and nothing to take off.
    """

    def __init__(
        self, wish: Wish, hosts: Hosts, program: RunnerProgram, given: Registration | None
    ) -> None:
        self._wish, self._hosts, self._program, self._given = wish, hosts, program, given
        self.state = runner_register.current(wish)

    @property
    def entry(self) -> Entry:
        """The runner on the list."""
        if self.state.entry is None:
            raise UsageError(f"{self._wish.home} names a program of no runner")
        return self.state.entry

    def keep(self, **changes: Any) -> None:
        """Change what is known, and write it down; raises UsageError where that fails."""
        self.state = replace(self.state, **changes)
        home.write(self._wish.home, self.state)

    def note(self, **changes: Any) -> None:
        """Change what is known; a disk that a job has filled is no reason to leave the job."""
        try:
            self.keep(**changes)
        except UsageError as error:
            log.warning("%s", error.message)

    def ready(self) -> tuple[Path, Entry]:
        """Return a program, and a runner that it can be started for: the last one, or a new one.

        Raises:
            CmlError: there is none, for the reasons that `runner_register` gives.
        """
        if not self._given:  # a repository that was private may be public now
            runner_register.refuse_strangers(self._wish, self._hosts.patient)
        path = runner_programs.ready(self._wish, self._hosts.patient, self._program)
        if self._given:
            entry = self._configured(path, self._given)
        else:
            entry = self._usable(path) or self._new(path)
        self.keep(entry=runner_register.kept(entry), program=str(path))
        return path, entry

    def find(self, host: RunnerHost) -> Runner | None:
        """Return how the runner stands; None where it is not on the list."""
        return host.find_runner(runner_register.registration(self.entry), self._wish.organisation)

    def remove(self, host: RunnerHost) -> None:
        """Take the runner off the list, if it is there."""
        entry = self.state.entry
        if entry and not self._given:
            host.remove_runner(runner_register.registration(entry), self._wish.organisation)

    def forget(self) -> None:
        """Remove the credentials that the program keeps in files."""
        if self.state.program:
            self._program.forget(Path(self.state.program))

    def close(self) -> None:
        """Take the runner off the list, and forget it."""
        try:
            self.remove(self._hosts.patient)
        finally:
            self.forget()
        home.clear(self._wish.home)

    def _configured(self, path: Path, given: Registration) -> Entry:
        self.forget()
        self._program.configure(path, given, self._wish.labels, persistent=False)
        return runner_register.entry(given)

    def _usable(self, path: Path) -> Entry | None:
        """Return the last runner if it is as wanted, and for many jobs or never used."""
        entry, persistent = self.state.entry, self._wish.persistent
        if entry is None or not (entry.fresh or persistent):
            return None
        if not (entry.credential or self._program.is_configured(path)):
            return None  # its secret is lost, as with a program that was replaced
        wanted = entry.kind == "authentication" or (entry.kind == "registration") == persistent
        return entry if wanted and self.find(self._hosts.patient) else None

    def _new(self, path: Path) -> Entry:
        host = self._hosts.patient
        self.remove(host)
        self.forget()
        return runner_register.enlist(self._wish, host, self._program, path)
