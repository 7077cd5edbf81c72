"""The notes below a merge request, an issue or a commit on GitLab."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cml.ci.values import look, text
from cml.forges.api import Request, get
from cml.forges.sticky import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.forges.api import Api, Method
    from cml.forges.base import Kind, Subject

LIMIT = 1_000_000
"""Characters of a note."""

_WORDS: dict[Kind, tuple[str, str, str]] = {
    "pull request": ("merge request", "merge_requests/{}", "merge_requests/{}/notes"),
    "issue": ("issue", "issues/{}", "issues/{}/notes"),
    "commit": ("commit", "commit/{}", "repository/commits/{}/discussions"),
}


class Owner:
    """Whom a token belongs to; asked only when it matters."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def wrote(self, author: object) -> bool:
        """Tell whether a user, as a note names its author, is the token's owner."""
        return look(author, "id") == self._id

    @cached_property
    def _id(self) -> int:
        request = Request(method="GET", path="/user", doing="tell whose token it is", grant="Guest")
        return get(self._api.item(request), "id", int)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a subject is: in the API, for people, and in a sentence."""

    path: str
    page: str
    words: str


def place_of(subject: Subject, project: str, root: str) -> Place:
    """Return where a subject is, in a project with that page and that root of its API."""
    name = quote(subject.id, safe="")
    words, page, path = _WORDS[subject.kind]
    return Place(
        path=f"{root}/{path.format(name)}",
        page=f"{project}/-/{page.format(name)}",
        words=f"{words} {subject.id}",
    )


class _Thread:
    """What threads of notes have in common."""

    limit = LIMIT

    def __init__(self, api: Api, place: Place, owner: Owner) -> None:
        self._api = api
        self._place = place
        self._owner = owner

    def is_ours(self, comment: Comment) -> bool:
        """Tell whether this token's owner wrote a note."""
        return self._owner.wrote(comment.author)

    def update(self, comment: Comment, body: str) -> Comment:
        """Change a note."""
        request = self._request("PUT", comment.path, body={"body": body})
        return self._comment(self._api.item(request), comment.path.rpartition("/")[0])

    def delete(self, comment: Comment) -> None:
        """Delete a note."""
        self._api.ask(self._request("DELETE", comment.path))

    def _comment(self, item: object, folder: str) -> Comment:
        number = get(item, "id", int)
        return Comment(
            id=number,
            path=f"{folder}/{number}",
            author=look(item, "author"),
            body=text(item, "body") or "",
            url=f"{self._place.page}#note_{number}",
        )

    def _request(self, method: Method, path: str, **what: Any) -> Request:
        verb = {"GET": "read the comments on", "DELETE": "delete its second comment on"}
        return Request(
            method=method,
            path=path,
            doing=f"{verb.get(method, 'write the comment on')} {self._place.words}",
            grant="Reporter",
            **what,
        )


class Notes(_Thread):
    """The notes below a merge request or an issue; see `sticky.Thread`."""

    def earlier(self) -> Iterator[Comment]:
        """Yield the notes, the oldest first."""
        for page in self._listed("asc"):
            yield from page

    def latest(self) -> Iterator[Comment]:
        """Yield the newest page of notes."""
        for page in islice(self._listed("desc"), 1):
            yield from page

    def create(self, body: str) -> Comment:
        """Make a note."""
        request = self._request("POST", self._place.path, body={"body": body})
        return self._comment(self._api.item(request), self._place.path)

    def _listed(self, sort: str) -> Iterator[Iterator[Comment]]:
        query = {"sort": sort, "order_by": "created_at"}
        for page in self._api.pages(self._request("GET", self._place.path, query=query)):
            yield (self._comment(item, self._place.path) for item in page)


class Discussions(_Thread):
    """The discussions of a commit, whose plain comments cannot be edited; see `sticky.Thread`."""

    def earlier(self) -> Iterator[Comment]:
        """Yield the notes that began a discussion, the oldest first."""
        return iter(sorted(self.latest(), key=lambda comment: comment.id))

    def latest(self) -> Iterator[Comment]:
        """Yield all notes that began a discussion."""
        for page in self._api.pages(self._request("GET", self._place.path)):
            yield from (self._begun(item) for item in page if look(item, "notes"))

    def create(self, body: str) -> Comment:
        """Begin a discussion."""
        return self._begun(
            self._api.item(self._request("POST", self._place.path, body={"body": body}))
        )

    def _begun(self, item: object) -> Comment:
        folder = f"{self._place.path}/{get(item, 'id', str)}/notes"
        return self._comment(get(item, "notes", list)[0], folder)
