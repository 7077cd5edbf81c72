"""Files of DVC's first years: the main job refuses them, `cml-run migrate` converts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml import legacy, pipeline
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cml.repo import Checkout

SHOWN = 5


def refuse(checkout: Checkout, start: Path) -> None:
    """Raise UsageError where DVC 3 cannot read the project around `start`."""
    root, tracked = _project(checkout, start)
    if files := legacy.find(root, tracked):
        names = ", ".join(str(path) for path in files[:SHOWN])
        more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
        raise UsageError(
            f"DVC 3 cannot read these files of DVC's first years: {names}{more}",
            hint="convert them with `cml-run migrate`, and commit what it writes",
        )


def migrate(checkout: Checkout, start: Path, *, dry_run: bool) -> Iterator[str]:
    """Convert them, and say line by line what that does.

    Raises:
        UsageError: a file cannot be converted; nothing is written then.
    """
    root, tracked = _project(checkout, start)
    changes = legacy.convert(root, legacy.find(root, tracked))
    if not dry_run:
        legacy.write(root, changes)
    for change in changes:
        stages = f": {', '.join(change.stages)}" if change.stages else ""
        yield f"{'remove' if change.text is None else 'write '} {change.path}{stages}"
        yield from (f"       {note}" for note in change.notes)
    if not changes:
        yield "nothing to convert"
    yield from legacy.notes(root, tracked, changes)


def _project(checkout: Checkout, start: Path) -> tuple[Path, list[str]]:
    """Return the DVC project's folder, and what git tracks in it, relative to that."""
    root = pipeline.find_root(start) or checkout.root
    inside = f"{checkout.relative(root)}/" if root != checkout.root else ""
    names = (name for name in checkout.tracked() if name.startswith(inside))
    return root, [name.removeprefix(inside) for name in names]
