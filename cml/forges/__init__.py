"""Whom a record is told to; each forge is loaded only where it is the one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.base import Forge
    from cml.forges.waiting import Patience
    from cml.record import Context


def open_forge(
    context: Context,
    environ: Mapping[str, str],
    token: str | None,
    *,
    private: bool,
    patience: Patience | None = None,
) -> Forge | None:
    """Return the forge of a context, None for the terminal; asks nobody yet.

    Args:
        context: where we are.
        environ: the environment: addresses of the server, files of the job.
        token: the forge's token. Without one, the first request raises PublishError.
        private: whether the repository may be read only by some.
        patience: how to wait, and how long in all.
    """
    from cml.forges import waiting

    patience = patience or waiting.Patience()
    match context.forge:
        case "github":
            from cml.forges.github import GitHub

            return GitHub(context, environ, token, private=private, patience=patience)
        case "gitlab":
            from cml.forges.gitlab import GitLab

            return GitLab(context, environ, token, patience=patience)
        case "terminal":
            return None
