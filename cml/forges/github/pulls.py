"""Pull requests on GitHub: those of a branch, those of a commit, and one of our own."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from cml.ci.values import look, text
from cml.forges.api import Refused, Request, get, plain
from cml.forges.base import PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cml.forges.api import Api

_PAGES = 3  # of open pull requests, the most recently updated first


class Pulls:
    """The pull requests of one repository."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._root = f"/repos/{repository}"
        self._owner = repository.partition("/")[0]

    def of_branch(self, branch: str) -> list[PullRequest]:
        """Return the open ones whose head is a branch of this repository."""
        return [_pull_request(item) for item in self._open(branch)]

    def of_commit(self, sha: str) -> list[PullRequest]:
        """Return the open ones whose head is a commit; GitHub does not link those of forks."""
        found = [item for item in self._linked(sha) if text(item, "state") == "open"]
        return _headed(found, sha) or _headed(list(self._recent()), sha)

    def propose(self, *, head: str, base: str, title: str, body: str) -> str:
        """Open one, or bring the open one up to date; return its address."""
        content = {"title": plain(title), "body": plain(body)}
        request = Request(
            method="POST",
            path=f"{self._root}/pulls",
            doing=f"open a pull request from {head} to {base}",
            grant="pull-requests: write",
            body={**content, "head": head, "base": base},
        )
        earlier = self._open(head, base=base)
        if not earlier:
            try:
                return get(self._api.item(request), "html_url", str)
            except Refused as refusal:
                # Another job may have opened it meanwhile.
                taken = refusal.status == HTTPStatus.UNPROCESSABLE_ENTITY
                earlier = self._open(head, base=base) if taken else []
                if not earlier:
                    raise
        return self._updated(earlier[0], content)

    def _updated(self, item: dict[str, Any], content: Mapping[str, object]) -> str:
        number = get(item, "number", int)
        if any(item.get(key) != value for key, value in content.items()):
            request = Request(
                method="PATCH",
                path=f"{self._root}/pulls/{number}",
                doing=f"change pull request {number}",
                grant="pull-requests: write",
                body=content,
            )
            item = self._api.item(request)
        return get(item, "html_url", str)

    def _open(self, branch: str, **query: str) -> list[dict[str, Any]]:
        head = f"{self._owner}:{branch}"
        request = self._reading("pulls", {"state": "open", "head": head, **query})
        return [
            item
            for page in self._api.pages(request)
            for item in page
            # The owner may have a fork of its own repository, with a branch of the same name.
            if text(item, "head.ref") == branch
            and look(item, "head.repo.id") == look(item, "base.repo.id")
        ]

    def _linked(self, sha: str) -> list[dict[str, Any]]:
        try:
            pages = self._api.pages(self._reading(f"commits/{sha}/pulls", {}))
            return [item for page in pages for item in page]
        except Refused as refusal:
            # The commit may not be known here, as with a fork's.
            if refusal.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}:
                raise
            return []

    def _recent(self) -> Iterator[dict[str, Any]]:
        query = {"state": "open", "sort": "updated", "direction": "desc"}
        for page in islice(self._api.pages(self._reading("pulls", query)), _PAGES):
            yield from page

    def _reading(self, path: str, query: dict[str, str]) -> Request:
        return Request(
            method="GET",
            path=f"{self._root}/{path}",
            doing="look for the pull request",
            grant="pull-requests: write",  # which a comment will need
            query=query,
        )


def _headed(items: list[dict[str, Any]], sha: str) -> list[PullRequest]:
    return [_pull_request(item) for item in items if text(item, "head.sha") == sha]


def _pull_request(item: dict[str, Any]) -> PullRequest:
    return PullRequest(
        number=get(item, "number", int),
        sha=get(item, "head.sha", str),
        author=text(item, "user.login"),
        target=get(item, "base.ref", str),
        url=get(item, "html_url", str),
    )
