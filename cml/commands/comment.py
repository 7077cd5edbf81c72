"""The story of a comment of the user's own: its pictures hosted, kept as one under its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml.commands import pictures, run, tell
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.forges.base import Subject
    from cml.report import Image

_MARKDOWN = re.compile(
    r"!\[(?P<alt>[^\]\n]*)\]\(\s*<?(?P<path>[^\s()<>]+)>?(?:\s+\"[^\"\n]*\")?\s*\)"
)
_HTML = re.compile(r"<img\b[^>]*?\bsrc=[\"'](?P<path>[^\"'\n]+)[\"'][^>]*>", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9.]+")


def comment(
    settings: Settings,
    around: Surroundings,
    text: str,
    *,
    folder: Path,
    subject: Subject | None = None,
) -> list[str]:
    """Put a comment where people look, in place of the earlier one of its name.

    Args:
        settings: the comment's name, and how to host pictures.
        around: where this runs.
        text: Markdown. Local pictures in it are hosted; one that cannot be gives way to a word.
        folder: what the paths of pictures are relative to.
        subject: what to comment on; None for the pull requests of the branch, else its commit.

    Returns:
        The address of each comment.

    Raises:
        UsageError: nobody is to be told, or there is nothing to comment on.
        PublishError: the forge refused.
    """
    if around.forge is None:
        raise UsageError(
            "there is no forge to comment on",
            hint="outside CI name it: --forge github, with GITHUB_REPOSITORY set to owner/name",
        )
    checkout = run.open_checkout(around)
    context = run.located(around.context, checkout)
    subjects = [subject] if subject else list(tell.subjects(around.forge, context))
    if not subjects:
        raise UsageError(
            "there is nothing to comment on", hint="name it: --pr, --commit or --issue"
        )
    names = _names(text, folder)
    found = {name: (folder / path).read_bytes() for path, name in names.items()}
    images = pictures.files(
        around.forge, found, context, settings, checkout if context.trusted else None
    )
    body = with_pictures(text, {path: images.get(name) for path, name in names.items()})
    return [around.forge.comment(one, name=settings.name, body=body) for one in subjects]


def with_pictures(text: str, images: Mapping[str, Image | None]) -> str:
    """Return Markdown in which each local picture is embedded, linked, or named as missing.

    Args:
        text: the Markdown.
        images: the address of each path that is a picture here; None where it is not hosted.
    """

    def address(found: re.Match[str]) -> str:
        path = found["path"]
        alt = found.groupdict().get("alt") or path
        if path not in images:
            return found[0]
        image = images[path]
        if image is None:
            return f"{alt} (a picture that could not be hosted)"
        return found[0].replace(path, image.url) if image.shown else f"[{alt}]({image.url})"

    return _HTML.sub(address, _MARKDOWN.sub(address, text))


def _names(text: str, folder: Path) -> dict[str, str]:
    """Return the local pictures that a text shows, each with a name that is safe anywhere."""
    paths = [found["path"] for pattern in (_MARKDOWN, _HTML) for found in pattern.finditer(text)]
    local = [path for path in dict.fromkeys(paths) if _is_picture(folder, path)]
    return {
        path: f"{at}-{_UNSAFE.sub('-', path)[-60:].strip('-')}" for at, path in enumerate(local)
    }


def _is_picture(folder: Path, path: str) -> bool:
    try:
        return pictures.is_picture((folder / path).read_bytes())
    except (OSError, ValueError):
        return False
