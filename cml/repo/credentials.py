"""The token for the git remote: in the environment of one git process, and nowhere else."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

_IN_URL = re.compile(r"(?<=://)[^\s/'\"]*@")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A name and a token for HTTP Basic authentication."""

    username: str
    token: str = field(repr=False)

    @property
    def encoded(self) -> str:
        """The pair as the `Authorization` header has it (RFC 7617)."""
        return base64.b64encode(f"{self.username}:{self.token}".encode()).decode()


def is_http(url: str) -> bool:
    """Tell whether a remote's URL is one that a token can be used for."""
    return url.lower().startswith(("http://", "https://"))


def without_credentials(url: str) -> str:
    """Return a URL without `user:password@`; other ways to write a remote come back unchanged."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def config(url: str, credentials: Credentials) -> tuple[tuple[str, str], ...]:
    """Return the git configuration that sends the credentials to `url`, and no others.

    Args:
        url: an HTTP URL without credentials.
        credentials: what to send.
    """
    host = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
    header = f"AUTHORIZATION: basic {credentials.encoded}"
    return (
        ("credential.helper", ""),
        # Git takes the value of the most specific URL: the host is for Git LFS, whose paths differ.
        # An empty value drops headers that the checkout left: two of them make servers refuse.
        *((f"http.{place}.extraheader", value) for place in (host, url) for value in ("", header)),
        # The longest match wins: no shorter `insteadOf` may put other credentials back in.
        (f"url.{url}.insteadOf", url),
        (f"url.{url}.pushInsteadOf", url),
    )


def redact(text: str, credentials: Credentials | None) -> str:
    """Return text without the credentials, and without those of any URL in it."""
    if credentials:
        token = credentials.token
        for secret in (credentials.encoded, token, quote(token, safe="")):
            text = text.replace(secret, "***")
    return _IN_URL.sub("***@", text)
