"""The comments below a pull request, an issue or a commit on GitHub."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cml.ci.values import look, text
from cml.forges.api import Refused, Request, get
from cml.forges.sticky import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.forges.api import Api, Method
    from cml.forges.base import Subject

LIMIT = 65_536
"""Characters; GitHub answers 422 to more."""

_GRANTS = {
    "pull request": "pull-requests: write",
    "issue": "issues: write",
    "commit": "contents: write",
}
_LAG = timedelta(minutes=1)  # of a comment that was made already, but not listed yet


class Owner:
    """Whom a token belongs to: an app, which writes as a bot, or a person."""

    def __init__(self, api: Api, *, app: bool) -> None:
        self._api = api
        self._app = app

    def wrote(self, author: object) -> bool:
        """Tell whether a user, as a comment names its author, is the token's owner."""
        if self._id is None:
            return text(author, "type") == "Bot"
        return look(author, "id") == self._id

    @cached_property
    def _id(self) -> int | None:
        """The person's number, None of an app: tokens of old Enterprise servers don't show it."""
        request = Request(
            method="GET", path="/user", doing="tell whose token it is", grant="contents: read"
        )
        if self._app:
            return None
        try:
            return get(self._api.item(request), "id", int)
        except Refused as refusal:
            if refusal.status != HTTPStatus.FORBIDDEN:
                raise
            return None


class Thread:
    """The comments below one subject; see `sticky.Thread`."""

    limit = LIMIT

    def __init__(self, api: Api, root: str, subject: Subject, owner: Owner) -> None:
        self._api = api
        self._subject = subject
        self._owner = owner
        self._seen = ""
        on_commit = subject.kind == "commit"
        self._list = (
            f"{root}/{'commits' if on_commit else 'issues'}/{quote(subject.id, safe='')}/comments"
        )
        self._items = f"{root}/comments" if on_commit else f"{root}/issues/comments"

    def earlier(self) -> Iterator[Comment]:
        """Yield the comments, the oldest first."""
        return self._listed({})

    def latest(self) -> Iterator[Comment]:
        """Yield the comments since shortly before the last one that `earlier` came to."""
        if self._subject.kind == "commit" or not self._seen:  # a commit's list has no `since`
            return self._listed({})
        since = datetime.fromisoformat(self._seen.replace("Z", "+00:00")) - _LAG
        return self._listed({"since": f"{since:%Y-%m-%dT%H:%M:%SZ}"})

    def is_ours(self, comment: Comment) -> bool:
        """Tell whether this token's owner wrote a comment."""
        return self._owner.wrote(comment.author)

    def create(self, body: str) -> Comment:
        """Make a comment."""
        return self._comment(self._api.item(self._request("POST", self._list, body={"body": body})))

    def update(self, comment: Comment, body: str) -> Comment:
        """Change a comment."""
        request = self._request("PATCH", comment.path, body={"body": body})
        return self._comment(self._api.item(request))

    def delete(self, comment: Comment) -> None:
        """Delete a comment."""
        self._api.ask(self._request("DELETE", comment.path))

    def _listed(self, query: dict[str, str | int]) -> Iterator[Comment]:
        for page in self._api.pages(self._request("GET", self._list, query=query)):
            for item in page:
                self._seen = text(item, "created_at") or ""
                yield self._comment(item)

    def _comment(self, item: object) -> Comment:
        number = get(item, "id", int)
        return Comment(
            id=number,
            path=f"{self._items}/{number}",
            author=look(item, "user"),
            body=text(item, "body") or "",
            url=text(item, "html_url") or "",
        )

    def _request(self, method: Method, path: str, **what: Any) -> Request:
        verb = {"GET": "read the comments on", "DELETE": "delete its second comment on"}
        subject = f"{self._subject.kind} {self._subject.id}"
        return Request(
            method=method,
            path=path,
            doing=f"{verb.get(method, 'write the comment on')} {subject}",
            grant=_GRANTS[self._subject.kind],
            **what,
        )
