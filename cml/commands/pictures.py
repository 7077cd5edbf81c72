"""The story of a report's pictures: from the bundle to where its readers see them."""

from __future__ import annotations

import re
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

_NAME = re.compile(r"plots/[A-Za-z0-9-]{1,80}\.[a-z]{3,4}")


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
            some, group=groups(context)[0], author=settings.author, committer=settings.committer
        )

    hosted = forge.host(found, inline=settings.images == "inline", push=push)
    return {name: Image(url=one.url, shown=one.shown) for name, one in hosted.items()}


def groups(context: Context) -> list[str]:
    """Name what a run's pictures may be kept with: its pull request, else its branch."""
    branch = f"branch-{(context.branch or 'none').encode().hex()[:100]}"
    return [f"pull-{context.pull_request}", branch] if context.pull_request else [branch]


def picture(place: Path) -> bytes | None:
    """Read a picture of a kind and size that forges show; None for all other things there.

    Only files are opened, and only small ones: a pipe or a device would be read for ever.
    """
    try:
        if not place.is_file() or place.stat().st_size > LARGEST:
            return None
        content = place.read_bytes()
    except (OSError, ValueError):
        return None
    return content if content.startswith(SIGNATURES) else None


def _read(bundle: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    """Read the pictures of a bundle, of which only what a bundle of ours can have is looked at.

    No name and no link leads out of it, and none is more than the forge and git can take.
    """
    found = {}
    for name in filter(_NAME.fullmatch, names.values()):
        place = bundle / name
        linked = place.is_symlink() or place.parent.is_symlink()
        if not linked and (content := picture(place)) is not None:
            found[name] = content
    return found
