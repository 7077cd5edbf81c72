"""SSH: a key of the job's own, and no host that is not known, for data and for git."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from remote_kit import new_key, ssh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab
    from remote_kit import Remote

KEY, HOSTS = "CML_SSH_PRIVATE_KEY", "CML_SSH_KNOWN_HOSTS"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    with ssh(tmp_path_factory.mktemp("ssh")) as found:
        yield found


@pytest.fixture
def place(lab: Lab) -> Path:
    place = lab.root / "tmp"
    place.mkdir()
    lab.env |= {"TMPDIR": str(place), "RUNNER_TEMP": ""}
    return place


def store(lab: Lab, remote: Remote) -> None:
    """Have the data in the remote, and train."""
    lab.write(".dvc/config", remote.config)
    lab.commit("Move the data")
    lab.change_rate(2.0)


def host(remote: Remote) -> str:
    return remote.url.partition("@")[2].partition("/")[0]


def other_host_key(remote: Remote, tmp_path: Path) -> str:
    new_key(tmp_path / "other")
    address, _, port = host(remote).partition(":")
    return f"[{address}]:{port} " + (tmp_path / "other.pub").read_text()


@pytest.mark.parametrize("known", ["nothing", "another key", "another host"])
def test_a_host_that_is_not_known_gets_nothing(
    lab: Lab, server: Remote, place: Path, tmp_path: Path, known: str
) -> None:
    store(lab, server)
    hosts = {
        "nothing": "",
        "another key": other_host_key(server, tmp_path),
        "another host": server.env[HOSTS].replace("127.0.0.1", "127.0.0.2"),
    }
    done = lab.cml("--publish", **{**server.env, HOSTS: hosts[known]})

    assert done.returncode == 3, done.stderr
    assert "Host key is not trusted" in lab.record()["failure"]["message"]
    assert "ssh-keyscan" in lab.record()["failure"]["hint"]
    assert lab.runs == []


def test_a_host_that_is_known_to_this_machine_is_talked_to(
    lab: Lab, server: Remote, place: Path
) -> None:
    store(lab, server)
    lab.write("../home/.ssh/known_hosts", server.env[HOSTS])
    done = lab.cml("--publish", **{KEY: server.env[KEY]})

    assert done.returncode == 0, done.stderr
    assert lab.record()["published"]["pushed"]


@pytest.mark.parametrize("known", [False, True])
def test_a_key_that_dvc_is_configured_with_goes_to_known_hosts_alone(
    lab: Lab, server: Remote, place: Path, *, known: bool
) -> None:
    store(lab, server)
    key = lab.write("../home/key", server.env[KEY])
    key.chmod(0o600)
    lab.write(".dvc/config.local", f"['remote \"storage\"']\n    keyfile = {key}\n")
    done = lab.cml("--publish", **({HOSTS: server.env[HOSTS]} if known else {}))

    assert done.returncode == (0 if known else 3), done.stderr


def test_data_that_a_stage_depends_on_comes_from_known_hosts_alone(
    lab: Lab, server: Remote, place: Path, tmp_path: Path
) -> None:
    data = Path(server.url.partition(host(server))[2]).parent / "raw.txt"
    data.write_text("raw")
    stage = (
        f"  load:\n    cmd: echo loaded\n    deps: [{server.url.removesuffix('storage')}raw.txt]\n"
    )
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + stage)
    lab.commit("Load")
    wrong = lab.cml(**{**server.env, HOSTS: other_host_key(server, tmp_path)})
    right = lab.cml(**server.env)

    assert wrong.returncode == 3, wrong.stderr
    assert "Host key is not trusted" in wrong.stdout
    assert right.returncode == 0, right.stderr


def test_data_imported_from_git_comes_from_known_hosts_alone(
    lab: Lab, server: Remote, place: Path, tmp_path: Path
) -> None:
    source = lab.root / "source"
    source.mkdir()
    lab.git("init", "-q", cwd=source)
    lab.write("raw.txt", "raw", cwd=source)
    lab.commit("Begin", cwd=source, push=False)
    url = server.url.partition(host(server))[0] + host(server) + str(source)
    key = lab.write("../home/.ssh/id_ed25519", server.env[KEY])
    key.chmod(0o600)
    lab.dvc("import", "-q", url, "raw.txt")
    key.unlink()
    (lab.work / "raw.txt").unlink()
    (lab.work / ".dvc/cache/files/md5/bd/d166af3a63f7be696dd17a218a6ffb").unlink()
    stage = "  load:\n    cmd: cat raw.txt\n    deps: [raw.txt]\n"
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text() + stage)
    lab.commit("Load")
    for hosts in ("", other_host_key(server, tmp_path)):
        done = lab.cml(**{**server.env, HOSTS: hosts})
        assert done.returncode == 3, done.stderr
        assert "ssh-keyscan" in done.stderr
    assert not (lab.work / "raw.txt").exists()
    right = lab.cml(**server.env)
    assert right.returncode == 0, right.stderr + right.stdout
    assert (lab.work / "raw.txt").read_text() == "raw"


def test_the_agent_is_lent_to_no_server(lab: Lab, server: Remote) -> None:
    lab.write(".dvc/config", server.config)
    script = (
        "from pathlib import Path\nfrom cml import pipeline\n"
        "with pipeline.open_project(Path.cwd()) as project:\n"
        "    print(project.repo.cloud.get_remote().fs.fs_args['agent_forwarding'])\n"
    )

    assert lab.run(sys.executable, "-c", script) == "False"


def test_stages_see_neither_the_key_nor_its_path(lab: Lab, server: Remote, place: Path) -> None:
    store(lab, server)
    spy = "import os, json\njson.dump(dict(os.environ), open('../seen.json', 'w'))\n"
    lab.write("train.py", spy + (lab.work / "train.py").read_text())
    lab.commit("Spy")
    done = lab.cml("--no-publish", **server.env, DVC_REMOTE_SSH_KEY=server.env[KEY])

    assert done.returncode == 0, done.stderr
    seen = (lab.root / "seen.json").read_text()
    assert KEY not in seen
    assert not [line for line in server.secrets if line in seen]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_run_leaves_no_key_behind(
    lab: Lab, server: Remote, place: Path, number: signal.Signals
) -> None:
    store(lab, server)
    lab.write("train.py", "open('../trains', 'w'); import time; time.sleep(100)\n")
    lab.commit("Train for long")
    env = lab.environ(**server.env)
    log = (lab.root / "log").open("w")
    with (
        log,
        subprocess.Popen(
            [sys.executable, "-m", "cml"], cwd=lab.work, env=env, stdout=log, stderr=log
        ) as process,
    ):
        while not (lab.root / "trains").exists():
            assert process.poll() is None, (lab.root / "log").read_text()
            time.sleep(0.05)
        assert len(list(place.glob("cml-keys-*/*"))) == 2
        process.send_signal(number)
    deadline = time.monotonic() + 20
    while list(place.glob("cml-keys-*")) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert list(place.glob("cml-keys-*")) == []


@pytest.fixture
def origin(lab: Lab, server: Remote) -> str:
    """Have git talk to its remote over SSH; return the URL."""
    lab.change_rate(2.0)
    url = f"{server.url.partition(host(server))[0]}{host(server)}{lab.origin}"
    lab.git("remote", "set-url", "origin", url)
    return url


def test_git_pushes_with_the_same_key(lab: Lab, server: Remote, place: Path, origin: str) -> None:
    done = lab.cml("--publish", **server.env)

    assert done.returncode == 0, done.stderr
    assert lab.results()
    assert list(place.iterdir()) == []


def test_git_shows_the_server_no_other_key(
    lab: Lab, server: Remote, place: Path, origin: str, tmp_path: Path
) -> None:
    socket = tmp_path / "agent"
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as one:
        while not socket.exists():
            time.sleep(0.02)
        for number in range(7):  # more than a server lets anybody try
            new_key(tmp_path / f"key{number}")
            add = ["ssh-add", "-q", str(tmp_path / f"key{number}")]
            subprocess.run(add, check=True, env={**os.environ, "SSH_AUTH_SOCK": str(socket)})
        done = lab.cml("--publish", **server.env, SSH_AUTH_SOCK=str(socket))
        one.terminate()

    assert done.returncode == 0, done.stderr


def test_git_pushes_nothing_to_a_host_that_is_not_known(
    lab: Lab, server: Remote, place: Path, origin: str, tmp_path: Path
) -> None:
    done = lab.cml("--publish", **{**server.env, HOSTS: other_host_key(server, tmp_path)})

    assert done.returncode == 4, done.stderr
    assert "Host key verification failed" in done.stderr + done.stdout
    assert "ssh-keyscan" in done.stderr + done.stdout
    assert not lab.results()


def test_an_ssh_command_that_somebody_has_chosen_is_left_alone(
    lab: Lab, server: Remote, place: Path, origin: str
) -> None:
    chosen = lab.write("../chosen.sh", f'touch {lab.root}/asked; shift; cd /; exec sh -c "$*"\n')
    lab.git("config", "core.sshCommand", f"sh {chosen}")
    lab.cml("--publish", **server.env)

    assert (lab.root / "asked").exists()
