"""What a supervisor does next: observations -> a decision; no clock, no process, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_FAILURES = 6
"""How often in a row a runner may fail before the supervisor gives up."""

_LONGEST_PAUSE = 300.0

Verb = Literal["stay", "leave", "start", "end", "give up"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What was asked for: times in seconds, None for no limit.

    `drains` tells whether the program's gentle stop waits for the job that runs.
    """

    idle: float | None = None
    lifetime: float | None = None
    single: bool = False
    drains: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known at one moment.

    Attributes:
        alive: whether the program runs.
        busy: whether a job runs; None where nobody could be asked.
        idle: seconds for which it is sure that none ran.
        age: seconds since the first start.
        told: why somebody wants the runner to end; empty where nobody does.
        rounds: how often the program has ended with its work done.
        failures: how often it has failed in a row.
        pause: seconds left before it may be started again.
    """

    alive: bool
    busy: bool | None
    idle: float
    age: float
    told: str = ""
    rounds: int = 0
    failures: int = 0
    pause: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do, and why."""

    verb: Verb
    why: str = ""


def decide(limits: Limits, seen: Seen) -> Decision:
    """Say what to do. A program with a job, or perhaps with one, is never told to cancel it."""
    why = _ending(limits, seen)
    if seen.alive:
        return _while_it_runs(limits, seen, why)
    if why:
        return Decision(verb="end", why=why)
    if limits.single and seen.rounds:
        return Decision(verb="end", why="its one job is done")
    if seen.failures >= MOST_FAILURES:
        return Decision(verb="give up", why=f"it failed {seen.failures} times in a row")
    return Decision(verb="stay" if seen.pause > 0 else "start")


def pause(failures: int, *, base: float, jitter: float) -> float:
    """Return the seconds to wait after so many failures in a row.

    Args:
        failures: at least 1.
        base: seconds after the first one; twice as long after each further one.
        jitter: between 0 and 1, so that many machines do not come back at the same moment.
    """
    return float(min(_LONGEST_PAUSE, base * 2.0 ** (failures - 1)) * (0.5 + jitter / 2))


def is_crash(*, code: int | None, worked: bool, listed: bool, stays_listed: bool) -> bool:
    """Tell whether a program that was to do one job has ended without.

    Args:
        code: its exit status; None where it is not known.
        worked: whether a job was seen.
        listed: whether the runner is still on the forge's list.
        stays_listed: whether it would be there after its job.
    """
    if code:
        return True
    if stays_listed:
        return code is None and not worked
    # GitHub's scripts end with 0 whatever happens, but a runner that did its job is gone.
    return listed and not worked


def _while_it_runs(limits: Limits, seen: Seen, why: str) -> Decision:
    if why and (limits.drains or seen.busy is False):
        return Decision(verb="leave", why=why)
    return Decision(verb="stay", why=why and f"{why}; waiting for the job that runs")


def _ending(limits: Limits, seen: Seen) -> str:
    """Say why no further job is to be taken; empty where there is no reason."""
    if seen.told:
        return seen.told
    if limits.lifetime is not None and seen.age >= limits.lifetime:
        return f"it has lived for {limits.lifetime / 60:g} minutes"
    failing = seen.failures and not seen.alive  # which is told, and not taken for a good end
    if limits.idle is not None and seen.idle >= limits.idle and not (seen.busy or failing):
        return f"it was idle for {limits.idle / 60:g} minutes"
    return ""
