"""Keys given as text: files for as long as the command runs, for nobody else, and never shown."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from remote_kit import new_key

from cml import credentials
from cml.credentials import material
from cml.errors import UsageError

GOOGLE = "GOOGLE_APPLICATION_CREDENTIALS"
KEY, HOSTS = "CML_SSH_PRIVATE_KEY", "CML_SSH_KNOWN_HOSTS"
ACCOUNT = {"type": "service_account", "client_email": "a@b", "private_key": "k", "token_uri": "u"}
LINE = "example.org ssh-ed25519 " + "A" * 68
# Lays out a key, names its file, and then does what its last argument says.
HOLDER = """\
import os, sys, time
import cml.cli
from cml import credentials
import signal
signal.signal(signal.SIGTERM, sys.modules["cml.cli.main"]._terminated)
with credentials.laid_out(os.environ):
    print(os.environ["GOOGLE_APPLICATION_CREDENTIALS"], flush=True)
    exec(sys.argv[1])
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, beside the work tree that is the current folder."""
    work, place = tmp_path / "work", tmp_path / "place"
    (work / ".git").mkdir(parents=True)
    place.mkdir()
    monkeypatch.chdir(work)
    return place


def laid(place: Path, **given: str) -> dict[str, str]:
    return {"RUNNER_TEMP": str(place), **given}


def holder(place: Path, then: str) -> subprocess.Popen[str]:
    env = {**os.environ, **laid(place, **{GOOGLE: json.dumps(ACCOUNT)})}
    argv = [sys.executable, "-c", HOLDER, then]
    return subprocess.Popen(
        argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def gone(path: Path) -> bool:
    deadline = time.monotonic() + 20
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not path.exists()


def test_a_text_is_a_file_for_this_user_alone_and_gone_at_the_end(place: Path) -> None:
    text = json.dumps(ACCOUNT, indent=2)
    environ = laid(place, **{GOOGLE: text})

    with credentials.laid_out(environ):
        path = Path(environ[GOOGLE])
        assert json.loads(path.read_text()) == ACCOUNT
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.parent.parent == place

    assert list(place.iterdir()) == []
    assert environ[GOOGLE] == text


def test_a_file_is_gone_after_an_exception(place: Path) -> None:
    environ = laid(place, **{GOOGLE: json.dumps(ACCOUNT)})

    with pytest.raises(ZeroDivisionError), credentials.laid_out(environ):
        1 / 0  # noqa: B018 (what fails does not matter)

    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "then", ["os._exit(1)", "os.abort()", "raise ValueError", "os.kill(os.getpid(), 9)"]
)
def test_a_key_given_as_text_is_gone_after_a_crash(place: Path, then: str) -> None:
    with holder(place, then) as process:
        path = Path((process.stdout or sys.stdin).readline().strip())

    assert path.parent.parent == place
    assert gone(path.parent)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_key_given_as_text_is_gone_after_a_signal(place: Path, number: signal.Signals) -> None:
    with holder(place, "time.sleep(60)") as process:
        path = Path((process.stdout or sys.stdin).readline().strip())
        assert path.is_file()
        process.send_signal(number)

    assert gone(path.parent)


def test_a_path_stays_a_path_and_is_never_written_out(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text("anything")
    file.chmod(0o600)
    environ = laid(place, **{GOOGLE: str(file), KEY: str(file), HOSTS: str(file)})

    with credentials.laid_out(environ):
        assert environ[GOOGLE] == environ[KEY] == environ[HOSTS] == str(file)
        assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", credentials.FILES)
@pytest.mark.parametrize("value", ["/no/such/file.json", "c2VjcmV0", "{", '{"a": 1}', "x\ny", "\0"])
def test_what_is_neither_key_nor_path_is_an_error_that_does_not_show_it(
    place: Path, name: str, value: str
) -> None:
    with pytest.raises(UsageError) as error, credentials.laid_out(laid(place, **{name: value})):
        pass

    assert error.value.message.startswith(f"{name} holds neither")
    assert value not in error.value.message + (error.value.hint or "")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("absent", ["client_email", "private_key", "token_uri"])
def test_a_part_of_a_key_is_told_from_a_whole_one(absent: str) -> None:
    part = {name: value for name, value in ACCOUNT.items() if name != absent}

    with pytest.raises(UsageError, match=f"lacks {absent}$"):
        material.texts({GOOGLE: json.dumps(part)})


def test_a_key_keeps_working_that_was_pasted_without_its_last_newline(tmp_path: Path) -> None:
    text = new_key(tmp_path / "key")
    pasted = "\n" + text.strip().replace("\n", "\r\n")

    assert material.texts({KEY: pasted}) == {KEY: text}


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.parametrize("format_", [[], ["-m", "PEM"], ["-m", "PKCS8"]], ids="".join)
@pytest.mark.parametrize("form", ["\\n", "\\r\\n", " ", "", "base64"])
def test_a_key_works_in_each_form_that_fits_on_one_line(
    tmp_path: Path, kind: str, format_: list[str], form: str
) -> None:
    path = tmp_path / "key"
    new_key(path, kind=kind)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "", *format_, "-f", str(path)], check=True)
    text = path.read_text()
    line = b64(text) if form == "base64" else text.strip().replace("\n", form)
    path.write_text(material.texts({KEY: line})[KEY])

    said = subprocess.run(["ssh-keygen", "-y", "-f", str(path)], check=True, capture_output=True)
    assert said.stdout.split()[:2] == (tmp_path / "key.pub").read_bytes().split()[:2]


def test_a_key_with_a_passphrase_is_refused_on_one_line_too(tmp_path: Path) -> None:
    line = new_key(tmp_path / "key", "a passphrase").replace("\n", "\\n")

    with pytest.raises(UsageError, match="has a passphrase"):
        material.texts({KEY: line})


def test_what_must_be_on_one_line_may_be_in_base64() -> None:
    text = json.dumps(ACCOUNT, indent=2)

    found = material.texts({GOOGLE: b64(text), HOSTS: b64(f"{LINE}\n")})
    assert found == {GOOGLE: f"{text}\n", HOSTS: f"{LINE}\n"}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_key_that_others_may_read_is_copied(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "variable of type file"
    text = new_key(file)
    file.write_text(text.strip())
    file.chmod(0o666)
    environ = laid(place, **{KEY: str(file)})

    with credentials.laid_out(environ):
        path = Path(environ[KEY])
        assert path.is_relative_to(place)
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (text, 0o600)


def test_a_path_holds_in_other_folders_too(place: Path) -> None:
    Path("key.json").write_text(json.dumps(ACCOUNT))
    environ = laid(place, **{GOOGLE: "key.json"})

    with credentials.laid_out(environ):
        assert environ[GOOGLE] == str(Path.cwd() / "key.json")


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
@pytest.mark.parametrize("format_", [[], ["-m", "PEM"], ["-m", "PKCS8"]], ids="".join)
def test_a_key_with_a_passphrase_is_refused(tmp_path: Path, kind: str, format_: list[str]) -> None:
    path = tmp_path / "key"
    open_key = new_key(path, kind=kind)
    assert material.texts({KEY: open_key})
    change = ["ssh-keygen", "-q", "-p", "-N", "a passphrase", *format_, "-f", str(path)]
    subprocess.run(change, check=True, capture_output=True)

    with pytest.raises(UsageError, match="has a passphrase"):
        material.texts({KEY: path.read_text()})


@pytest.mark.parametrize(
    "hosts",
    [
        LINE,
        f"# a comment\n\n{LINE}\n",
        f"[127.0.0.1]:2222,a.example.org ecdsa-sha2-nistp256 {'B' * 60}= whose",
        f"@cert-authority *.example.org ssh-rsa {'C' * 100}",
        f"|1|x=|y= ssh-ed25519 {'A' * 68}",
    ],
)
def test_lines_of_a_known_hosts_file_are_taken(hosts: str) -> None:
    assert material.texts({HOSTS: hosts})[HOSTS].strip() == hosts.strip()


@pytest.mark.parametrize("hosts", ["example.org", "SHA256:" + "A" * 43, f"{LINE}\nexample.org"])
def test_what_pins_no_key_is_refused(hosts: str) -> None:
    with pytest.raises(UsageError, match=f"{HOSTS} holds neither"):
        material.texts({HOSTS: hosts})


def test_the_names_of_the_first_readme_still_work(place: Path, tmp_path: Path) -> None:
    text = new_key(tmp_path / "key")
    given = {"DVC_REMOTE_SSH_KEY": text, "GDRIVE_USER_CREDENTIALS_DATA": "{}"}
    environ = laid(place, **given)

    with credentials.laid_out(environ):
        assert Path(environ[KEY]).read_text() == text
        assert environ["GDRIVE_CREDENTIALS_DATA"] == "{}"

    assert environ == laid(place, **given)


def test_an_empty_variable_is_none(place: Path) -> None:
    environ = laid(place, **{GOOGLE: "", KEY: " ", HOSTS: "\n", "AWS_PROFILE": ""})

    with credentials.laid_out(environ):
        assert environ == laid(place)
    assert environ == laid(place, **{GOOGLE: "", KEY: " ", HOSTS: "\n", "AWS_PROFILE": ""})
    assert credentials.seen(environ) == []


def test_no_key_is_written_into_the_work_tree(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = Path.cwd() / "tmp"
    inside.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(inside))
    environ = {"RUNNER_TEMP": str(inside), GOOGLE: json.dumps(ACCOUNT)}

    with pytest.raises(UsageError, match="lies in the work tree"), credentials.laid_out(environ):
        pass
    environ["RUNNER_TEMP"] = str(place)
    with credentials.laid_out(environ):
        assert Path(environ[GOOGLE]).is_relative_to(place)
    assert list(inside.iterdir()) == []


def test_the_variables_that_users_are_told_of_are_those_that_doctor_knows() -> None:
    text = (Path(__file__).parent.parent / "docs/remotes.md").read_text(encoding="utf-8")
    names = {*re.findall(r"`((?:AWS|AZURE|CML|DVC|GDRIVE|GOOGLE|OSS)_[A-Z_]+)`", text)}

    assert len(names) > 15
    assert {*credentials.seen(dict.fromkeys(names, "x"))} == names


def test_a_job_without_keys_loads_nothing_for_them() -> None:
    script = (
        "import os, sys\nfrom cml import credentials\n"
        "with credentials.laid_out({'AWS_PROFILE': 'x'}): print(*sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert {"cml.credentials", "contextlib"} <= {*done.stdout.split()}
    assert {"subprocess", "tempfile", "cml.credentials.folder"}.isdisjoint(done.stdout.split())
