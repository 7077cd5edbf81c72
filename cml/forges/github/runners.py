"""The self-hosted runners of a repository or an organisation on GitHub."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cml.ci.values import text
from cml.errors import PublishError
from cml.forges.api import Refused, Request, advising, get
from cml.forges.base import Program, Registration, Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.api import Api, Method
    from cml.forges.base import RunnerRequest

OLDEST = "2.329.0"
"""GitHub refuses runner programs before this one, as its changelog (github.blog/changelog) says."""

_SELF_HOSTED = "self-hosted"  # the program adds it to its own labels, a configuration does not
_WORK_FOLDER = "_work"
_SYSTEMS = {"Linux": "linux", "Darwin": "osx", "Windows": "win"}
_MACHINES = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_VERSION = re.compile(r"-(\d+\.\d+\.\d+)\.(?:tar\.gz|zip)$")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_GRANT = (
    "Give a token of a person who administers it as repo_token: a fine-grained one with "
    "`{permission}: write`, or a classic one with the scope `{scope}`. The GITHUB_TOKEN of a job "
    "may not do this."
)


class Runners:
    """The runners of one repository or organisation.

    Args:
        owner: `owner/name` of a repository, or the name of an organisation.
        of_organisation: which of the two.
        server: the address that people have in their browser.
    """

    def __init__(self, api: Api, owner: str, *, of_organisation: bool, server: str) -> None:
        self._api = api
        self._owner = owner
        self._url = f"{server}/{owner}"
        path = f"/orgs/{quote(owner, safe='')}" if of_organisation else f"/repos/{owner}"
        self._root = f"{path}/actions/runners"
        self._grant = _GRANT.format(
            permission="Self-hosted runners" if of_organisation else "Administration",
            scope="admin:org" if of_organisation else "repo",
        )

    def register(self, wanted: RunnerRequest) -> Registration:
        """Ask for a configuration of one job, or for a token to register with."""
        if wanted.persistent:
            item = self._item("POST", "registration-token", f"register the runner {wanted.name}")
            return self._registration(wanted, None, "registration", get(item, "token", str))
        item = self._just_in_time(wanted)
        number, secret = get(item, "runner.id", int), get(item, "encoded_jit_config", str)
        return self._registration(wanted, number, "just-in-time", secret)

    def find(self, registration: Registration) -> Runner | None:
        """Return how a runner stands, found by its number or else by its name."""
        number = registration.id
        item = self._named(registration.name) if number is None else self._numbered(number)
        return _runner(item) if item else None

    def remove(self, registration: Registration) -> None:
        """Take a runner off the list; one that runs a job is refused."""
        found = registration if registration.id is not None else self.find(registration)
        if found is None:
            return
        try:
            self._ask("DELETE", str(found.id), f"remove the runner {registration.name}")
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise

    def program(self, *, system: str, machine: str) -> Program:
        """Return the newest program for a machine, as `base` names it."""
        wanted = (_SYSTEMS.get(system), _MACHINES.get(machine))
        found = self._ask("GET", "downloads", "look for the runner program")
        for item in found if isinstance(found, list) else []:
            if (text(item, "os"), text(item, "architecture")) == wanted:
                return _program(item)
        raise PublishError(f"GitHub has no runner program for {system} on {machine}")

    def _just_in_time(self, wanted: RunnerRequest) -> dict[str, Any]:
        body = {
            "name": wanted.name,
            "runner_group_id": wanted.group,
            "labels": list(dict.fromkeys((_SELF_HOSTED, *wanted.labels))),
            "work_folder": _WORK_FOLDER,
        }
        doing = f"register the runner {wanted.name}"
        try:
            return self._item("POST", "generate-jitconfig", doing, body=body)
        except Refused as refusal:
            if refusal.status == HTTPStatus.CONFLICT:
                refusal.hint = (
                    "Choose another name, or remove the runner of that name, which may be of an "
                    f"earlier try: {self._url}/settings/actions/runners"
                )
            raise

    def _registration(
        self, wanted: RunnerRequest, number: int | None, kind: Any, secret: str
    ) -> Registration:
        return Registration(
            id=number, name=wanted.name, url=self._url, kind=kind, credential=secret
        )

    def _numbered(self, number: int) -> dict[str, Any] | None:
        try:
            return self._item("GET", str(number), "look for the runner")
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def _named(self, name: str) -> dict[str, Any] | None:
        request = self._request("GET", "", "look for the runner", query={"name": name})
        with advising(self._grant):
            for page in self._api.pages(request, key="runners"):
                for item in page:
                    if text(item, "name") == name:  # older servers answer with all
                        return item
        return None

    def _item(
        self, method: Method, path: str, doing: str, *, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        with advising(self._grant):
            return self._api.item(self._request(method, path, doing, body=body))

    def _ask(self, method: Method, path: str, doing: str) -> Any:
        with advising(self._grant):
            return self._api.ask(self._request(method, path, doing))

    def _request(self, method: Method, path: str, doing: str, **what: Any) -> Request:
        return Request(
            method=method,
            path=f"{self._root}/{path}".rstrip("/"),
            doing=f"{doing} of {self._owner}",
            grant="administration: write",
            **what,
        )


def _runner(item: dict[str, Any]) -> Runner:
    return Runner(
        id=get(item, "id", int),
        name=get(item, "name", str),
        online=get(item, "status", str) == "online",
        busy=get(item, "busy", bool),
    )


def _program(item: dict[str, Any]) -> Program:
    version = _VERSION.search(get(item, "filename", str))
    checksum = text(item, "sha256_checksum") or ""
    if not version or not _SHA256.fullmatch(checksum):
        raise PublishError(
            "GitHub tells no checksum of its runner program, or no version",
            hint="Install the runner program yourself: https://github.com/actions/runner/releases",
        )
    return Program(version=version[1], url=get(item, "download_url", str), sha256=checksum.lower())
