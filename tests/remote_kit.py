"""Servers of DVC remotes, real ones on the loopback, each with the credentials that open it."""

from __future__ import annotations

import base64
import getpass
import http.server
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from node_kit import node_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

HOST = "127.0.0.1"
USER, PASSWORD = "ada", "pa55-" + secrets.token_hex(8)
BIN = Path(sys.executable).parent
SBIN = f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A DVC remote: its URL, its options, and the credentials of a job that may use it.

    `local` are options that hold a secret, and that a job writes to .dvc/config.local. `wrong`
    takes the place of `env` and `local` in a job that has the wrong credentials. `asked` fills with
    who came with the right ones, where the storage itself lets in anybody.
    """

    url: str
    options: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] | None = None

    @property
    def config(self) -> str:
        """The text of .dvc/config."""
        return _section({"url": self.url, **self.options}, core=True)

    @property
    def local_config(self) -> str:
        """The text of .dvc/config.local."""
        return _section(self.local)


def _section(options: Mapping[str, str], *, core: bool = False) -> str:
    lines = [f"    {name} = {value}" for name, value in options.items()]
    head = "[core]\n    remote = storage\n" if core else ""
    return head + "\n".join(["['remote \"storage\"']", *lines, ""])


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(argv: list[str], port: int, folder: Path, **env: str) -> Iterator[None]:
    """Run a server until the end of the block."""
    log = folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            argv, cwd=folder, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(server, port, log)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        with socket.socket() as tried:
            if tried.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def program(name: str) -> str:
    found = shutil.which(name, path=SBIN)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def local(folder: Path) -> Iterator[Remote]:
    yield Remote(url=str(folder / "a folder"))


@contextmanager
def s3(folder: Path) -> Iterator[Remote]:
    """Serve S3 with moto, which from its fifth request on wants to know who asks."""
    import boto3

    port = free_port()
    url, anyone = f"http://{HOST}:{port}", {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    server = [str(BIN / "moto_server"), "-H", HOST, "-p", str(port)]
    with serving(server, port, folder, INITIAL_NO_AUTH_ACTION_COUNT="4"):
        session = boto3.Session(region_name="us-east-1", **anyone)
        iam = session.client("iam", endpoint_url=url)
        iam.create_user(UserName=USER)
        every = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [every]})
        iam.put_user_policy(UserName=USER, PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName=USER)["AccessKey"]
        session.client("s3", endpoint_url=url).create_bucket(Bucket="bucket")
        names = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SESSION_TOKEN": "",
            "AWS_PROFILE": "",
        }
        wrong = secrets.token_urlsafe(30)
        yield Remote(
            url="s3://bucket/some/where",
            options={"endpointurl": url},
            extra={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
            env={**names, "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]},
            wrong={**names, "AWS_SECRET_ACCESS_KEY": wrong},
            secrets=(key["SecretAccessKey"], wrong),
        )


@contextmanager
def azure(folder: Path) -> Iterator[Remote]:
    """Serve Azure's blobs with azurite; the container is named by the environment alone."""
    from azure.storage.blob import BlobServiceClient

    program_ = node_module("azurite") / "dist/src/blob/main.js"
    port, (key, wrong) = free_port(), (_base64(64), _base64(64))
    server = ["node", str(program_), "--blobHost", HOST, "--blobPort", str(port)]
    server += ["--skipApiVersionCheck", "--disableTelemetry", "--silent", "--inMemoryPersistence"]
    with serving(server, port, folder, AZURITE_ACCOUNTS=f"{USER}:{key}"):
        with BlobServiceClient.from_connection_string(_connection(port, key)) as client:
            client.create_container("data").close()
        yield Remote(
            url="azure://",
            env=_azure_job(port, key),
            wrong=_azure_job(port, wrong),
            secrets=(key, wrong),
        )


def _azure_job(port: int, key: str) -> dict[str, str]:
    connection = _connection(port, key)
    return {
        "AZURE_STORAGE_CONNECTION_STRING": connection,
        "AZURE_STORAGE_CONTAINER_NAME": "data",
    }


def _connection(port: int, key: str) -> str:
    place = f"BlobEndpoint=http://{HOST}:{port}/{USER};"
    return f"DefaultEndpointsProtocol=http;AccountName={USER};AccountKey={key};{place}"


def _base64(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()


@contextmanager
def gs(folder: Path) -> Iterator[Remote]:
    """Serve Google Storage; a token server of ours gives tokens to the right key alone."""
    port = free_port()
    server = [str(BIN / "gcp-storage-emulator"), "start", f"--host={HOST}", f"--port={port}"]
    server += ["--in-memory", "--default-bucket=bucket"]
    key, public = _rsa()
    with (
        serving(server, port, folder, PYTHONWARNINGS="ignore"),
        _tokens(public) as (address, asked),
    ):
        yield Remote(
            url="gs://bucket/some/where",
            options={"endpointurl": f"http://{HOST}:{port}"},
            extra={"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false", "NO_GCE_CHECK": "true"},
            env={"GOOGLE_APPLICATION_CREDENTIALS": _account(token_uri=address, private_key=key)},
            wrong={"GOOGLE_APPLICATION_CREDENTIALS": _account(private_key=key)},
            secrets=tuple(key.splitlines()[1:-1]),
            asked=asked,
        )


def _account(**given: str) -> str:
    """Return the JSON of a service account's key, on many lines as Google gives it."""
    known = {"type": "service_account", "project_id": "p", "private_key_id": "1"}
    return json.dumps({**known, "client_email": "a@p.example.org", **given}, indent=2)


@contextmanager
def _tokens(public: str) -> Iterator[tuple[str, list[str]]]:
    """Run a token server for whoever holds a key; yield its address, and who has asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            from google.auth import jwt

            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            try:
                asked.append(jwt.decode(form["assertion"][0], certs=public)["iss"])
                status, said = 200, {"access_token": "t", "expires_in": 3600}
            except ValueError:
                status, said = 400, {"error": "invalid_grant", "error_description": "bad signature"}
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer((HOST, 0), Handler) as server:
        address = f"http://{HOST}:{server.server_port}/token"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address, asked
        server.shutdown()


def _rsa() -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@contextmanager
def ssh(folder: Path) -> Iterator[Remote]:
    """Serve SFTP, and a shell for git, with OpenSSH's own server."""
    sshd, port = program("sshd"), free_port()
    keys = {name: new_key(folder / name) for name in ("host", "job", "stranger")}
    (folder / "authorized").write_text((folder / "job.pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    lines = [f"Port {port}", f"ListenAddress {HOST}", f"HostKey {folder}/host", "PidFile none"]
    lines += [f"AuthorizedKeysFile {folder}/authorized", "StrictModes no", "UsePAM no"]
    lines += ["PasswordAuthentication no", "PermitRootLogin yes", "Subsystem sftp internal-sftp"]
    (folder / "sshd_config").write_text("\n".join([*lines, ""]))
    known = f"[{HOST}]:{port} " + (folder / "host.pub").read_text()
    with serving([sshd, "-D", "-e", "-f", str(folder / "sshd_config")], port, folder):
        yield Remote(
            url=f"ssh://{getpass.getuser()}@{HOST}:{port}{folder}/storage",
            env={"CML_SSH_PRIVATE_KEY": keys["job"], "CML_SSH_KNOWN_HOSTS": known},
            wrong={"CML_SSH_PRIVATE_KEY": keys["stranger"], "CML_SSH_KNOWN_HOSTS": known},
            secrets=tuple(line for key in keys.values() for line in key.splitlines()[2:-1]),
        )


def new_key(path: Path, passphrase: str = "", kind: str = "ed25519") -> str:
    """Make a key of OpenSSH, and return its text."""
    argv = [program("ssh-keygen"), "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(argv, check=True)
    return path.read_text()


@contextmanager
def nginx(folder: Path) -> Iterator[Remote]:
    """Serve a folder over HTTP that takes what is PUT into it, to those who know the password."""
    server, port, storage = program("nginx"), free_port(), folder / "storage"
    storage.mkdir()
    (folder / "passwords").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    temporary = "".join(
        f"{kind}_temp_path {folder}/tmp; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"http {{ access_log off; {temporary} server {{ listen {HOST}:{port}; root {storage};\n"
        f"auth_basic x; auth_basic_user_file {folder}/passwords; client_max_body_size 0;\n"
        "dav_methods PUT DELETE; create_full_put_path on; } }\n"
    )
    with serving([server, "-p", str(folder), "-c", f"{folder}/nginx.conf"], port, folder):
        yield _with_password(f"http://{HOST}:{port}/some/where", method="PUT", auth="basic")


@contextmanager
def webdav(folder: Path) -> Iterator[Remote]:
    port, storage = free_port(), folder / "storage"
    storage.mkdir()
    config = {
        "host": HOST,
        "port": port,
        "provider_mapping": {"/": str(storage)},
        "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
        "http_authenticator": {"accept_digest": False, "default_to_digest": False},
    }
    (folder / "wsgidav.json").write_text(json.dumps(config))
    server = [str(BIN / "wsgidav"), "--config", str(folder / "wsgidav.json")]
    with serving(server, port, folder):
        yield _with_password(f"webdav://{HOST}:{port}/")


def _with_password(url: str, **options: str) -> Remote:
    return Remote(
        url=url,
        options={**options, "user": USER},
        local={"password": PASSWORD},
        wrong={"password": "wrong-one"},
        secrets=(PASSWORD,),
    )


SERVERS: dict[str, Callable[[Path], AbstractContextManager[Remote]]] = {
    "local": local,
    "s3": s3,
    "azure": azure,
    "gs": gs,
    "ssh": ssh,
    "http": nginx,
    "webdav": webdav,
}
