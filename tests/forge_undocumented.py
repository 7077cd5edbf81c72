"""Endpoints that the forges' documents lack or describe wrongly, from their manuals by hand.

https://docs.gitlab.com/api/notes/, /api/commits/, /api/discussions/, /api/projects/ (uploads, in
its project_markdown_uploads page), /api/users/ and /api/runners/; GitHub's one runner of an
organisation, https://docs.github.com/rest/actions/self-hosted-runners.
"""

from __future__ import annotations

import copy
from typing import Any

STRING = {"type": "string"}
INTEGER = {"type": "integer"}
BOOLEAN = {"type": "boolean"}
TIME = {"type": "string", "format": "date-time"}
NOTE_LIMIT = 1_000_000
PROJECT = "/api/v4/projects/{id}"


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


USER = _object(
    "id username name state web_url",
    id=INTEGER,
    username=STRING,
    name=STRING,
    state=STRING,
    web_url=STRING,
)
NOTE = _object(
    "id body author created_at updated_at system noteable_type",
    id=INTEGER,
    body=STRING,
    author=USER,
    created_at=TIME,
    updated_at=TIME,
    system=BOOLEAN,
    noteable_id=INTEGER,
    noteable_iid=INTEGER,
    noteable_type={"enum": ["Issue", "MergeRequest", "Commit"], "type": "string"},
    resolvable=BOOLEAN,
    internal=BOOLEAN,
)
DISCUSSION = _object(
    "id individual_note notes",
    id=STRING,
    individual_note=BOOLEAN,
    notes={"type": "array", "items": NOTE},
)
COMMENT = _object("note author created_at", note=STRING, author=USER, created_at=TIME)
UPLOAD = _object(
    "id alt url full_path markdown",
    id=INTEGER,
    alt=STRING,
    url=STRING,
    full_path=STRING,
    markdown=STRING,
)
RUNNER = _object("id token", id=INTEGER, token=STRING, token_expires_at=TIME)
RUNNER_DETAILS = _object(
    "id description paused is_shared runner_type online status tag_list run_untagged locked",
    id=INTEGER,
    description=STRING,
    paused=BOOLEAN,
    is_shared=BOOLEAN,
    runner_type={"enum": ["instance_type", "group_type", "project_type"], "type": "string"},
    online=BOOLEAN,
    status={"enum": ["online", "offline", "stale", "never_contacted"], "type": "string"},
    job_execution_status={"enum": ["active", "idle"], "type": "string"},
    tag_list={"type": "array", "items": STRING},
    run_untagged=BOOLEAN,
    locked=BOOLEAN,
)
RUNNER_JOB = _object("id status name", id=INTEGER, status=STRING, name=STRING)
GROUP = _object("id full_path", id=INTEGER, full_path=STRING)
WRITTEN = _object("body", body={"type": "string", "maxLength": NOTE_LIMIT}, created_at=TIME)
MARKED = _object(
    "body",
    body={"type": "string", "maxLength": NOTE_LIMIT},
    internal=BOOLEAN,
    confidential=BOOLEAN,
    created_at=TIME,
    merge_request_diff_head_sha=STRING,
)
PAGES = {"page": INTEGER, "per_page": INTEGER}
ORDER = {
    "sort": {"enum": ["asc", "desc"], "type": "string"},
    "order_by": {"enum": ["created_at", "updated_at"], "type": "string"},
    **PAGES,
}


def _content(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    return {"description": "", "content": {kind: {"schema": schema}}}


def _operation(
    status: int,
    answer: dict[str, Any] | None,
    body: dict[str, Any] | None = None,
    query: dict[str, Any] | None = None,
) -> dict[str, Any]:
    parameters = [{"name": k, "in": "query", "schema": v} for k, v in (query or {}).items()]
    response = _content(answer) if answer else {"description": ""}
    asked = {"requestBody": {**_content(body), "required": True}} if body else {}
    return {"parameters": parameters, "responses": {str(status): response}, **asked}


def _path(*names: str, **operations: dict[str, Any]) -> dict[str, Any]:
    fixed = [{"name": n, "in": "path", "required": True, "schema": STRING} for n in ("id", *names)]
    return {"parameters": fixed, **operations}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _notes(iid: str) -> dict[str, Any]:
    return _path(
        iid,
        get=_operation(200, _list(NOTE), query=ORDER),
        post=_operation(201, NOTE, MARKED),
    )


def _note(*names: str) -> dict[str, Any]:
    return _path(
        *names,
        get=_operation(200, NOTE),
        put=_operation(200, NOTE, WRITTEN),
        delete=_operation(204, None),
    )


# Its document calls text whatever it has no type for: the docs show numbers, flags and lists.
MERGE_REQUEST: dict[str, Any] = {
    **dict.fromkeys(("project_id", "source_project_id", "target_project_id"), INTEGER),
    **dict.fromkeys(("user_notes_count", "upvotes", "downvotes"), INTEGER),
    **dict.fromkeys(("draft", "has_conflicts"), BOOLEAN),
    **dict.fromkeys(("assignees", "reviewers"), _list(USER)),
    "labels": _list(STRING),
}
_UPLOAD = _operation(201, UPLOAD)
_UPLOAD["requestBody"] = _content({"type": "object"}, "multipart/form-data")
_RUNNER = _object(
    "runner_type",
    runner_type={"enum": ["instance_type", "group_type", "project_type"], "type": "string"},
    group_id=INTEGER,
    project_id=INTEGER,
    description=STRING,
    paused=BOOLEAN,
    locked=BOOLEAN,
    run_untagged=BOOLEAN,
    tag_list={"type": "array", "items": STRING},
    access_level={"enum": ["not_protected", "ref_protected"], "type": "string"},
    maximum_timeout=INTEGER,
    maintenance_note=STRING,
)
_COMMIT = f"{PROJECT}/repository/commits/{{sha}}"
_DISCUSSIONS = f"{_COMMIT}/discussions"
_COMMENT = _object("note", note=STRING, path=STRING, line=INTEGER, line_type=STRING)

GITLAB = {
    f"{PROJECT}/merge_requests/{{iid}}/notes": _notes("iid"),
    f"{PROJECT}/merge_requests/{{iid}}/notes/{{note_id}}": _note("iid", "note_id"),
    f"{PROJECT}/issues/{{iid}}/notes": _notes("iid"),
    f"{PROJECT}/issues/{{iid}}/notes/{{note_id}}": _note("iid", "note_id"),
    f"{_COMMIT}/comments": _path(
        "sha",
        get=_operation(200, _list(COMMENT), query=PAGES),
        post=_operation(201, COMMENT, _COMMENT),
    ),
    _DISCUSSIONS: _path(
        "sha",
        get=_operation(200, _list(DISCUSSION), query=PAGES),
        post=_operation(201, DISCUSSION, WRITTEN),
    ),
    f"{_DISCUSSIONS}/{{discussion_id}}/notes/{{note_id}}": _note("sha", "discussion_id", "note_id"),
    f"{PROJECT}/uploads": _path(post=_UPLOAD),
    "/api/v4/user": {"get": _operation(200, USER)},
    "/api/v4/user/runners": {"post": _operation(201, RUNNER, _RUNNER)},
    "/api/v4/groups/{id}": _path(get=_operation(200, GROUP)),
    "/api/v4/runners/{id}": _path(
        get=_operation(200, RUNNER_DETAILS), delete=_operation(204, None)
    ),
    "/api/v4/runners/{id}/jobs": _path(
        get=_operation(200, _list(RUNNER_JOB), query={"status": STRING, **PAGES})
    ),
}


def amend_github(document: dict[str, Any]) -> None:
    """Add to GitHub's document one runner of an organisation, which is like a repository's."""
    paths = document["paths"]
    one = copy.deepcopy(paths["/repos/{owner}/{repo}/actions/runners/{runner_id}"])
    many = paths["/orgs/{org}/actions/runners"]["get"]["parameters"]
    of_organisation = [item for item in many if str(item.get("$ref", "")).endswith("/org")]
    for operation in one.values():
        operation["parameters"] = [
            *of_organisation,
            *(
                item
                for item in operation["parameters"]
                if not str(item.get("$ref", "")).endswith(("/owner", "/repo"))
            ),
        ]
    paths["/orgs/{org}/actions/runners/{runner_id}"] = one


def amend_gitlab(document: dict[str, Any]) -> None:
    """Add to GitLab's document what it lacks, and correct what it has wrong."""
    document["paths"].update(copy.deepcopy(GITLAB))
    for name, schema in document["components"]["schemas"].items():
        if name.startswith("API_Entities_MergeRequest"):
            schema["properties"].update(copy.deepcopy(MERGE_REQUEST))
    content = document["paths"][f"{PROJECT}/merge_requests"]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = _list(content["application/json"]["schema"])
