"""The fake GitLab's notes: on merge requests, issues and commits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forge_faults import Answer
from forge_http import Refusal, Request, route

if TYPE_CHECKING:
    from forge_gitlab import GitLab

LIMIT = 1_000_000
PROJECT = "/projects/{project}"
COMMIT = f"{PROJECT}/repository/commits/{{sha}}"


def body_of(request: Request, name: str = "body") -> str:
    """Return the text of a note that can be taken."""
    body: str = request.json[name]
    if not body.strip():
        raise Refusal(400, "400 Bad request - Note can't be blank")
    if len(body) > LIMIT:
        raise Refusal(400, f"400 Bad request - Note is too long (maximum is {LIMIT} characters)")
    return body


@dataclass(eq=False)
class Notes:
    """State and routes of notes."""

    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict, init=False)
    discussions: dict[str, list[dict[str, Any]]] = field(default_factory=dict, init=False)
    _kinds: dict[int, str] = field(default_factory=dict, init=False)

    def add_issue(self: GitLab) -> int:
        number = len(self.comments) + 1
        self.comments[number], self._kinds[number] = [], "issues"
        return number

    def add_comment(
        self: GitLab, number: int, body: str, author: str = "ada", *, system: bool = False
    ) -> dict[str, Any]:
        kind = "MergeRequest" if self._kinds[number] == "merge_requests" else "Issue"
        note = {
            **self._note(body, author),
            "system": system,
            "noteable_id": 100_000 + number,
            "noteable_type": kind,
            "noteable_iid": number,
        }
        self.comments[number].append(note)
        return note

    def commit_comments(self: GitLab, sha: str) -> list[dict[str, Any]]:
        return [note for found in self.discussions.get(sha, []) for note in found["notes"]]

    def add_commit_comment(
        self: GitLab, sha: str, body: str, author: str = "ada", *, alone: bool = False
    ) -> dict[str, Any]:
        """Comment on a commit, and return the discussion that the comment begins."""
        note = {**self._note(body, author), "noteable_type": "Commit", "commit_id": sha}
        discussion = {
            "id": hashlib.sha1(str(note["id"]).encode()).hexdigest(),
            "individual_note": alone,
            "notes": [note],
        }
        self.discussions.setdefault(sha, []).append(discussion)
        return discussion

    def _note(self: GitLab, body: str, author: str) -> dict[str, Any]:
        made = self.now()
        return {
            "id": self.new_id(),
            "type": None,
            "body": body,
            "attachment": None,
            "author": self.user(author),
            "created_at": made,
            "updated_at": made,
            "system": False,
            "noteable_id": None,
            "project_id": self.number,
            "resolvable": False,
            "confidential": False,
            "internal": False,
            "imported": False,
            "imported_from": "none",
            "noteable_iid": None,
            "commands_changes": {},
        }

    def _of(self: GitLab, kind: str, number: str) -> list[dict[str, Any]]:
        if self._kinds.get(int(number)) != kind:
            raise Refusal(404, "404 Not found")
        return self.comments[int(number)]

    @route("GET", f"{PROJECT}/(merge_requests|issues)/{{iid}}/notes")
    def list_notes(self: GitLab, request: Request, _: str, kind: str, number: str) -> Answer:
        key = request.query.get("order_by", "created_at")
        newest = request.query.get("sort", "desc") == "desc"
        notes = sorted(self._of(kind, number), key=lambda note: note[key], reverse=newest)
        return self.page(request, notes)

    @route("POST", f"{PROJECT}/(merge_requests|issues)/{{iid}}/notes")
    def create_note(self: GitLab, request: Request, _: str, kind: str, number: str) -> Answer:
        self._of(kind, number)
        note = self.add_comment(int(number), body_of(request), self.login(request))
        return Answer(201, note)

    @route("GET", f"{PROJECT}/(merge_requests|issues)/{{iid}}/notes/{{note}}")
    @route("PUT", f"{PROJECT}/(merge_requests|issues)/{{iid}}/notes/{{note}}")
    @route("DELETE", f"{PROJECT}/(merge_requests|issues)/{{iid}}/notes/{{note}}")
    def one_note(self: GitLab, request: Request, _: str, kind: str, *ids: str) -> Answer:
        return self._one(request, self._of(kind, ids[0]), ids[1])

    @route("GET", f"{COMMIT}/comments")
    def list_commit_comments(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        return self.page(request, [_comment(note) for note in self.commit_comments(sha)])

    @route("POST", f"{COMMIT}/comments")
    def create_commit_comment(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        body, author = body_of(request, "note"), self.login(request)
        made = self.add_commit_comment(sha, body, author, alone=True)
        return Answer(201, _comment(made["notes"][0]))

    @route("GET", f"{COMMIT}/discussions")
    def list_discussions(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        return self.page(request, self.discussions.get(sha, []))

    @route("POST", f"{COMMIT}/discussions")
    def create_discussion(self: GitLab, request: Request, _: str, sha: str) -> Answer:
        self.known(sha)
        made = self.add_commit_comment(sha, body_of(request), self.login(request))
        return Answer(201, made)

    @route("GET", f"{COMMIT}/discussions/{{discussion}}/notes/{{note}}")
    @route("PUT", f"{COMMIT}/discussions/{{discussion}}/notes/{{note}}")
    @route("DELETE", f"{COMMIT}/discussions/{{discussion}}/notes/{{note}}")
    def one_commit_note(self: GitLab, request: Request, _: str, sha: str, *ids: str) -> Answer:
        for discussion in self.discussions.get(sha, []):
            if discussion["id"] == ids[0]:
                answer = self._one(request, discussion["notes"], ids[1])
                if not discussion["notes"]:
                    self.discussions[sha].remove(discussion)
                return answer
        raise Refusal(404, "404 Discussion Not Found")

    def _one(self: GitLab, request: Request, notes: list[dict[str, Any]], number: str) -> Answer:
        for note in notes:
            if str(note["id"]) != number:
                continue
            if request.method != "GET" and note["author"]["username"] != self.login(request):
                raise Refusal(403, "403 Forbidden")
            if request.method == "DELETE":
                notes.remove(note)
                return Answer(204)
            if request.method == "PUT":
                note.update(body=body_of(request), updated_at=self.now())
            return Answer(200, note)
        raise Refusal(404, "404 Note Not Found")


def _comment(note: dict[str, Any]) -> dict[str, Any]:
    """Return a note as the older way of commenting commits shows it: without an id."""
    nowhere = dict.fromkeys(("path", "line", "line_type"))
    about = {name: note[name] for name in ("author", "created_at")}
    return {"note": note["body"], **nowhere, **about}
