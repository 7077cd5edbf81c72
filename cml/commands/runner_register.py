"""The story of a runner that is announced: program found or fetched, forge told, state kept."""

from __future__ import annotations

import logging
import platform
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from cml.commands import runner_programs
from cml.errors import PublishError, UsageError
from cml.forges.base import Program, Registration, RunnerRequest
from cml.runners import home, open_program
from cml.runners.home import Entry, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cml.forges.base import RunnerHost
    from cml.runners.base import RunnerProgram
    from cml.runners.gitlab_program import Executor

log = logging.getLogger("cml")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A runner as it was asked for.

    Attributes:
        forge: whose program it is.
        owner: whose jobs it takes, in words: a repository or an organisation.
        name: what it is called; a runner of one job gets a suffix.
        labels: what jobs ask for.
        organisation: whose jobs it takes, where not the one repository's.
        group: the number of GitHub's runner group.
        persistent: whether it takes job after job.
        allow_forks: whether code of strangers may run here.
        program: where the runner program is; None to look for it, and to fetch it else.
        supply: a program to fetch where the forge cannot be asked for one.
        home: the folder of the runner.
        executor: how GitLab's jobs are run.
    """

    forge: Literal["github", "gitlab"]
    owner: str
    name: str
    labels: tuple[str, ...]
    organisation: str | None = None
    group: int = 1
    persistent: bool = False
    allow_forks: bool = False
    program: Path | None = None
    supply: Program | None = None
    home: Path
    executor: Executor


class Taker(Protocol):
    """Whoever takes jobs: whose, and whether those of strangers too."""

    @property
    def organisation(self) -> str | None:
        """Whose jobs it takes, where not the one repository's."""

    @property
    def allow_forks(self) -> bool:
        """Whether code of strangers may run there."""


def register(wish: Wish, host: RunnerHost, environ: Mapping[str, str]) -> str:
    """Announce a runner, ready for `cml-run runner start`; return its name.

    Args:
        wish: the runner.
        host: its forge.
        environ: what the program and its jobs may see.

    Raises:
        UsageError: strangers could run code here, or the program is too old.
        PublishError: the forge refused.
    """
    home.make(wish.home)
    with home.held(wish.home):
        state = current(wish)
        if state.entry and (state.process or known(wish, host, state.entry)):
            log.info("%s is registered already", state.entry.name)
            return state.entry.name
        refuse_strangers(wish, host)
        program = open_program(wish.forge, wish.home, environ, wish.executor)
        path = runner_programs.ready(wish, host, program)
        entry = enlist(wish, host, program, path)
        try:
            home.write(wish.home, replace(state, entry=kept(entry), program=str(path)))
        except UsageError:
            program.forget(path)
            _take_back(wish, host, registration(entry))
            raise
        return entry.name


def rehearse(wish: Wish, host: RunnerHost, environ: Mapping[str, str]) -> Iterator[str]:
    """Say what would be done, line by line; nothing is written, and the forge is only asked."""
    refuse_strangers(wish, host)
    program = open_program(wish.forge, wish.home, environ, wish.executor)
    path = runner_programs.found(wish, host, program)
    if path:
        yield f"would use {program.name} {program.version(path)} at {path}"
    else:
        newest = host.runner_program(system=platform.system(), machine=platform.machine())
        yield f"would fetch {program.name} {newest.version} from {newest.url}"
        yield f"  and run it only if its SHA-256 is {newest.sha256}"
    kind = "persistent runner" if wish.persistent else "runner for one job at a time"
    yield f"would register a {kind} of {wish.owner}, called {_name(wish, '*')}"
    yield f"  with the labels {', '.join(wish.labels) or 'of its system alone'}"
    yield f"would keep its state in {wish.home}"


def current(wish: Wish) -> State:
    """Return what is known of the runner in this folder.

    Raises:
        UsageError: it is another one's.
    """
    state = home.read(wish.home) or State(owner=wish.owner)
    if state.owner != wish.owner:
        raise UsageError(
            f"{wish.home} belongs to a runner of {state.owner}",
            hint="give this one a name of its own: --name",
        )
    return state


def refuse_strangers(wish: Taker, host: RunnerHost, where: str = "this machine") -> None:
    """Keep code of people without any right away from a machine.

    Raises:
        UsageError: it could get there.
    """
    if wish.allow_forks or not host.runs_strangers_code(wish.organisation):
        return
    raise UsageError(
        f"anybody could run code on {where}: by a pull request from a fork",
        hint="use a private repository; or let each job of a stranger be approved first, keep "
        "nothing of worth on the machine, and add --allow-forks",
    )


def enlist(wish: Wish, host: RunnerHost, program: RunnerProgram, path: Path) -> Entry:
    """Put a runner on the forge's list, and give the program what it needs of the secret.

    Raises:
        UsageError: the program refuses; the runner is off the list again.
        PublishError: the forge refuses.
    """
    request = RunnerRequest(
        name=_name(wish, secrets.token_hex(3)),
        labels=wish.labels,
        organisation=wish.organisation,
        persistent=wish.persistent,
        group=wish.group,
    )
    given = host.register_runner(request)
    try:
        program.configure(path, given, wish.labels, persistent=wish.persistent)
    except BaseException:
        _take_back(wish, host, given)
        raise
    log.info("registered %s for %s", given.name, wish.owner)
    return entry(replace(given, id=_number(wish, host, given)))


def _take_back(wish: Wish, host: RunnerHost, given: Registration) -> None:
    """Take a runner off the list; not by its name alone, which may be another machine's."""
    if given.id is None:
        return
    try:
        host.remove_runner(given, wish.organisation)
    except PublishError as error:
        log.warning("%s is still on the list: %s", given.name, error.message)


def _number(wish: Wish, host: RunnerHost, given: Registration) -> int | None:
    """Return the forge's number of a runner, also of one that has registered itself.

    Where it cannot be told now the name will do: the runner is listed, and must be written down.
    """
    if given.id is not None:
        return given.id
    try:
        listed = host.find_runner(given, wish.organisation)
    except PublishError as error:
        log.warning("the number of %s is not known yet: %s", given.name, error.message)
        return None
    return listed.id if listed else None


def kept(entry: Entry) -> Entry:
    """Return what is written down of a runner: no secret that the program keeps itself."""
    return entry if entry.kind == "just-in-time" else replace(entry, credential="")


def known(wish: Wish, host: RunnerHost, entry: Entry) -> bool:
    """Tell whether a runner is on the forge's list."""
    return host.find_runner(registration(entry), wish.organisation) is not None


def entry(given: Registration) -> Entry:
    """Return what is kept of a runner in the forge's words."""
    return Entry(**vars(given))


def registration(entry: Entry) -> Registration:
    """Return a runner in the forge's words."""
    kinds: dict[str, Literal["just-in-time", "registration", "authentication"]] = {
        "just-in-time": "just-in-time",
        "registration": "registration",
        "authentication": "authentication",
    }
    return Registration(
        id=entry.id,
        name=entry.name,
        url=entry.url,
        kind=kinds[entry.kind],
        credential=entry.credential,
    )


def _name(wish: Wish, suffix: str) -> str:
    # The forge may still list the last one of that name when the next is registered.
    return wish.name if wish.persistent else f"{wish.name}-{suffix}"
