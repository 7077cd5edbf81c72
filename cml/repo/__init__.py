"""Git, and only here: one work tree and its remote `origin`; knows no forge and no DVC.

`find` opens a `Checkout`. Revisions are what git understands; paths are relative to the top of the
work tree. Nothing is ever force-pushed.
"""

from cml.repo.checkout import Checkout
from cml.repo.commits import Commit, Identity
from cml.repo.finding import find
from cml.repo.saving import Saved

__all__ = ["Checkout", "Commit", "Identity", "Saved", "find"]
