"""The fake GitHub's comments: on issues, pull requests and commits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import forge_github_shapes as shapes
from forge_faults import Answer
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_github import GitHub

LIMIT = 65_536
REPO = "/repos/{owner}/{repo}"


def invalid(resource: str, field_: str, code: str, message: str | None = None) -> Refusal:
    error = {"resource": resource, "field": field_, "code": code}
    if message:
        error["message"] = message
    body = {"message": "Validation Failed", "errors": [error], "documentation_url": ""}
    return Refusal(422, body)


def body_of(request: Request, resource: str) -> str:
    """Return the text of a comment that can be taken."""
    body: str = request.json["body"]
    if not body.strip():
        raise invalid(resource, "body", "missing_field")
    if len(body) > LIMIT:
        text = f"body is too long (maximum is {LIMIT} characters)"
        raise invalid(resource, "body", "custom", text)
    return body


@dataclass(eq=False)
class Comments:
    """State and routes of comments."""

    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict, init=False)
    commit_comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict, init=False)

    def add_comment(self: GitHub, number: int, body: str, author: str = "ada") -> dict[str, Any]:
        made, comment = self.now(), self.new_id()
        path, page = f"repos/{self.repository}/issues", f"{self.server}/{self.repository}/pull"
        self.comments[number].append(
            {
                "id": comment,
                "node_id": f"IC_{comment}",
                "url": f"{self.api}/{path}/comments/{comment}",
                "issue_url": f"{self.api}/{path}/{number}",
                "html_url": f"{page}/{number}#issuecomment-{comment}",
                "user": self.user(author),
                "body": body,
                "created_at": made,
                "updated_at": made,
                "author_association": "NONE",
                "performed_via_github_app": (
                    shapes.app(self.server, self.api) if author == shapes.BOT else None
                ),
            }
        )
        return self.comments[number][-1]

    def add_commit_comment(
        self: GitHub, sha: str, body: str, author: str = "ada"
    ) -> dict[str, Any]:
        made, comment = self.now(), self.new_id()
        page = f"{self.server}/{self.repository}/commit/{sha}"
        self.commit_comments.setdefault(sha, []).append(
            {
                "id": comment,
                "node_id": f"CC_{comment}",
                "url": f"{self.api}/repos/{self.repository}/comments/{comment}",
                "html_url": f"{page}#commitcomment-{comment}",
                "user": self.user(author),
                **dict.fromkeys(("position", "line", "path")),
                "commit_id": sha,
                "body": body,
                "author_association": "NONE",
                "created_at": made,
                "updated_at": made,
            }
        )
        return self.commit_comments[sha][-1]

    def _of(self: GitHub, number: str) -> list[dict[str, Any]]:
        if int(number) not in self.comments:
            raise Refusal(404, "Not Found")
        return self.comments[int(number)]

    @route("GET", f"{REPO}/issues/{{number}}/comments")
    def list_comments(self: GitHub, request: Request, *path: str) -> Answer:
        since = request.query.get("since", "")
        return self.page(request, [c for c in self._of(path[-1]) if c["updated_at"] >= since])

    @route("POST", f"{REPO}/issues/{{number}}/comments")
    def create_comment(self: GitHub, request: Request, *path: str) -> Answer:
        self._of(path[-1])
        body = body_of(request, "IssueComment")
        return Answer(201, self.add_comment(int(path[-1]), body, self.login(request)))

    @route("GET", f"{REPO}/issues/comments/{{comment}}")
    @route("PATCH", f"{REPO}/issues/comments/{{comment}}")
    @route("DELETE", f"{REPO}/issues/comments/{{comment}}")
    def one_comment(self: GitHub, request: Request, *path: str) -> Answer:
        return self._one(request, self.comments, path[-1], "IssueComment")

    @route("GET", f"{REPO}/commits/{{sha}}/comments")
    def list_commit_comments(self: GitHub, request: Request, *path: str) -> Answer:
        self.known(path[-1])
        return self.page(request, self.commit_comments.get(path[-1], []))

    @route("POST", f"{REPO}/commits/{{sha}}/comments")
    def create_commit_comment(self: GitHub, request: Request, *path: str) -> Answer:
        self.known(path[-1])
        body = body_of(request, "CommitComment")
        return Answer(201, self.add_commit_comment(path[-1], body, self.login(request)))

    @route("GET", f"{REPO}/comments/{{comment}}")
    @route("PATCH", f"{REPO}/comments/{{comment}}")
    @route("DELETE", f"{REPO}/comments/{{comment}}")
    def one_commit_comment(self: GitHub, request: Request, *path: str) -> Answer:
        return self._one(request, self.commit_comments, path[-1], "CommitComment")

    def _one(
        self: GitHub, request: Request, held: dict[Any, list[Any]], number: str, resource: str
    ) -> Answer:
        for comments in held.values():
            for comment in comments:
                if str(comment["id"]) != number:
                    continue
                if request.method == "DELETE":
                    comments.remove(comment)
                    return Answer(204)
                if request.method == "PATCH":
                    comment["body"] = body_of(request, resource)
                    comment["updated_at"] = self.now()
                return Answer(200, comment)
        raise Refusal(404, "Not Found")
