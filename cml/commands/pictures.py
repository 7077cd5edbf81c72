"""The story of a report's pictures: from the bundle to where its readers see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.forges.base import ImageHost
from cml.report import Image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cml.config import Settings
    from cml.forges.base import Forge
    from cml.record import Context, Record
    from cml.repo import Checkout

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
MOST = 50
"""Pictures that one run may have hosted."""

LARGEST = 10_000_000
"""Bytes that one picture may have; forges take no larger ones."""


def nowhere(record: Record) -> dict[str, Image]:  # noqa: ARG001 (stands for `host`)
    """Host no pictures: the report shows charts in their place."""
    return {}


def host(
    record: Record, *, forge: Forge, bundle: Path, settings: Settings, checkout: Checkout | None
) -> dict[str, Image]:
    """Put the pictures of a bundle where the readers of its report see them.

    Args:
        record: what the bundle records.
        forge: the forge that shows the report.
        bundle: the folder of the bundle.
        settings: whether to host at all, and who signs what is committed.
        checkout: the repository to put them into, for a forge that takes no uploads.

    Returns:
        The address of each plot's picture, by the plot's id.

    Raises:
        PublishError: the forge or the git remote refused.
    """
    names = {plot.id: plot.file for plot in record.plots[:MOST]}
    found = files(forge, _read(bundle, names), record.context, settings, checkout)
    return {plot: found[name] for plot, name in names.items() if name in found}


def files(
    forge: Forge,
    found: Mapping[str, bytes],
    context: Context,
    settings: Settings,
    checkout: Checkout | None,
) -> dict[str, Image]:
    """Put pictures, by their names, where readers see them; return their addresses.

    Raises:
        PublishError: the forge or the git remote refused.
    """
    if settings.images == "none" or not found or not isinstance(forge, ImageHost):
        return {}

    def push(some: Mapping[str, bytes]) -> str | None:
        if checkout is None or not checkout.has_remote():
            return None
        return checkout.push_pictures(
            some, group=group(context), author=settings.author, committer=settings.committer
        )

    hosted = forge.host(found, inline=settings.images == "inline", push=push)
    return {name: Image(url=one.url, shown=one.shown) for name, one in hosted.items()}


def group(context: Context) -> str:
    """Name what a run's pictures are kept with: its pull request, or its branch."""
    if context.pull_request:
        return f"pull-{context.pull_request}"
    return f"branch-{(context.branch or 'none').encode().hex()[:100]}"


def is_picture(content: bytes) -> bool:
    """Tell whether bytes are a picture of a kind and size that forges show."""
    return len(content) <= LARGEST and content.startswith(SIGNATURES)


def _read(bundle: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    """Read the pictures that are ones: no link leads out of the bundle, and no other file along."""
    found = {}
    for name in names.values():
        place = bundle / name
        if ".." in place.relative_to(bundle).parts or place.is_symlink() or not place.is_file():
            continue
        if is_picture(content := place.read_bytes()):
            found[name] = content
    return found
