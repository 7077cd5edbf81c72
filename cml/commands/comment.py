"""The story of a comment of the user's own: its pictures hosted, kept as one under its name."""

from __future__ import annotations

import functools
import logging
import re
from typing import TYPE_CHECKING

from cml.commands import pictures, run, tell
from cml.errors import PublishError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.forges.base import Forge, Subject
    from cml.record import Context
    from cml.report import Image

log = logging.getLogger(__name__)

_MARKDOWN = re.compile(
    r"!\[(?P<alt>[^\]\n]*)\]\(\s*<?(?P<path>[^\s()<>]+)>?(?:\s+\"[^\"\n]*\")?\s*\)"
)
_HTML = re.compile(r"<img\b[^>]*?\bsrc=[\"'](?P<path>[^\"'\n]+)[\"'][^>]*>", re.IGNORECASE)
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")
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
            hint="outside CI name it: --forge github, with GITHUB_REPOSITORY set to owner/name, or "
            "--forge gitlab, with CI_PROJECT_PATH set to group/name",
        )
    checkout = run.open_checkout(around)
    context = run.located(around.context, checkout)
    subjects = _subjects(around.forge, context, subject)
    host = functools.partial(
        pictures.files,
        around.forge,
        context=context,
        settings=settings,
        checkout=checkout if context.trusted else None,
    )
    body = with_pictures(text, _images(text, folder, host))
    return [around.forge.comment(one, name=settings.name, body=body) for one in subjects]


def with_pictures(text: str, images: Mapping[str, Image | None]) -> str:
    """Return Markdown in which each local picture is embedded, linked, or named as missing.

    Args:
        text: the Markdown.
        images: the address of each local path; None where there is none that people can reach.
    """

    def address(found: re.Match[str]) -> str:
        path = found["path"]
        alt = found.groupdict().get("alt") or path
        if path not in images:
            return found[0]
        image = images[path]
        if image is None:
            return f"{alt} (a picture that could not be hosted)"
        if not image.shown:
            return f"[{alt}]({image.url})"
        start, end = (at - found.start() for at in found.span("path"))
        return f"{found[0][:start]}{image.url}{found[0][end:]}"

    return _HTML.sub(address, _MARKDOWN.sub(address, text))


def _subjects(forge: Forge, context: Context, named: Subject | None) -> list[Subject]:
    found = [named] if named else list(tell.subjects(forge, context))
    if not found:
        raise UsageError(
            "there is nothing to comment on", hint="name it: --pr, --commit or --issue"
        )
    return found


def _images(
    text: str, folder: Path, host: Callable[[Mapping[str, bytes]], dict[str, Image]]
) -> dict[str, Image | None]:
    """Host the local pictures of a text; a path from the forge's root may lead to one there."""
    read = {path: pictures.picture(folder / path) for path in _local(text)}
    names = {
        path: _name(at, path)
        for at, (path, content) in enumerate(read.items())
        if content is not None or not path.startswith("/")
    }
    found = {name: content for path, name in names.items() if (content := read[path]) is not None}
    try:
        images = host(found)
    except PublishError as error:
        log.warning("the pictures could not be hosted: %s", error.message)
        images = {}
    return {path: images.get(name) for path, name in names.items()}


def _local(text: str) -> list[str]:
    """Return the paths of the pictures that a text shows and that lie beside it, if anywhere."""
    found = (found["path"] for pattern in (_MARKDOWN, _HTML) for found in pattern.finditer(text))
    return [path for path in dict.fromkeys(found) if not _REMOTE.match(path)]


def _name(at: int, path: str) -> str:
    """Return a name for a picture that is safe anywhere."""
    return f"{at}-{_UNSAFE.sub('-', path)[-60:].strip('-')}"
