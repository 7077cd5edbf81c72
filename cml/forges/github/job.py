"""A GitHub Actions job's own page: summary, outputs, annotations; asks no API.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import logging
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cml.forges.api import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cml.record import Record

log = logging.getLogger("cml")

SUMMARY_LIMIT = 1024 * 1024
"""Bytes that a step's summary may have; a larger one is dropped whole."""

_LEAST = 1000  # bytes that a report makes sense in
_ANNOTATIONS = 10  # of a kind; GitHub drops the others

Kind = Literal["error", "warning"]


def summarize(environ: Mapping[str, str], render: Callable[[int], str]) -> None:
    """Add the report to the step's summary, as much of it as there is room for."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        used = Path(path).stat().st_size if Path(path).exists() else 0
        room = SUMMARY_LIMIT - used - 2  # for the line ends around it
        text = plain(render(room)) if room >= _LEAST else ""
        if not text or len(text.encode()) > room:
            log.warning("the step's summary has no room for the report")
            return
        _append(path, "\n" * bool(used) + text + "\n")
    except OSError as error:
        log.warning("the step's summary could not be written: %s", error.strerror)


def put_out(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Set the step's outputs. No value can end its own and begin another."""
    path = environ.get("GITHUB_OUTPUT")
    if not path:
        return
    end = f"cml_{secrets.token_hex(16)}"
    lines = (f"{name}<<{end}\n{plain(value)}\n{end}\n" for name, value in outputs.items())
    try:
        _append(path, "".join(lines))
    except OSError as error:
        log.warning("the step's outputs could not be written: %s", error.strerror)


def annotate(record: Record) -> None:
    """Point out on stderr what went wrong, the worst first."""
    kinds: dict[Kind, list[str]] = {"error": [], "warning": []}
    for kind, title, message in _troubles(record):
        kinds[kind].append(f"::{kind} title={_property(title)}::{_data(message)}")
    for lines in kinds.values():
        sys.stderr.writelines(f"{line}\n" for line in lines[:_ANNOTATIONS])
    sys.stderr.flush()


def _troubles(record: Record) -> Iterator[tuple[Kind, str, str]]:
    if record.failure:
        yield "error", record.failure.stage or "cml-run", record.failure.message
    for problem in record.problems:
        yield "error", "cml-run", problem
    for check in record.checks:
        if check.status != "pass" and check.level != "off":
            kind: Kind = "error" if check.level == "error" else "warning"
            yield kind, check.name, check.message or check.status


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8", newline="") as file:
        file.write(text)


def _data(text: str) -> str:
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
