"""What a supervisor makes of the answers that it gets, by a clock that tests turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cml.commands.runner_terms import Hosts
from cml.commands.runner_watching import GONE_SECONDS, Output, Watch
from cml.errors import PublishError
from cml.forges.base import Runner
from cml.forges.waiting import MOST
from cml.runners import decisions, process
from cml.runners.decisions import Limits, Seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

IDLE = Runner(id=1, name="gpu", online=True, busy=False)
BUSY = Runner(id=1, name="gpu", online=True, busy=True)


class Clock:
    """Seconds that go by when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def unreachable() -> Runner | None:
    raise PublishError("no route to host")


def after(
    clock: Clock, watch: Watch, seconds: float, ask: Callable[[], Runner | None] | None
) -> bool | None:
    clock.now += seconds
    watch.look(ask, lambda: None)
    return watch.busy


def test_idle_is_only_the_time_for_which_it_is_sure() -> None:
    clock = Clock()
    watch = Watch(10, clock)

    assert after(clock, watch, 0, lambda: IDLE) is False
    after(clock, watch, 100, lambda: IDLE)
    assert watch.idle == 100
    assert after(clock, watch, 10, unreachable) is None
    assert watch.idle == 0
    after(clock, watch, 10, lambda: BUSY)
    after(clock, watch, 10, lambda: IDLE)
    assert watch.idle == 10


def test_the_forge_is_asked_no_more_often_than_told() -> None:
    asked: list[int] = []
    clock = Clock()
    watch = Watch(10, clock)

    def ask() -> Runner:
        asked.append(1)
        return IDLE

    for _ in range(100):
        after(clock, watch, 1, ask)

    assert len(asked) == 10


def test_a_forge_out_of_reach_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watch = Watch(10, clock)
    for _ in range(5):
        after(clock, watch, 10, unreachable)

    assert [record.message for record in caplog.records] == [
        "whether a job runs is not known, so it counts: no route to host"
    ]


def test_a_runner_that_is_not_listed_may_be_at_work_for_a_while() -> None:
    clock = Clock()
    watch = Watch(10, clock)

    assert after(clock, watch, 0, lambda: None) is None
    assert after(clock, watch, GONE_SECONDS - 1, lambda: None) is None
    assert not watch.lost
    assert after(clock, watch, 10, lambda: None) is False
    assert watch.lost
    watch.restart()
    assert not watch.lost


def test_a_worker_that_is_seen_is_believed_more_than_the_forge() -> None:
    clock = Clock()
    watch = Watch(10, clock)
    watch.look(lambda: IDLE, lambda: True)

    assert watch.busy is True
    clock.now += 10
    watch.look(None, lambda: False)
    assert watch.busy is False


def test_a_runner_that_was_taken_off_the_list_is_ended_to_be_registered_anew() -> None:
    seen = Seen(alive=True, busy=False, idle=0, age=0, lost=True)

    assert decisions.decide(Limits(), seen).verb == "leave"
    assert decisions.decide(Limits(), Seen(alive=False, busy=False, idle=0, age=0)).verb == "start"


def test_whole_lines_are_passed_on_without_the_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Output(tmp_path)
    output.pass_on()
    output.begin("s3cret")
    (tmp_path / process.LOG).write_bytes(b"the s3cret is \xff\nhalf a s3")
    output.pass_on()
    with (tmp_path / process.LOG).open("ab") as file:
        file.write(b"cret\n")
    output.pass_on()

    assert capsys.readouterr().err == "the *** is \ufffd\nhalf a ***\n"


def test_waiting_for_the_forge_once_leaves_as_much_patience_for_the_next_time() -> None:
    asked: list[float] = []

    def opened(most: float) -> Any:
        asked.append(most)
        return object()

    hosts = Hosts(hasty=opened(0), opened=opened)

    assert hosts.patient is not hosts.patient
    assert hosts.hasty is hosts.hasty
    assert asked == [0, MOST, MOST]
