"""The token for the remote: against a real HTTP server of git, seen by nobody else."""

from __future__ import annotations

import base64
import http.server
import os
import stat
import subprocess
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from git_kit import World, commit, git, opened, plan, write

from cml.errors import PublishError
from cml.repo import credentials

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cml import repo

TOKEN = "s3cr3t/t+ken"
USER = "x-access-token"
BASIC = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


@dataclass
class Server:
    """Git's own HTTP backend on the loopback, which wants the token."""

    root: Path
    port: int = 0
    headers: list[list[str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/origin.git"

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        given = request.headers.get_all("Authorization") or []
        self.headers.append(given)
        length = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(length)
        if given != [f"basic {BASIC}"]:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        head, _, content = self._run(request, body).partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        request.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def _run(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> bytes:
        path, _, query = request.path.partition("?")
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REQUEST_METHOD": request.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": USER,
        }
        command = ["git", "http-backend"]
        done = subprocess.run(
            command, env=variables, input=body, stdout=subprocess.PIPE, check=True
        )
        return done.stdout


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.answer(self)

        do_POST = do_GET  # noqa: N815 (the name that http.server looks for)

        def log_message(self, *args: object) -> None:
            """Keep the output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        made.port = listening.server_port
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        listening.shutdown()


@pytest.fixture
def world(tmp_path: Path, server: Server) -> World:
    made = World(tmp_path)
    git(made.origin, "config", "http.receivepack", "true")
    git(made.work, "remote", "set-url", "origin", server.url)
    return made


@pytest.fixture
def spied(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git on the PATH that writes down its arguments; return the file that it writes."""
    real = git(world.work, "--exec-path") + "/git"
    log = tmp_path / "arguments"
    script = f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >> {log}\nexec {real} "$@"\n'
    spy = write(tmp_path, "bin/git", script)
    spy.chmod(spy.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{spy.parent}:{os.environ['PATH']}")
    return log


def trusted(world: World, **env: str) -> repo.Checkout:
    checkout = opened(world.work, **env)
    checkout.authenticate(TOKEN)
    return checkout


def save(world: World, checkout: repo.Checkout) -> repo.Saved:
    write(world.work, "metrics.json", "new")
    return checkout.save(plan(world.checkout.head), lambda _: True)


def test_the_token_fetches_and_pushes_and_stays_in_the_environment_of_git(
    world: World, server: Server, spied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    before = (world.work / ".git/config").read_text()
    checkout = trusted(world)
    checkout.probe()
    assert checkout.ensure("nowhere") is None
    saved = save(world, checkout)
    assert world.refs() == {"refs/heads/main": saved.commit, "refs/tags/exp-1": saved.commit}
    assert server.headers
    assert {tuple(given) for given in server.headers} == {(f"basic {BASIC}",)}
    told = spied.read_text() + caplog.text + repr(vars(checkout.git))
    assert "git push" in spied.read_text().replace("/bin/git", "git")
    assert not [secret for secret in (TOKEN, BASIC, "%2F") if secret in told]
    assert (world.work / ".git/config").read_text() == before
    assert not {name for name in checkout.git.environ if name.startswith("GIT_CONFIG_KEY")}


@pytest.mark.parametrize("place", ["http", "http.{host}/", "http.{url}"])
def test_headers_that_the_checkout_left_are_not_sent_as_well(
    world: World, server: Server, place: str
) -> None:
    host = server.url.removesuffix("/origin.git")
    key = place.format(host=host, url=server.url) + ".extraheader"
    git(world.work, "config", key, "AUTHORIZATION: basic b2xkOm9sZA==")
    trusted(world).probe()
    assert {tuple(given) for given in server.headers} == {(f"basic {BASIC}",)}


def test_other_credentials_that_are_configured_are_not_used(
    world: World, server: Server, tmp_path: Path
) -> None:
    host = server.url.removesuffix("/origin.git").removeprefix("http://")
    helper = write(tmp_path, "helper", f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    helper.chmod(0o755)
    git(world.work, "config", "credential.helper", str(helper))
    git(world.work, "config", f"credential.http://{host}.helper", str(helper))
    git(world.work, "config", f"url.http://new:new@{host}/.insteadOf", f"http://{host}/")
    git(world.work, "config", f"url.http://new:new@{host}/.pushInsteadOf", f"http://{host}/")
    git(world.work, "remote", "set-url", "origin", f"http://old:old-password@{host}/origin.git")
    trace = tmp_path / "trace"
    checkout = trusted(world, GIT_ASKPASS=str(helper), GIT_TRACE=str(trace))
    saved = save(world, checkout)
    assert saved.pushed
    assert {tuple(given) for given in server.headers} == {(f"basic {BASIC}",)}
    checkout.authenticate("wrong")
    with pytest.raises(PublishError):
        checkout.probe()
    assert not (tmp_path / "asked").exists()
    assert "remote-http" in trace.read_text()
    assert not [secret for secret in ("new:new", "old-password") if secret in trace.read_text()]
    assert checkout.remote_url == server.url


def test_without_a_token_what_is_configured_is_used(world: World, server: Server) -> None:
    git(world.work, "config", f"http.{server.url}.extraheader", f"Authorization: basic {BASIC}")
    world.checkout.probe()
    assert save(world, world.checkout).pushed


def test_a_refused_token_is_an_error_that_says_what_to_grant_and_shows_no_secret(
    world: World, server: Server
) -> None:
    host = server.url.removeprefix("http://")
    git(world.work, "remote", "set-url", "origin", f"http://me:my-password@{host}")
    wrong = "wr0ng/t+ken"
    checkout = world.checkout
    checkout.authenticate(wrong)
    with pytest.raises(PublishError) as caught:
        save(world, checkout)
    told = f"{caught.value.message} {caught.value.hint}"
    assert "contents:" in told
    assert server.url in told
    encoded = base64.b64encode(f"{USER}:{wrong}".encode()).decode()
    assert not [secret for secret in (wrong, encoded, "my-password") if secret in told]
    assert len({*map(tuple, server.headers)}) == 1
    assert world.refs() == {"refs/heads/main": world.checkout.head}


def test_a_password_in_the_url_is_never_shown(world: World, server: Server) -> None:
    host = server.url.removeprefix("http://")
    url = f"http://me:my-password@{host}"
    git(world.work, "remote", "set-url", "origin", url)
    with pytest.raises(PublishError) as caught:
        world.checkout.probe()
    assert "my-password" not in f"{caught.value} {caught.value.hint} {world.checkout.remote_url}"


def test_a_token_is_no_matter_for_remotes_that_are_not_http(world: World, spied: Path) -> None:
    git(world.work, "remote", "set-url", "origin", f"file://{world.origin}")
    assert save(world, trusted(world)).pushed


def test_a_token_serves_a_shallow_clone(world: World, server: Server) -> None:
    parent = world.checkout.head
    head = commit(world.work, "second")
    git(world.work, "push", "--quiet", f"file://{world.origin}", "main")
    folder = world.pulled(head)
    git(folder, "remote", "set-url", "origin", server.url)
    checkout = opened(folder)
    checkout.authenticate(TOKEN)
    assert checkout.ensure("HEAD~1") == parent
    write(folder, "metrics.json", "new")
    assert checkout.save(plan(head), lambda _: True).pushed


def test_secrets_are_taken_out_of_any_text() -> None:
    known = credentials.Credentials(username=USER, token=TOKEN)
    text = f"a {TOKEN} b {BASIC} c s3cr3t%2Ft%2Bken d https://u:p@h/x e https://t@h f git@h:x"
    expected = "a *** b *** c *** d https://***@h/x e https://***@h f git@h:x"
    assert credentials.redact(text, known) == expected
    assert TOKEN not in repr(known)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://u:p@h:1/x.git?y", "https://h:1/x.git?y"),
        ("https://u:p%40q@[::1]/x", "https://[::1]/x"),
        ("https://h/a@b", "https://h/a@b"),
        ("git@h:a/b", "git@h:a/b"),
        ("/srv/a b", "/srv/a b"),
    ],
)
def test_a_url_loses_its_credentials_and_nothing_else(url: str, expected: str) -> None:
    assert credentials.without_credentials(url) == expected
