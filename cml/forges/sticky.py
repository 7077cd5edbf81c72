"""Keeps one comment of ours below a subject, whoever else writes there; knows no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from cml.errors import PublishError
from cml.forges.api import Refused, plain
from cml.forges.base import marker

if TYPE_CHECKING:
    from collections.abc import Iterable

MARKER_ROOM = 400
"""Characters to keep free for the marker; a name has 100 at most."""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment as its forge has it; a later one has a larger `id`, `path` is where to edit it."""

    id: int
    path: str
    author: object
    body: str
    url: str


class Thread(Protocol):
    """The comments below one subject."""

    limit: int
    """The most characters of a comment."""

    def earlier(self) -> Iterable[Comment]:
        """Yield the comments, the oldest first, asking for more as they are wanted."""

    def latest(self) -> Iterable[Comment]:
        """Yield at least the comments that were made since `earlier` was asked, in any order."""

    def is_ours(self, comment: Comment) -> bool:
        """Tell whether this token's owner wrote a comment."""

    def create(self, body: str) -> Comment:
        """Make a comment."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Change a comment."""

    def delete(self, comment: Comment) -> None:
        """Delete a comment."""


def keep(thread: Thread, *, name: str, body: str) -> str:
    """Put a comment in place of our earlier one of that name, or make it; return its address."""
    first = marker(name)
    text = plain(f"{first}\n{body}")
    if len(text) > thread.limit:
        raise PublishError(
            f"the comment {name!r} has {len(text)} characters, {thread.limit} are allowed",
            hint="Make it shorter, and link to the whole.",
        )
    for comment in _ours(thread, thread.earlier(), first):
        updated = _updated(thread, comment, text)
        if updated:
            return updated.url
    return _settled(thread, thread.create(text), first, text).url


def _ours(thread: Thread, comments: Iterable[Comment], first: str) -> Iterable[Comment]:
    """Those with our marker line that are ours: a marker can be copied by anybody."""
    for comment in comments:
        if comment.body.partition("\n")[0].strip() == first and thread.is_ours(comment):
            yield comment


def _updated(thread: Thread, comment: Comment, text: str) -> Comment | None:
    """Bring a comment up to date; None where somebody has deleted it meanwhile."""
    if _same(comment.body, text):
        return comment
    try:
        return thread.update(comment, text)
    except Refused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _same(one: str, other: str) -> bool:
    """Forges turn line ends and trim; that is no change."""
    return one.splitlines() == other.splitlines() or one.strip() == other.strip()


def _settled(thread: Thread, made: Comment, first: str, text: str) -> Comment:
    """Leave only the oldest of several that were made at one time, by us twice or by two jobs.

    Every job that made one comes to the same oldest, so none deletes what another one keeps.
    """
    before = [comment for comment in thread.latest() if comment.id < made.id]
    older = sorted(_ours(thread, before, first), key=lambda comment: comment.id)
    while older:
        kept = _updated(thread, older.pop(0), text)
        if kept:
            for comment in (*older, made):
                _delete(thread, comment)
            return kept
    return made


def _delete(thread: Thread, comment: Comment) -> None:
    try:
        thread.delete(comment)
    except Refused as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise
