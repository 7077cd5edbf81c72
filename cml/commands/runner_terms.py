"""How a runner is looked after, and by whom it is told to end: values that its stories share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml.forges.waiting import MOST
from cml.runners import notices

if TYPE_CHECKING:
    from collections.abc import Callable

    from cml.forges.base import Registration, RunnerHost


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The forge: `hasty` answers at once or not at all, `patient` waits and tries again.

    `opened` returns one that waits for so many seconds in all.
    """

    hasty: RunnerHost
    opened: Callable[[float], RunnerHost]

    @property
    def patient(self) -> RunnerHost:
        """One that has not waited yet: a supervisor lives for weeks."""
        return self.opened(MOST)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a runner is looked after; times in seconds.

    Attributes:
        idle: how long it may be without a job.
        lifetime: after which time it takes no further job.
        single: whether it ends after one job.
        poll: between two questions to the forge; also the first pause after a failure.
        cloud: whose notices are looked for: a name, `auto` or `none`.
        metadata: the address that gives these notices.
        given: a runner of one job that somebody else has registered, and takes off the list.
    """

    idle: float | None = None
    lifetime: float | None = None
    single: bool = False
    poll: float = 10.0
    cloud: str = "auto"
    metadata: str = notices.ADDRESS
    given: Registration | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """Somebody wants the runner to end; one who `insists` twice does not wait for its job."""

    reason: str
    insists: bool = False
