"""Git, and only here: one work tree and its remote `origin`; knows no forge and no DVC.

`find` opens a `Checkout`. Revisions are what git understands; paths are relative to the top of the
work tree. Nothing is ever force-pushed.
"""

from typing import TYPE_CHECKING, Any

from cml.repo.checkout import Checkout
from cml.repo.finding import find

if TYPE_CHECKING:
    from cml.repo.commits import Commit, Identity
    from cml.repo.saving import Saved

__all__ = ["Checkout", "Commit", "Identity", "Saved", "find"]

_PLACES = {"Commit": "commits", "Identity": "commits", "Saved": "saving"}


def __getattr__(name: str) -> Any:
    """Load what belongs to saving when it is asked for (PEP 562): a skipped run saves nothing."""
    from importlib import import_module

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
