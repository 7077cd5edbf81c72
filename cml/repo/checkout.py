"""The open checkout: all that this room can do, gathered from its files."""

from cml.repo import (
    baselines,
    commits,
    experiments,
    history,
    locks,
    offering,
    pictures,
    remotes,
    saving,
    transport,
    worktree,
)


class Checkout(worktree.WorkTree):
    """A git work tree and its remote `origin`, opened by `find`."""

    authenticate = transport.authenticate
    has_remote = transport.has_remote
    probe = transport.probe
    default_branch = remotes.default_branch

    ensure = history.ensure
    merge_base = history.merge_base
    baseline = baselines.baseline
    head_message = baselines.head_message
    latest_tags = experiments.latest_tags

    build_commit = commits.build_commit
    push = remotes.push
    push_pictures = pictures.push_pictures
    prune_pictures = pictures.prune_pictures
    save = saving.save
    offer = offering.offer
    clear_stale_locks = locks.clear_stale_locks

    @property
    def remote_url(self) -> str | None:
        """The URL of `origin` to show to people, without credentials."""
        return transport.remote_url(self)
