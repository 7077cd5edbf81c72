"""A stand-in for the runner programs of both forges, in the ways that a supervisor meets.

It is copied under the names of the real ones. As those it takes its configuration from variables
or files, one job or many, and signals; what it is to do it asks a `Control` of `runner_kit`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

CONTROL = os.environ.get("RUNNER_CONTROL", "")
INPUT = "ACTIONS_RUNNER_INPUT_"
ROOT = Path(__file__).resolve().parent.parent
PAUSE = 0.02


def tell(what: str, **facts: Any) -> str:
    """Tell the control what has happened; return what to do next."""
    body = json.dumps({"what": what, "pid": os.getpid(), **facts}).encode()
    request = urllib.request.Request(f"{CONTROL}/tell", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        said: str = json.load(answer)["do"]
    return said


def took(name: str) -> str:
    return os.environ.pop(INPUT + name, "")


def work(secret: str) -> None:
    """Run a job until it may end."""
    tell("job began", secret=secret)
    print("a job runs, and prints", secret, flush=True)
    while tell("job", secret=secret) == "work":
        time.sleep(PAUSE)
    tell("job ended", secret=secret)


def serve(secret: str, *, once: bool, stopping: list[int], job: Any) -> int:
    """Take jobs as the control gives them; return the exit status."""
    tell("began", secret=secret, argv=sys.argv, environ=dict(os.environ))
    print("Listening for Jobs", flush=True)
    while not stopping:
        match tell("next", secret=secret):
            case "job":
                job(secret)
                if once:
                    break
            case "crash":
                return 7
            case "gone":
                return 1
            case _:
                time.sleep(PAUSE)
    tell("ended", secret=secret)
    return 0


def configure() -> int:
    """Register, as config.sh does, from variables alone."""
    given = {name: took(name) for name in ("TOKEN", "NAME", "LABELS", "URL", "UNATTENDED")}
    if (ROOT / ".runner").exists() or given["UNATTENDED"] != "true":
        print("already configured, or nobody there to answer")
        return 1
    if tell("configured", secret=given["TOKEN"], **given) != "fine":
        print("the token is wrong:", given["TOKEN"])
        return 1
    (ROOT / ".runner").write_text(json.dumps({"name": given["NAME"]}))
    (ROOT / ".credentials").write_text("secret of " + given["NAME"])
    return 0


def listener() -> int:
    """GitHub's: an interrupt ends it, and cancels the job that runs."""
    if "--version" in sys.argv:
        print(os.environ.get("RUNNER_VERSION", "2.335.0"))
        return 0
    if "configure" in sys.argv:
        return configure()
    secret = took("JITCONFIG")
    stopping: list[int] = []
    workers: list[subprocess.Popen[bytes]] = []

    def interrupt(number: int, _: Any) -> None:
        stopping.append(number)
        for worker in workers:
            if worker.poll() is None:
                tell("cancelled", secret=secret)
                worker.kill()

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    once = bool(secret)
    if once:
        (ROOT / ".runner").write_text("{}")
        (ROOT / ".credentials").write_text(secret)
    else:
        secret = json.loads((ROOT / ".runner").read_text())["name"]

    def job(secret: str) -> None:
        worker = subprocess.Popen([ROOT / "bin" / "Runner.Worker", secret])
        workers.append(worker)
        worker.wait()

    return serve(secret, once=once, stopping=stopping, job=job)


def gitlab() -> int:
    """GitLab's: SIGQUIT waits for the job, SIGTERM aborts it."""
    if "--version" in sys.argv:
        print(f"Version:      {os.environ.get('RUNNER_VERSION', '18.6.0')}\nGit revision: 1a2b3c")
        return 0
    if "--help" in sys.argv:
        print("   -c value, --config value   Config file")
        return 0
    import tomlkit

    options = dict(part.removeprefix("--").split("=", 1) for part in sys.argv[2:])
    config = tomlkit.parse(Path(options["config"]).read_text()).unwrap()
    once = sys.argv[1] == "run-single"
    (runner,) = [one for one in config["runners"] if not once or one["name"] == options["runner"]]
    stopping: list[int] = []

    def abort(number: int, _: Any) -> None:
        tell("cancelled", secret=runner["token"])
        sys.exit(1)

    signal.signal(signal.SIGQUIT, lambda number, _: stopping.append(number))
    signal.signal(signal.SIGTERM, abort)
    signal.signal(signal.SIGINT, abort)
    return serve(runner["token"], once=once, stopping=stopping, job=work)


if __name__ == "__main__":
    name = Path(sys.argv[0]).name
    if name == "Runner.Worker":
        work(sys.argv[1])
        sys.exit(0)
    sys.exit(listener() if name == "Runner.Listener" else gitlab())
