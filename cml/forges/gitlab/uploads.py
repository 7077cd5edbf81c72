"""Pictures uploaded to a GitLab project, readable by those who can read the project."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin

from cml.ci.values import text
from cml.forges.api import Refused, Request, get
from cml.forges.base import Hosted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.api import Api

log = logging.getLogger("cml")

_TOO_LARGE = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


def host(api: Api, root: str, pictures: Mapping[str, bytes], *, project: str) -> dict[str, Hosted]:
    """Upload pictures, leaving out what is refused.

    Args:
        api: the API.
        root: the path of the project there.
        pictures: file names and bytes.
        project: the address of the project's page.
    """
    hosted = {}
    for name, content in pictures.items():
        request = Request(
            method="POST",
            path=f"{root}/uploads",
            doing=f"upload the picture {name}",
            grant="Reporter",
            upload=(name, content),
        )
        try:
            url = _address(api.item(request), project)
        except Refused as refusal:
            log.warning("%s. %s", refusal.message, refusal.hint)
            if refusal.status in _TOO_LARGE:
                continue
            break
        hosted[name] = Hosted(url=url, shown=True)
    return hosted


def _address(item: object, project: str) -> str:
    """Return the address of an upload; older servers tell only the path below the project."""
    full = text(item, "full_path")
    if full is None:
        return project + quote(get(item, "url", str), safe="/%")
    return urljoin(project, quote(full, safe="/%"))
