"""What goes over the wire to a fake forge: requests, routes, refusals, pages; no state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from forge_faults import Answer

Handler = Callable[..., Answer]
AUTHORISATION = ("authorization", "private-token", "job-token")
MOST_PER_PAGE = 100


class Refusal(Exception):  # noqa: N818 - the forge is right to refuse
    """An answer in place of what was asked for."""

    def __init__(self, status: int, body: Any, **headers: str) -> None:
        super().__init__(status, body)
        self.answer = Answer(
            status=status,
            body={"message": body, "documentation_url": ""} if isinstance(body, str) else body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


@dataclass(eq=False)
class Request:
    """What a client sent: the path below the API's root, still with its percent codes."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int | None = None
    """What was answered; None where the connection was dropped."""

    @property
    def where(self) -> str:
        return unquote(self.path)

    @property
    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body)
        except ValueError:
            raise Refusal(400, "Problems parsing JSON") from None
        if not isinstance(value, dict):
            raise Refusal(400, "Body should be a JSON object")
        return value

    @property
    def token(self) -> str | None:
        """The token that it was sent with, however it was sent."""
        for name in AUTHORISATION:
            if value := self.headers.get(name):
                return value.split()[-1]
        return None

    @property
    def shown(self) -> str:
        """All that was sent but the headers that are for tokens: to look for leaks in."""
        kept = {k: v for k, v in self.headers.items() if k not in AUTHORISATION}
        text = self.body.decode(errors="replace")
        return f"{self.method} {self.where}?{urlencode(self.query)}\n{kept}\n{text}"

    def fits(self, method: str, path: str) -> bool:
        """Tell whether it has this method (any, if empty) and a path in which the pattern is."""
        return method in {"", self.method} and re.search(path, self.where) is not None


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Let a method answer requests; what stands for each `{name}` becomes an argument, decoded."""
    pattern = re.compile(re.sub(r"{\w+}", "([^/]+)", path) + "$")

    def decorate(function: Handler) -> Handler:
        routes = getattr(function, "routes", ())
        function.routes = (*routes, (method, pattern))  # type: ignore[attr-defined]
        return function

    return decorate


def paged(request: Request, items: list[Any], default: int) -> tuple[list[Any], int, int, int]:
    """Return the page that was asked for, its number, the number of pages, and a page's size."""
    size = min(_positive(request.query.get("per_page")) or default, MOST_PER_PAGE)
    page = _positive(request.query.get("page")) or 1
    return items[(page - 1) * size : page * size], page, max(1, -(-len(items) // size)), size


def links(request: Request, address: str, pages: dict[str, int]) -> str:
    """Return the header that leads to other pages."""
    return ", ".join(
        f'<{address}?{urlencode({**request.query, "page": page})}>; rel="{name}"'
        for name, page in pages.items()
    )


def _positive(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
