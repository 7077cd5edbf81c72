"""Looks after one runner: what to do is decided elsewhere, and done here; no job is cancelled."""

from __future__ import annotations

import logging
import secrets
import time
from contextlib import suppress
from dataclasses import replace
from queue import Empty
from typing import TYPE_CHECKING

from cml.commands.runner_listing import Listing
from cml.commands.runner_watching import Output, Watch
from cml.errors import CmlError, PublishError, UsageError
from cml.runners import decisions, open_program, process
from cml.runners.decisions import Limits, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from queue import SimpleQueue

    from cml.commands.runner_register import Wish
    from cml.commands.runner_terms import Call, Hosts, Terms
    from cml.runners.home import Entry

log = logging.getLogger("cml")

GRACE = 30.0
"""Seconds to end in, for a program without a job, or one that is told to drop it."""

STEADY = 600.0
"""Seconds after which a program that ends was not broken from the start."""

_TICK = 1.0


class Supervisor:
    """Looks after one runner, tick by tick."""

    def __init__(
        self,
        wish: Wish,
        terms: Terms,
        hosts: Hosts,
        environ: Mapping[str, str],
        calls: SimpleQueue[Call],
    ) -> None:
        self._wish, self._terms, self._hosts, self._calls = wish, terms, hosts, calls
        self._program = open_program(wish.forge, wish.home, environ, wish.executor)
        self._limits = Limits(
            idle=terms.idle,
            lifetime=terms.lifetime,
            single=terms.single or terms.given is not None,
            drains=self._program.drains,
        )
        self._listing = Listing(wish, hosts, self._program, terms.given)
        self._child: process.Child | None = None
        self._watch, self._output = Watch(terms.poll), Output(wish.home)
        self._heard: list[Call] = []
        self._rounds = self._failures = 0
        self._begun = self._again = 0.0
        self._left_at: float | None = None
        self._said = self._failure = ""

    def run(self) -> None:
        """Do what is to be done until the runner is off the list."""
        self._take_over()
        while True:
            self._output.pass_on()
            if self._child and not self._child.alive():
                self._ended(self._child)
            decision = decisions.decide(self._limits, self._see())
            self._say(decision.why)
            match decision.verb:
                case "start":
                    self._start()
                case "leave":
                    self._leave()
                case "end":
                    return self._listing.close()
                case "give up":
                    self._give_up(decision.why)
            self._listen()

    def _take_over(self) -> None:
        """Go on with what another supervisor has left."""
        left = self._listing.state.process
        if left is None:
            return
        self._child = process.adopt(left)
        if self._child:
            self._begun = time.monotonic()
            self._output.skip()
            log.info("taking over %s, which is running", self._listing.entry.name)
        else:
            self._rounds += self._terms.given is not None
            self._listing.note(process=None)

    def _see(self) -> Seen:
        child = self._child
        if child and self._left_at is None:
            ask = None if self._terms.given else lambda: self._listing.find(self._hosts.hasty)
            self._watch.look(ask, lambda: self._program.works(child.process.pid))
            if self._watch.busy and not self._listing.state.worked:
                self._listing.note(worked=True)
        since = self._listing.state.since
        return Seen(
            alive=child is not None,
            busy=self._watch.busy if child else False,
            lost=self._watch.lost,
            idle=self._watch.idle,
            age=0.0 if since is None else time.time() - since,
            told=self._heard[0].reason if self._heard else "",
            rounds=self._rounds,
            failures=self._failures,
            pause=self._again - time.monotonic(),
        )

    def _start(self) -> None:
        """Register, if need be, and start the program."""
        since = self._listing.state.since
        try:
            path, entry = self._listing.ready()
            command = self._program.command(path, entry, persistent=self._wish.persistent)
            self._child = self._known(process.start(command, self._wish.home), entry)
        except CmlError as error:
            if since is None:  # somebody waits for what the first try brings
                with suppress(PublishError):
                    self._listing.close()
                raise
            self._failed(error.message)
            return
        self._begun = time.monotonic()
        self._output.begin(entry.credential)
        self._watch.restart()
        log.info("%s takes jobs", entry.name)

    def _known(self, child: process.Child, entry: Entry) -> process.Child:
        """Write down what was started: a program that the next supervisor cannot know is ended."""
        since = self._listing.state.since
        try:
            self._listing.keep(
                entry=replace(entry, credential="", fresh=False),
                process=child.process,
                since=time.time() if since is None else since,
                worked=False,
            )
        except UsageError:
            child.kill(grace=GRACE)
            raise
        return child

    def _ended(self, child: process.Child) -> None:
        """Find out whether the program has done its work."""
        left, self._left_at, self._child = self._left_at is not None, None, None
        crashed = not left and self._crashed(child.code)
        self._listing.note(process=None)
        if crashed:
            if time.monotonic() - self._begun > STEADY:
                self._failures = 0
            status = "" if child.code is None else f" with status {child.code}"
            self._failed(f"{self._program.name} ended{status} without having done its work")
            return
        self._failures = 0
        if not left:
            log.info("%s has done its job", self._listing.entry.name)
            self._rounds += 1
            self._watch.restart()

    def _crashed(self, code: int | None) -> bool:
        if self._wish.persistent:
            return True
        try:
            listed = not self._terms.given and self._listing.find(self._hosts.patient)
        except PublishError:
            listed = None
        return decisions.is_crash(
            code=code,
            worked=self._listing.state.worked,
            listed=bool(listed),
            stays_listed=self._program.stays_listed,
        )

    def _failed(self, message: str) -> None:
        self._failures, self._failure = self._failures + 1, message
        jitter = secrets.SystemRandom().random()
        pause = decisions.pause(self._failures, base=self._terms.poll, jitter=jitter)
        self._again = time.monotonic() + pause
        log.warning("%s; the next try is in %.0f seconds", message, pause)

    def _leave(self) -> None:
        """Have the program end, which has no job or waits for it."""
        child = self._child
        if child is None:
            return
        if self._left_at is None:
            if self._let_go(child):
                self._left_at = time.monotonic()
                self._program.stop(child.process.pid)
        elif not self._program.drains and time.monotonic() - self._left_at > GRACE:
            child.kill(grace=GRACE)

    def _let_go(self, child: process.Child) -> bool:
        """Take the runner off the list before it is stopped: a forge refuses while a job runs."""
        if self._program.drains:
            return True
        try:
            if not self._program.works(child.process.pid):
                self._listing.remove(self._hosts.hasty)
                return True
        except PublishError as error:
            log.info("not yet: %s", error.message)
        self._watch.doubt()
        return False

    def _give_up(self, why: str) -> None:
        self._listing.close()
        raise UsageError(
            f"the runner does not stay alive: {why}, at last because {self._failure}",
            hint=f"the last words of its program are in {self._wish.home / process.LOG}",
        )

    def _abort(self) -> None:
        if self._child:
            self._child.kill(grace=GRACE)
        try:
            self._listing.close()
        except PublishError as error:  # it may take a moment until its job counts as ended
            log.warning("start it again to take it off the list: %s", error.message)
        raise KeyboardInterrupt

    def _listen(self) -> None:
        """Wait for a call, but not for long."""
        try:
            call = self._calls.get(timeout=min(_TICK, self._terms.poll))
        except Empty:
            return
        insisted = call.insists and any(one.insists for one in self._heard)
        self._heard.append(call)
        if insisted:
            log.warning("%s again: ending the program, with its job", call.reason)
            self._abort()

    def _say(self, why: str) -> None:
        if why and why != self._said:
            log.info("the runner is to end: %s", why)
        self._said = why
