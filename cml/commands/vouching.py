"""Whose change a run is about, as the forge tells and not as a commit claims."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cml.errors import PublishError

if TYPE_CHECKING:
    from cml.forges.base import Forge
    from cml.record import Context

log = logging.getLogger(__name__)

# Others are set off by people who have not written what runs, such as who clicks a button.
_EVENTS = {"push", "pull_request", "merge_request_event"}


def author(context: Context, forge: Forge | None) -> str | None:
    """Return the account that pushed a change and opened its pull request.

    None where these are two, where there is no pull request, or where nobody vouches for it.
    """
    if forge is None or context.actor is None or context.event not in _EVENTS:
        return None
    try:
        found = forge.pull_requests_of(context.sha or "")
    except PublishError as error:
        log.warning("who wrote this change cannot be told: %s", error.message)
        return None
    authors = {(each.author or "").casefold() for each in found}
    return context.actor if authors == {context.actor.casefold()} else None
