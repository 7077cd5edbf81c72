"""A forge whose certificate nobody vouches for gets no request."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from told_kit import Told, on_github, on_gitlab, told

from cml.errors import PublishError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["on_github", "on_gitlab", "told"]

SEEN: list[str] = []


class _Listener(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        SEEN.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 that is its own authority, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forge")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    secret = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "forge.pem"
    file.write_bytes(made.public_bytes(form) + secret)
    return file


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    SEEN.clear()
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with HTTPServer(("127.0.0.1", 0), _Listener) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}/api/v4", file
        server.shutdown()
        thread.join()


def test_a_certificate_is_checked_and_one_of_the_users_own_can_be_trusted(
    told: Told, secured: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, file = secured
    forge = told.open(GITHUB_API_URL=address, CI_API_V4_URL=address)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(PublishError, match="CERTIFICATE_VERIFY_FAILED"):
        forge.pull_requests("b")
    assert SEEN == []

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    assert forge.pull_requests("b") == []
    assert len(SEEN) == 1
