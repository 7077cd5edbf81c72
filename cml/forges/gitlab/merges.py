"""Merge requests on GitLab: those of a branch, those of a commit, and one of our own."""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from cml.ci.values import look, number, text
from cml.forges.api import Refused, Request, get, plain
from cml.forges.base import PullRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cml.forges.api import Api

_PAGES = 3  # of open merge requests, the most recently updated first


class Merges:
    """The merge requests of the project whose API stands at `root`.

    Args:
        source: the number of the project whose branches are meant, None for the same one.
    """

    def __init__(self, api: Api, root: str, *, source: int | None) -> None:
        self._api = api
        self._root = root
        self._source = source

    def of_branch(self, branch: str) -> list[PullRequest]:
        """Return the open ones whose source is a branch of the project, and not of a fork."""
        return [_pull_request(item) for item in self._open({"source_branch": branch})]

    def of_commit(self, sha: str) -> list[PullRequest]:
        """Return the open ones whose head is a commit; a fork's may not be known here."""
        found = [item for item in self._linked(sha) if text(item, "state") == "opened"]
        return _headed(found, sha) or _headed(list(self._recent()), sha)

    def propose(self, *, head: str, base: str, title: str, body: str) -> str:
        """Open one, or bring the open one up to date; return its address."""
        content = {"title": plain(title), "description": plain(body)}
        branches = {"source_branch": head, "target_branch": base}
        request = Request(
            method="POST",
            path=f"{self._root}/merge_requests",
            doing=f"open a merge request from {head} to {base}",
            grant="Developer",
            body={**content, **branches},
        )
        earlier = self._open(branches)
        if not earlier:
            try:
                return get(self._api.item(request), "web_url", str)
            except Refused as refusal:
                earlier = self._open(branches) if refusal.status == HTTPStatus.CONFLICT else []
                if not earlier:
                    raise
        return self._updated(earlier[0], content)

    def _updated(self, item: dict[str, Any], content: Mapping[str, object]) -> str:
        iid = get(item, "iid", int)
        if any(item.get(key) != value for key, value in content.items()):
            request = Request(
                method="PUT",
                path=f"{self._root}/merge_requests/{iid}",
                doing=f"change merge request {iid}",
                grant="Developer",
                body=content,
            )
            item = self._api.item(request)
        return get(item, "web_url", str)

    def _open(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        request = self._reading("merge_requests", {"state": "opened", **query})
        return [item for page in self._api.pages(request) for item in page if self._is_ours(item)]

    def _is_ours(self, item: dict[str, Any]) -> bool:
        source = self._source or look(item, "target_project_id")
        return look(item, "source_project_id") == source

    def _linked(self, sha: str) -> list[dict[str, Any]]:
        try:
            pages = self._api.pages(self._reading(f"repository/commits/{sha}/merge_requests", {}))
            return [item for page in pages for item in page]
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:  # a fork's commit may not be known here
                raise
            return []

    def _recent(self) -> Iterator[dict[str, Any]]:
        query = {"state": "opened", "order_by": "updated_at", "sort": "desc"}
        for page in islice(self._api.pages(self._reading("merge_requests", query)), _PAGES):
            yield from page

    def _reading(self, path: str, query: dict[str, str]) -> Request:
        return Request(
            method="GET",
            path=f"{self._root}/{path}",
            doing="look for the merge request",
            grant="Reporter",
            query=query,
        )


def own_project(environ: Mapping[str, str]) -> int | None:
    """Return the number of the project that the job belongs to: of a fork, in its own pipelines."""
    return number(environ.get("CI_PROJECT_ID"))


def _headed(items: list[dict[str, Any]], sha: str) -> list[PullRequest]:
    return [_pull_request(item) for item in items if text(item, "sha") == sha]


def _pull_request(item: dict[str, Any]) -> PullRequest:
    return PullRequest(
        number=get(item, "iid", int),
        sha=get(item, "sha", str),
        author=text(item, "author.username"),
        target=get(item, "target_branch", str),
        url=get(item, "web_url", str),
    )
