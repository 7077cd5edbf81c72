"""Opens the work tree that holds a folder, whoever owns it; starts no process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.repo.checkout import Checkout
from cml.repo.process import configured

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path


def find(start: Path, environ: MutableMapping[str, str]) -> Checkout:
    """Open the work tree that holds a folder; starts no process.

    Where another user owns it, as in containers, `safe.directory` is added to `environ` for this
    one path, so that this process's children (git, DVC, stages) accept it too. No configuration
    file is touched.

    Args:
        start: a folder in the work tree, or its top.
        environ: the environment of all git processes; `os.environ` in production.

    Raises:
        UsageError: the folder is in no git work tree.
    """
    resolved = start.resolve()
    for folder in (resolved, *resolved.parents):
        if _is_top(folder):
            checkout = Checkout(folder, environ)
            _accept_owner(checkout, environ)
            return checkout
    raise UsageError(
        f"{start} is not in a git work tree",
        hint="Run `git init` there, or change to a folder of a git repository.",
    )


def _is_top(folder: Path) -> bool:
    entry = folder / ".git"
    return entry.is_file() or (entry / "HEAD").is_file() or (entry / "HEAD").is_symlink()


def _accept_owner(checkout: Checkout, environ: MutableMapping[str, str]) -> None:
    places = {checkout.root, checkout.root / ".git", checkout.git_dir}
    if all(place.stat().st_uid == os.geteuid() for place in places if place.exists()):
        return
    entry = ("safe.directory", str(checkout.root))
    if entry not in _given(environ):
        environ.update(configured(environ, (entry,)))


def _given(environ: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    count = environ.get("GIT_CONFIG_COUNT", "")
    numbers = range(int(count)) if count.isdecimal() else range(0)
    return [
        (environ.get(f"GIT_CONFIG_KEY_{number}"), environ.get(f"GIT_CONFIG_VALUE_{number}"))
        for number in numbers
    ]
