"""What the tests of runners share: programs to download, a control of what they do, supervisors."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from forge_faults import Answer
from forge_github import GitHub
from forge_gitlab import GitLab
from forge_server import Server
from lab import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forge_http import Request

PROGRAM = f"#!{sys.executable}\n{(Path(__file__).parent / 'runner_program.py').read_text()}"
# As the real one: whatever happened, it ends with 0.
RUN_SH = """\
#!/bin/bash
cd "$(dirname "${BASH_SOURCE[0]}")"
bin/Runner.Listener run $*
echo "Exiting runner..."
exit 0
"""
CONFIG_SH = """\
#!/bin/bash
cd "$(dirname "${BASH_SOURCE[0]}")"
bin/Runner.Listener configure $*
"""
FILES = {
    "run.sh": RUN_SH,
    "config.sh": CONFIG_SH,
    "bin/Runner.Listener": PROGRAM,
    "bin/Runner.Worker": PROGRAM,
}
SECONDS = 15.0


def archive(files: dict[str, str] = FILES) -> bytes:
    """Pack a program as GitHub does."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            item = tarfile.TarInfo(f"./{name}")
            item.size, item.mode = len(text.encode()), 0o755
            tar.addfile(item, io.BytesIO(text.encode()))
    return packed.getvalue()


def unpacked(folder: Path) -> Path:
    """Put GitHub's program into a folder, as people do."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return folder


@pytest.fixture(params=["github", "gitlab"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, serving: Callable[[Any], Any]
) -> Iterator[Machine]:
    """A machine for a runner of each forge."""
    yield from machines(request.param, tmp_path, serving)


@pytest.fixture
def github_machine(tmp_path: Path, serving: Callable[[Any], Any]) -> Iterator[Machine]:
    yield from machines("github", tmp_path, serving)


@pytest.fixture
def gitlab_machine(tmp_path: Path, serving: Callable[[Any], Any]) -> Iterator[Machine]:
    yield from machines("gitlab", tmp_path, serving)


def machines(vendor: str, root: Path, serving: Callable[[Any], Any]) -> Iterator[Machine]:
    forge = serving(GitHub(private=True) if vendor == "github" else GitLab())
    with Control(forge) as control:
        made = Machine(root, forge, control)
        offered(made)
        yield made
        made.clean()


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until something is so; fail where it does not come."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(what or "it did not come")


class Control:
    """Hears what runner programs do, says what they do next, and tells their forge of it.

    `plan` holds what comes next: `job`, `crash`; else they wait. A job ends after `finish()`.
    """

    def __init__(self, forge: Any) -> None:
        self.forge = forge
        self.heard: list[dict[str, Any]] = []
        self.plan: list[str] = []
        self.files: dict[str, bytes] = {}
        self._finished = 0
        self.quick = False
        """Whether jobs end at once."""
        self._server = Server(self.respond)
        self.url = self._server.address

    def __enter__(self) -> Any:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def offer(self, name: str, content: bytes) -> tuple[str, str]:
        """Have something to download; return its address and SHA-256."""
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}", hashlib.sha256(content).hexdigest()

    def finish(self) -> None:
        """Let the job that runs, or comes next, end."""
        self._finished += 1

    def respond(self, request: Request) -> Answer:
        if request.path in self.files:
            return Answer(200, self.files[request.path])
        if request.path != "/tell":
            return Answer(404)
        with self.forge.lock:
            return Answer(200, {"do": self._next(request.json)})

    def _next(self, said: dict[str, Any]) -> str:
        what, name = said["what"], self._name(said)
        if what not in {"job", "next"}:
            self.heard.append(said)
        match what:
            case "configured":
                if said["secret"] not in self.forge.runner_secrets or self._listed(name):
                    return "wrong"
                self.forge.add_runner(name, labels=tuple(said["LABELS"].split(",")))
                return "fine"
            case "next":
                return self._told(name)
            case "job":
                return self._job()
        if name and self._listed(name):
            self._mark(what, name)
        return "fine"

    def _told(self, name: str) -> str:
        if not self._listed(name):
            return "gone"
        told = self.plan.pop(0) if self.plan else "wait"
        if told == "job":  # a forge has it down as busy from here on, before it runs anything
            self.forge.set_runner(name, busy=True)
        return told

    def _job(self) -> str:
        if self._finished or self.quick:
            self._finished -= not self.quick
            return "done"
        return "work"

    def _mark(self, what: str, name: str) -> None:
        match what:
            case "began":
                self.forge.set_runner(name)
            case "job ended" | "cancelled":
                self.forge.end_job(name)
            case "ended":
                self.forge.set_runner(name, online=False)

    def _name(self, said: dict[str, Any]) -> str:
        """Find out which runner it is by the secret that it was given."""
        if "NAME" in said:
            return str(said["NAME"])
        secret = said.get("secret", "")
        numbered = re.fullmatch(r"glrt-fake(\d+)tokenOfARunner", secret)
        if numbered:
            found = [one for one in self.forge.runners if str(one["id"]) == numbered[1]]
            return str(found[0]["description"]) if found else ""
        if secret not in self.forge.runner_secrets:
            return str(secret)  # a persistent runner of GitHub knows its name
        made = self.forge.requests("POST", "generate-jitconfig")
        names = [json.loads(one.body)["name"] for one in made if one.status == 201]
        return str(names[self.forge.runner_secrets.index(secret)])

    def _listed(self, name: str) -> bool:
        return any(name in {one.get("name"), one.get("description")} for one in self.forge.runners)

    def count(self, what: str) -> int:
        return sum(said["what"] == what for said in self.heard)

    def wait(self, what: str, times: int = 1) -> dict[str, Any]:
        """Wait until a program has said something, so often; return the last of it."""
        until(lambda: self.count(what) >= times, f"{what} x{times}: {self.told}")
        found: dict[str, Any] = [said for said in self.heard if said["what"] == what][times - 1]
        return found

    @property
    def told(self) -> list[str]:
        return [said["what"] for said in self.heard]


@dataclass
class Machine:
    """A machine with a home, on which `cml-run runner` is run against a fake forge."""

    root: Path
    forge: Any
    control: Control
    extra: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def vendor(self) -> str:
        return "gitlab" if hasattr(self.forge, "job_token") else "github"

    @property
    def token(self) -> str:
        return str(self.forge.token if self.vendor == "gitlab" else self.forge.person)

    @property
    def home(self) -> Path:
        return self.root / "home" / ".cml-run" / "runners" / "gpu"

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "state.json").read_text())
        return found

    def environ(self) -> dict[str, str]:
        (self.root / "home").mkdir(exist_ok=True)
        known = {
            "GITHUB_API_URL": self.forge.api,
            "GITHUB_SERVER_URL": self.forge.server,
            "RUNNER_ALLOW_RUNASROOT": "1",
        }
        if self.vendor == "gitlab":
            known = {"CI_API_V4_URL": self.forge.api, "CI_SERVER_URL": self.forge.server}
            known["CML_RUNNER_DOWNLOADS"] = f"{self.control.url}/v18.6.0"
        known |= {"repo_token": self.token, "RUNNER_CONTROL": self.control.url, **self.extra}
        return environment(self.root / "home", **known)

    def argv(self, command: str, *args: str) -> list[str]:
        named = ("--forge", self.vendor, "--repository", self.forge.repository, "--name", "gpu")
        return [sys.executable, "-m", "cml", "runner", command, *named, *args]

    def run(self, command: str, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.argv(command, *args),
            cwd=self.root,
            env=self.environ(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start `cml-run runner start`; what it says goes to `said`."""
        watched = ("--poll", "0.1", "--cloud", "none", *args)
        with (self.root / "said").open("ab") as said:
            process = subprocess.Popen(
                self.argv("start", *watched),
                cwd=self.root,
                env=self.environ(),
                stdout=said,
                stderr=said,
            )
        self.started.append(process)
        return process

    @property
    def said(self) -> str:
        return (self.root / "said").read_text()

    def ends(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on: {self.said}\n{self.control.told}") from None

    def clean(self) -> None:
        """End what was started, and the programs that outlive it."""
        for process in self.started:
            process.kill()
            process.wait()
        for said in self.control.heard:
            with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                if str(self.root) in " ".join(psutil.Process(said["pid"]).cmdline()):
                    os.kill(said["pid"], 9)


def offered(machine: Machine, content: bytes | None = None, sha256: str | None = None) -> None:
    """Have the forge offer the newest program, with a checksum that may be wrong."""
    if machine.vendor == "gitlab":
        name = "binaries/gitlab-runner-linux-amd64"
        _, found = machine.control.offer(f"v18.6.0/{name}", content or PROGRAM.encode())
        machine.control.offer("v18.6.0/release.sha256", f"{sha256 or found} *{name}\n".encode())
        return
    url, found = machine.control.offer(
        "actions-runner-linux-x64-2.335.0.tar.gz", content or archive()
    )
    machine.forge.programs[:] = [
        {
            "os": "linux",
            "architecture": "x64",
            "download_url": url,
            "filename": url.rpartition("/")[2],
            "sha256_checksum": sha256 or found,
        }
    ]
