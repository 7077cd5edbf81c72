"""The room of runner programs: decisions, the folder, what is fetched, notices, config.toml."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from forge_faults import Answer
from forge_server import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from runner_kit import archive, until

from cml.errors import PublishError, UsageError
from cml.runners import asking, decisions, fetching, gitlab_program, home, notices, process
from cml.runners.base import Command
from cml.runners.decisions import Limits, Seen
from cml.runners.gitlab_program import Executor
from cml.runners.home import Entry, Process, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge_http import Request

SEEN = Seen(alive=True, busy=False, idle=0, age=0)
ENTRY = Entry(id=7, name="gpu-1", url="https://forge", kind="just-in-time", credential="s3cret")
STATE = State(owner="o/r", entry=ENTRY, process=Process(pid=1, started=2.5, boot="b"), since=3.5)


class Life(RuleBasedStateMachine):
    """A runner of which anything may happen, looked after by nothing but decisions.

    `job` is the truth; what is seen of it may be late (None), but a forge never says that no job
    runs while one does, and takes no runner off its list that has one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits()
        self.alive = self.job = self.ended = self.draining = False
        self.idle = self.age = 0.0
        self.failures = self.rounds = 0
        self.told = ""
        self.cancelled = False

    @initialize(
        idle=st.sampled_from([None, 1.0, 50.0]),
        lifetime=st.sampled_from([None, 1.0, 500.0]),
        single=st.booleans(),
        drains=st.booleans(),
    )
    def asks(
        self, *, idle: float | None, lifetime: float | None, single: bool, drains: bool
    ) -> None:
        self.limits = Limits(idle=idle, lifetime=lifetime, single=single, drains=drains)

    @rule(seconds=st.sampled_from([0.5, 60.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.age += seconds
        self.idle = 0.0 if self.job else self.idle + seconds

    @rule()
    @precondition(lambda self: self.alive and not self.draining)
    def a_job_comes(self) -> None:
        self.job = True

    @rule()
    @precondition(lambda self: self.job)
    def the_job_ends(self) -> None:
        self.job = self.alive = self.draining = False
        self.idle, self.failures = 0.0, 0
        self.rounds += 1

    @rule()
    @precondition(lambda self: self.alive)
    def it_crashes(self) -> None:
        self.alive = self.job = self.draining = False
        self.failures += 1

    @rule()
    def somebody_tells_it(self) -> None:
        self.told = "SIGTERM came"

    @rule(known=st.booleans())
    @precondition(lambda self: not self.ended)
    def is_looked_after(self, *, known: bool) -> None:
        busy = self.job if known else None
        idle = self.idle if known else 0.0
        seen = Seen(
            alive=self.alive,
            busy=busy,
            idle=idle,
            age=self.age,
            told=self.told,
            rounds=self.rounds,
            failures=self.failures,
        )
        verb = decisions.decide(self.limits, seen).verb
        if verb == "start":
            assert not self.alive
            assert not self.told
            self.alive = True
        elif verb == "leave":
            self._leave()
        elif verb in {"end", "give up"}:
            assert not self.alive
            self.ended = True

    def _leave(self) -> None:
        assert self.told or self.age or self.idle
        if self.job and self.limits.drains:
            self.draining = True
            return
        self.cancelled |= self.job
        self.alive = False

    @invariant()
    def no_job_was_cancelled(self) -> None:
        assert not self.cancelled

    @invariant()
    def whoever_is_told_ends_once_no_job_runs(self) -> None:
        if self.told and not self.job:
            seen = replace(SEEN, alive=self.alive, told=self.told)
            assert decisions.decide(self.limits, seen).verb in {"leave", "end"}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=30)


@given(failures=st.integers(1, 50), jitter=st.floats(0, 1))
def test_pauses_grow_within_bounds(failures: int, jitter: float) -> None:
    found = decisions.pause(failures, base=10, jitter=jitter)

    assert 5 <= found <= 300
    assert found <= decisions.pause(failures + 1, base=10, jitter=1)


@pytest.mark.parametrize(
    ("facts", "crash"),
    [
        ({"code": 0, "listed": True}, True),
        ({"code": 0, "listed": False}, False),
        ({"code": 0, "listed": True, "worked": True}, False),
        ({"code": 7, "listed": False, "worked": True}, True),
        ({"code": None, "listed": True}, True),
        ({"code": 0, "listed": True, "stays_listed": True}, False),
        ({"code": 1, "listed": True, "stays_listed": True}, True),
        ({"code": None, "listed": True, "stays_listed": True}, True),
        ({"code": None, "listed": True, "stays_listed": True, "worked": True}, False),
    ],
)
def test_an_end_without_a_job_is_a_crash_whatever_the_status(
    facts: dict[str, Any],
    crash: bool,  # noqa: FBT001 - a case
) -> None:
    assert decisions.is_crash(**{"worked": False, "stays_listed": False, **facts}) is crash


def test_what_a_folder_keeps_comes_back_and_nobody_else_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    home.make(folder)
    assert home.read(folder) is None
    home.write(folder, STATE)

    assert home.read(folder) == STATE
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "s3cret" not in repr(STATE)
    home.clear(folder)
    assert home.read(folder) is None


def test_a_folder_that_others_may_look_into_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(UsageError, match="others may look into"):
        home.make(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "entry": 3}'])
def test_a_state_that_makes_no_sense_is_told_and_not_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(UsageError, match=r"state\.json cannot be read"):
        home.read(tmp_path)


def test_a_folder_has_one_supervisor(tmp_path: Path) -> None:
    with home.held(tmp_path), pytest.raises(UsageError, match="another"), home.held(tmp_path):
        pass
    with home.held(tmp_path):
        pass


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, dict[str, Any]]]:
    """A server that answers with what stands in the dict: bytes, or a function of the request."""
    pages: dict[str, Any] = {}

    def respond(request: Request) -> Answer:
        found = pages.get(f"{request.method} {request.path}")
        if callable(found):
            found = found(request)
        return Answer(404) if found is None else Answer(200, found, {"Metadata-Flavor": "Google"})

    server = Server(respond)
    server.start()
    yield server, pages
    server.stop()


@pytest.fixture
def pages(served: tuple[Server, dict[str, Any]]) -> dict[str, Any]:
    served[1].clear()
    return served[1]


@pytest.fixture
def address(served: tuple[Server, dict[str, Any]]) -> str:
    return served[0].address


def fetched(address: str, content: bytes, target: Path, sha256: str | None = None) -> None:
    import hashlib

    found = sha256 or hashlib.sha256(content).hexdigest()
    fetching.fetch(f"{address}/program", found, target, archive=target.name == "folder")


def test_a_program_takes_the_place_of_the_one_before(
    pages: dict[str, Any], address: str, tmp_path: Path
) -> None:
    for text in ("old", "new"):
        pages["GET /program"] = archive({"run.sh": text, text: ""})
        fetched(address, pages["GET /program"], tmp_path / "folder")

    assert {path.name for path in (tmp_path / "folder").iterdir()} == {"run.sh", "new"}
    assert (tmp_path / "folder" / "run.sh").read_text() == "new"
    assert os.access(tmp_path / "folder" / "run.sh", os.X_OK)
    pages["GET /program"] = b"binary"
    fetched(address, b"binary", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"binary"
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_a_wrong_checksum_leaves_everything_as_it_was(
    pages: dict[str, Any], address: str, tmp_path: Path
) -> None:
    pages["GET /program"] = archive({"run.sh": "evil"})
    (tmp_path / "folder").mkdir()
    with pytest.raises(PublishError, match="is not the runner program"):
        fetched(address, b"", tmp_path / "folder", "0" * 64)

    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def hostile(name: str, **facts: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        item = tarfile.TarInfo(name)
        for key, value in facts.items():
            setattr(item, key, value)
        tar.addfile(item)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        hostile("../outside"),
        hostile("a/../../outside"),
        hostile("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        hostile("link", type=tarfile.SYMTYPE, linkname="../../outside"),
        hostile("device", type=tarfile.CHRTYPE),
        archive({"run.sh": "x" * 5000})[:-20],
        b"no archive",
    ],
    ids=["up", "up-inside", "link-to-root", "link-up", "device", "cut", "text"],
)
def test_an_archive_that_reaches_out_or_is_broken_is_refused(
    pages: dict[str, Any], address: str, tmp_path: Path, content: bytes
) -> None:
    pages["GET /program"] = content
    with pytest.raises(UsageError, match="cannot be unpacked"):
        fetched(address, content, tmp_path / "folder")

    assert list(tmp_path.iterdir()) == []


def test_a_program_that_cannot_be_had_is_told(
    pages: dict[str, Any], address: str, tmp_path: Path
) -> None:
    assert pages == {}
    with pytest.raises(PublishError, match="404"):
        fetched(address, b"", tmp_path / "file")
    with pytest.raises(PublishError, match="cannot be fetched"):
        fetching.fetch("file:///etc/passwd", "0" * 64, tmp_path / "file", archive=False)


AZURE = {"EventType": "Preempt", "Resources": ["gpu-vm"], "NotBefore": "Mon, 19 Sep 2026"}


def cloud(name: str, pages: dict[str, Any], notice: bool) -> None:  # noqa: FBT001 - a switch
    """Answer as one cloud does, with its notice or without."""
    if name == "aws":

        def action(request: Request) -> bytes | None:
            assert request.headers["x-aws-ec2-metadata-token"] == "t0ken"
            return b'{"action": "terminate", "time": "2026-01-01T00:02:00Z"}' if notice else None

        pages["PUT /latest/api/token"] = b"t0ken"
        pages["GET /latest/meta-data/spot/instance-action"] = action
    if name == "gcp":
        pages["GET /computeMetadata/v1/"] = b"instance/"
        pages["GET /computeMetadata/v1/instance/preempted"] = b"TRUE" if notice else b"FALSE"
    if name == "azure":
        events = [{**AZURE, "Resources": ["another"]}, {"EventType": "Reboot"}]
        found = json.dumps({"Events": [*events, AZURE] if notice else events}).encode()
        pages["GET /metadata/instance"] = b'{"compute": {}}'
        pages["GET /metadata/instance/compute/name"] = b"gpu-vm"
        pages["GET /metadata/scheduledevents"] = lambda request: (
            found if request.headers.get("metadata") == "true" else None
        )


@pytest.mark.parametrize("name", notices.CLOUDS)
def test_each_cloud_is_known_and_its_notice_is_heard_when_it_comes(
    name: str, pages: dict[str, Any], address: str
) -> None:
    cloud(name, pages, notice=False)
    if name != "gcp":  # the server of this test says that it is Google wherever it has a page
        assert notices.detect(notices.asking(address)) == name
    heard: list[str] = []
    notices.watch(name, heard.append, address=address, seconds=0.01)
    assert notices.notice(name, notices.asking(address)) == ""
    assert heard == []
    cloud(name, pages, notice=True)

    until(lambda: heard)
    assert "takes this machine back" in heard[0]


def test_a_cloud_that_does_not_answer_at_first_is_found_all_the_same(
    pages: dict[str, Any], address: str
) -> None:
    cloud("aws", pages, notice=True)
    answers = iter([None, None, b"t0ken"])
    pages["PUT /latest/api/token"] = lambda _: next(answers, b"t0ken")
    heard: list[str] = []
    notices.watch(None, heard.append, address=address, seconds=0.01)

    until(lambda: heard)
    assert "AWS takes this machine back" in heard[0]


@pytest.mark.parametrize("odd", [b'{"Events": 3}', b'{"Events": [3, {}, {"EventType": 5}]}', b"[]"])
def test_an_odd_answer_is_no_notice_and_ends_no_watch(
    pages: dict[str, Any], address: str, odd: bytes
) -> None:
    pages["GET /metadata/scheduledevents"] = odd
    assert notices.notice("azure", notices.asking(address)) == ""


def test_a_machine_of_no_cloud_is_left_alone(address: str, pages: dict[str, Any]) -> None:
    before = threading.active_count()
    notices.watch(None, pytest.fail, address=address, seconds=0.01)

    until(lambda: threading.active_count() <= before)
    assert notices.detect(notices.asking("http://127.0.0.1:9")) is None
    assert pages == {}


@settings(max_examples=25)
@given(name=st.text(), token=st.text(), image=st.text())
def test_any_name_stands_in_config_toml_as_what_it_is(name: str, token: str, image: str) -> None:
    announced = replace(ENTRY, name=name, credential=token, kind="authentication")
    executor = Executor(image=image, gpus=True)
    text = gitlab_program.toml(announced, executor, Path("/home/x"))
    found = tomlkit.parse(text).unwrap()

    assert found == {
        "concurrent": 1,
        "check_interval": 3,
        "runners": [
            {
                "name": name,
                "url": "https://forge",
                "token": token,
                "executor": "docker",
                "docker": {"image": image, "gpus": "all"},
            }
        ],
    }


def test_without_a_gpu_and_without_docker_config_toml_asks_for_none() -> None:
    plain = tomlkit.parse(gitlab_program.toml(ENTRY, Executor(), Path("/x"))).unwrap()
    shell = tomlkit.parse(gitlab_program.toml(ENTRY, Executor(kind="shell"), Path("/x"))).unwrap()

    assert plain["runners"][0]["docker"] == {"image": "python:3.12"}
    assert "docker" not in shell["runners"][0]
    assert shell["runners"][0]["builds_dir"] == "/x/builds"


@pytest.mark.parametrize(
    ("version", "floor", "older"),
    [("2.9.0", "2.10.0", True), ("2.329.0", "2.329.0", False), ("18.6.0", "15.10.0", False)],
)
def test_versions_are_compared_as_numbers(version: str, floor: str, older: bool) -> None:  # noqa: FBT001 - a case
    assert asking.is_older(version, floor) is older


def test_a_program_that_tells_no_version_is_told() -> None:
    with pytest.raises(UsageError, match="does not tell its version"):
        asking.version(["true"], {})
    with pytest.raises(UsageError, match="cannot run"):
        asking.version(["/no/such/program"], {})


def test_a_process_of_the_same_number_is_not_taken_for_ours(tmp_path: Path) -> None:
    child = process.start(
        Command(argv=("sleep", "60"), environ=dict(os.environ), cwd=tmp_path), tmp_path
    )
    try:
        adopted = process.adopt(child.process)
        assert adopted
        assert adopted.alive()
        for other in ({"started": child.process.started - 60}, {"boot": "another"}):
            assert process.adopt(replace(child.process, **other)) is None  # type: ignore[arg-type]
    finally:
        child.kill(grace=5)
    assert process.adopt(child.process) is None
    assert child.code == -15


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hides what is asked for here")
def test_jobs_of_the_same_user_cannot_read_the_token_of_the_supervisor() -> None:
    script = (
        "import ctypes, os, subprocess, sys; from cml.runners import process\n"
        "os.geteuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534))\n"
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # as for any program of that user\n"
        "sys.argv[1:] and process.conceal()\n"
        "print(subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True))\n"
    )
    open_, hidden = (
        subprocess.run(
            [sys.executable, "-c", script, *args],
            env={**os.environ, "repo_token": "s3cret-token"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for args in ((), ("hide",))
    )

    if "s3cret-token" not in open_:
        pytest.skip("nobody can look at processes here")
    assert "s3cret-token" not in hidden
    assert "Permission denied" in hidden
