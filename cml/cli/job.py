"""The main job's surroundings: environment, event file, cml.yaml."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cml import ci, config, credentials, record
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.forges.base import Forge
    from cml.forges.waiting import Patience
    from cml.record import Context

FILE = "cml.yaml"
SHORTEST = 8
"""Characters of a token; less could stand in any variable by chance."""


def run(flags: Mapping[str, Any]) -> int:
    """Do the main job in the current folder; return its exit code."""
    from cml.commands import run

    settings, around = gather(flags)
    return run.run(settings, around)


def gather(flags: Mapping[str, Any]) -> tuple[Settings, Surroundings]:
    """Read the settings, lay out keys until the command ends, and find out where this runs.

    Raises:
        UsageError: a setting is wrong, or a key.
    """
    from cml.commands.run import Surroundings

    click.get_current_context().with_resource(credentials.laid_out(os.environ))
    start = Path.cwd()
    settle = functools.partial(config.settings, flags, os.environ, _settings_file(start))
    settings = settle()
    publish = ci.is_ci(os.environ) if settings.publish is None else settings.publish
    token = config.token(os.environ)
    context = ci.context(os.environ, _event(os.environ))
    return settings, Surroundings(
        start=start,
        settle=settle,
        environ=os.environ,
        context=context,
        forge=forge(settings, context, token) if publish else None,
        token=token,
        secrets=_secrets(os.environ, token),
        publish=publish,
    )


def forge(
    settings: Settings, context: Context, token: str | None, *, patience: Patience | None = None
) -> Forge | None:
    """Open the forge to tell; None where that is the terminal alone."""
    if (settings.forge or context.forge) == "terminal":
        return None
    from cml import forges

    private = True if context.private is None else context.private
    named = record.replace(context, forge=settings.forge or context.forge)
    return forges.open_forge(named, os.environ, token, private=private, patience=patience)


def _secrets(environ: Mapping[str, str], token: str | None) -> frozenset[str]:
    """Return the variables that hold a forge's token or our SSH key, by name or by content.

    Any such token counts, not only ours: GitLab's job token stands in the addresses of packages.
    """
    given = {environ.get(name, "").strip() for name in config.TOKEN_NAMES}
    tokens = {one for one in given if len(one) >= SHORTEST} | ({token} if token else set())
    copies = {name for name, value in environ.items() if any(one in value for one in tokens)}
    return frozenset({*config.TOKEN_NAMES, *copies, *credentials.HIDDEN})


def _settings_file(start: Path) -> str | None:
    """Return the nearest cml.yaml's text: here or above, not beyond the repository."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return _text(folder / FILE)
        if (folder / ".git").exists():
            return None
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _event(environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return GitHub's event payload; None where it cannot be read, which is trusted less."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return None
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return payload if isinstance(payload, dict) else None
