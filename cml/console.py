"""Narration on stderr: plain lines for a log, colours for a terminal, groups for a forge's job."""

from __future__ import annotations

import logging
import re
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.record import Forge

log = logging.getLogger("cml")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MARKS = {"WARNING": "warning: ", "ERROR": "error: "}


class _Plain(logging.Formatter):
    """Keeps text from outside from acting: no control characters, no workflow command."""

    def format(self, record: logging.LogRecord) -> str:
        # GitHub looks for `##[command]` anywhere in a line, for `::command::` only at its start.
        text = _MARKS.get(record.levelname, "") + record.getMessage().replace("##[", "## [")
        return "\n".join(f"cml-run: {_CONTROL.sub('', line)}" for line in text.splitlines())


def setup(*, verbose: bool = False) -> None:
    """Send the narration to stderr; warnings of DVC's come with it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.DEBUG if verbose else logging.INFO)


def echo(text: str) -> None:
    """Pass on output of a stage as it comes."""
    sys.stderr.write(text)
    sys.stderr.flush()


@contextmanager
def section(title: str, forge: Forge) -> Iterator[None]:
    """Fold what is written meanwhile, where the forge's job log can fold.

    On GitHub workflow commands are off in between: what the stages print is not ours to obey.
    """
    opening, closing = _brackets(title, forge)
    echo(opening)
    try:
        yield
    finally:
        echo(closing)


def _brackets(title: str, forge: Forge) -> tuple[str, str]:
    if forge == "github":
        import secrets

        key = secrets.token_hex(16)
        return f"::group::{title}\n::stop-commands::{key}\n", f"::{key}::\n::endgroup::\n"
    if forge == "gitlab":
        name = "cml_" + re.sub(r"[^a-z0-9]+", "_", title.lower())
        begin, end = (
            f"\x1b[0Ksection_{what}:{int(time.time())}:{name}" for what in ("start", "end")
        )
        return f"{begin}[collapsed=true]\r\x1b[0K{title}\n", f"{end}\r\x1b[0K\n"
    return "", ""
