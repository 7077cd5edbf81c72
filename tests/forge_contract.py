"""Requests and answers checked against a forge's official OpenAPI document, with openapi-core.

The documents are no part of the repository: CML_TEST_OPENAPI names their folder. Without them
`load` returns a contract that allows everything.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from forge_undocumented import amend_github, amend_gitlab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge_faults import Answer
    from forge_server import Request

FOLDER = Path(
    os.environ.get("CML_TEST_OPENAPI") or Path(__file__).parent.parent / "../shared/openapi"
)
MISSING = f"needs the OpenAPI documents in {os.path.relpath(FOLDER)} or CML_TEST_OPENAPI"
HOST = "http://forge.example"
JSON = "application/json"


class Contract(Protocol):
    def of_request(self, request: Request, path: str) -> list[str]:
        """Return what is wrong with a request."""

    def of_answer(self, request: Request, path: str, answer: Answer) -> list[str]:
        """Return what is wrong with an answer."""


class Lenient:
    """No document: all is well."""

    def of_request(self, *_: object) -> list[str]:
        return []

    def of_answer(self, *_: object) -> list[str]:
        return []


class Strict:
    """One document; `drop_null` for one that does not say what may be null."""

    def __init__(self, document: dict[str, Any], *, drop_null: bool) -> None:
        from openapi_core import Config, OpenAPI

        self.document = {**_with_null(document), "servers": [{"url": HOST}]}
        self.drop_null = drop_null
        # GitLab's own document is no valid one, in corners that do not matter here.
        config = Config(spec_validator_cls=None)
        self.api = OpenAPI.from_dict(copy.deepcopy(self.document), config=config)

    def of_request(self, request: Request, path: str) -> list[str]:
        from openapi_core.exceptions import OpenAPIError

        where = f"{request.method} {request.where}"
        asked = _asked(request, path)
        try:
            self.api.validate_request(asked)
        except OpenAPIError as error:
            return [f"{where}: {_reason(error)}"]
        return [f"{where}: {wrong}" for wrong in self._unknown(request, path)]

    def of_answer(self, request: Request, path: str, answer: Answer) -> list[str]:
        from openapi_core.exceptions import OpenAPIError
        from openapi_core.testing import MockResponse

        operation, _ = self._operation(request.method, path)
        status = _documented(answer.status, operation["responses"])
        if status is None or not self._resolved(operation["responses"][status]).get("content"):
            return []
        body = _without_null(answer.body) if self.drop_null else answer.body
        response = MockResponse(
            b"" if body is None else json.dumps(body).encode(),
            status_code=int(status),
            content_type=JSON,
        )
        try:
            self.api.validate_response(_asked(request, path), response)
        except OpenAPIError as error:
            where = f"{request.method} {request.where} -> {answer.status}"
            return [f"the fake itself: {where}: {_reason(error)}"]
        return []

    def _unknown(self, request: Request, path: str) -> Iterator[str]:
        """Yield what the document has no name for, which it would let pass."""
        operation, shared = self._operation(request.method, path)
        parameters = map(self._resolved, [*operation.get("parameters", []), *shared])
        queries = {item["name"] for item in parameters if item["in"] == "query"}
        for name in request.query.keys() - queries:
            yield f"the document knows no parameter {name!r}"
        content = self._resolved(operation.get("requestBody", {})).get("content", {})
        if JSON in content and request.body:
            known = set(self._properties(content[JSON]["schema"]))
            for name in request.json.keys() - known:
                yield f"the document knows no field {name!r}"
        elif request.body and not content:
            yield "the document knows no body"

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], list[Any]]:
        from openapi_core.templating.paths.finders import APICallPathFinder

        found = APICallPathFinder(self.api.spec, HOST).find(method.lower(), HOST + path)
        item = self.document["paths"][found.path_result.pattern]
        return item[method.lower()], item.get("parameters", [])

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for key in node["$ref"][2:].split("/"):
                target = target[key]
            node = target
        return node

    def _properties(self, schema: dict[str, Any]) -> Iterator[str]:
        schema = self._resolved(schema)
        yield from schema.get("properties", {})
        for key in ("oneOf", "anyOf", "allOf"):
            for part in schema.get(key, []):
                yield from self._properties(part)


def present(name: str) -> bool:
    return (FOLDER / f"{name}.json").exists()


@functools.cache
def load(name: str) -> Contract:
    """Return the contract of `github` or `gitlab`, once a process: it takes a second."""
    if not present(name):
        return Lenient()
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    amend = amend_gitlab if name == "gitlab" else amend_github
    amend(document)
    return Strict(document, drop_null=name == "gitlab")


def _asked(request: Request, path: str) -> Any:
    from openapi_core.testing import MockRequest

    kind = request.headers.get("content-type", JSON)
    return MockRequest(
        HOST,
        request.method.lower(),
        path,
        args=request.query,
        headers=request.headers,
        # A multipart body is a file: the fake itself takes it apart.
        data=request.body if kind.startswith(JSON) else b"",
        content_type=kind,
    )


def _documented(status: int, responses: dict[str, Any]) -> str | None:
    """GitLab's document often says 200 where the answer is 201."""
    if str(status) in responses:
        return str(status)
    good = [code for code in responses if code.startswith("2")]
    return good[0] if good and 200 <= status < 300 else None


def _with_null(node: Any) -> Any:
    """Let null through where it is allowed but missing in the enumeration of values."""
    if isinstance(node, list):
        return [_with_null(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_null(item) for key, item in node.items()}
    if found.get("nullable") is True and isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None]
    return found


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    return value


def _reason(error: BaseException | None) -> str:
    """Name the innermost cause, with what a schema had to say."""
    while error is not None and error.__cause__ is not None:
        error = error.__cause__
    said = [one.message for one in getattr(error, "schema_errors", ())]
    return "; ".join(said) or f"{type(error).__name__}: {error}"
