"""One file that a migration writes or removes; a value, with no knowledge of how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file to be written, or removed where `text` is None.

    `path` is relative to the root that was given; `stages` are the stages it now holds, or those
    that a removed file has become, as `dvc repro` takes them; `notes` are sentences for a person.
    """

    path: Path
    text: str | None
    stages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
