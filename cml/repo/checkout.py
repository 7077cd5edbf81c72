"""The open checkout: all that this room can do, gathered from its files."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cml.repo import baselines, history, naming, remotes, transport, worktree

if TYPE_CHECKING:
    from cml.repo import cloning, commits, experiments, locks, offering, pictures, saving

_PLACES = {
    "build_commit": "commits",
    "clear_stale_locks": "locks",
    "clone": "cloning",
    "latest_tags": "experiments",
    "offer": "offering",
    "prune_pictures": "pictures",
    "push_pictures": "pictures",
    "save": "saving",
}


class Checkout(worktree.WorkTree):
    """A git work tree and its remote `origin`, opened by `find`."""

    authenticate = transport.authenticate
    has_remote = transport.has_remote
    probe = transport.probe
    default_branch = remotes.default_branch
    push = remotes.push

    ensure = naming.ensure
    merge_base = history.merge_base
    results_before = history.results_before
    baseline = baselines.baseline
    rules = baselines.rules
    head_message = baselines.head_message

    if TYPE_CHECKING:
        build_commit = commits.build_commit
        clear_stale_locks = locks.clear_stale_locks
        clone = cloning.clone
        latest_tags = experiments.latest_tags
        offer = offering.offer
        prune_pictures = pictures.prune_pictures
        push_pictures = pictures.push_pictures
        save = saving.save
    else:

        def __getattr__(self, name: str) -> Any:
            """Load what a run that is skipped does not need when it is asked for."""
            if name not in _PLACES:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            file = import_module(f"cml.repo.{_PLACES[name]}")
            return partial(getattr(file, name), self)

    @property
    def remote_url(self) -> str | None:
        """The URL of `origin` to show to people, without credentials."""
        return transport.remote_url(self)
