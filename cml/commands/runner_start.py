"""The story of a supervised runner: its folder held, calls to end heard, and looked after."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from cml.commands.runner_supervisor import Supervisor
from cml.commands.runner_terms import Call
from cml.runners import home, notices, process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from cml.commands.runner_register import Wish
    from cml.commands.runner_terms import Hosts, Terms

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK_SECONDS = 5.0


def start(wish: Wish, terms: Terms, hosts: Hosts, environ: Mapping[str, str]) -> None:
    """Look after a runner until there is a reason to end it, and its last job is done.

    Args:
        wish: the runner.
        terms: how to look after it.
        hosts: its forge.
        environ: what the program and its jobs may see.

    Raises:
        UsageError: strangers could run code here, the program is too old, or it does not run.
        PublishError: the forge refused.
        KeyboardInterrupt: told so twice: the program has been ended, with its job.
    """
    home.make(wish.home)
    process.conceal()
    with home.held(wish.home), _calls() as calls:
        if terms.cloud != "none":
            notices.watch(
                None if terms.cloud == "auto" else terms.cloud,
                lambda said: calls.put(Call(reason=said)),
                address=terms.metadata,
                seconds=min(_LOOK_SECONDS, terms.poll),
            )
        Supervisor(wish, terms, hosts, environ, calls).run()


@contextmanager
def _calls() -> Iterator[SimpleQueue[Call]]:
    """Collect signals, as notices are, instead of dying of them."""
    calls: SimpleQueue[Call] = SimpleQueue()  # may be used inside a signal's handler

    def receive(number: int, _: FrameType | None) -> None:
        # A terminal that is closed hangs up twice: by its shell, and by the system.
        insists = number != signal.SIGHUP
        calls.put(Call(reason=f"{signal.Signals(number).name} came", insists=insists))

    hung_up = signal.getsignal(signal.SIGHUP)
    heard = [one for one in _SIGNALS if one != signal.SIGHUP or hung_up != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, receive) for number in heard}
    try:
        yield calls
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
