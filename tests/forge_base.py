"""What both fake forges have in common: a server, faults on demand, hooks, a log; no vendor.

A forge is a context manager with a server of its own on a free port:

    with GitHub() as forge:                      # or GitLab(prefix="/git", repository="g/sub/r")
        number = forge.add_pull(head="feature", sha=SHA)
        forge.fail("POST", r"/comments$", faults.status(502))      # once; times=3, times=None
        forge.before("POST", r"/comments$", other.act)    # another job, between two requests
        ...                                               # talk to forge.api with forge.token
    assert forge.problems == []  # what broke the documents; the fixtures of `forge_fixtures` do it
    forge.count("POST", r"/issues/7/comments$")           # of forge.log, the list of all requests

Patterns are searched for in the path below the API's root, with its percent codes decoded. A forge
keeps its state in lists and dicts to be read by tests: see `forge_github.py` and `forge_gitlab.py`.
`forge.environ(event, ...)` is the environment of a job there: see `forge_github_jobs.py`.
"""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from forge_faults import Answer, Fault
from forge_http import Handler, Refusal, Request
from forge_server import Server

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from forge_contract import Contract


@dataclass(eq=False)
class Forge(ABC):
    """One forge with one repository; a vendor adds routes, state and the address of its API."""

    contract_path: ClassVar[str] = ""
    """The path of the API's root in the vendor's document."""

    prefix: str = ""
    """The path below which the forge lives on its server."""

    log: list[Request] = field(default_factory=list, init=False)
    problems: list[str] = field(default_factory=list, init=False)
    """What a client did that no document allows; tests expect none."""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._faults: list[tuple[str, str, Fault, int | None]] = []
        self._hooks: list[tuple[str, str, Callable[[], object]]] = []
        self._ids = itertools.count(1001)
        self._seconds = itertools.count(1)
        self._http = Server(self.respond)
        functions = [f for owner in type(self).__mro__ for f in vars(owner).values()]
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (*route, function)
            for function in functions
            for route in getattr(function, "routes", ())
        ]

    def __enter__(self) -> Any:
        self._http.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.stop()

    @property
    @abstractmethod
    def api_path(self) -> str:
        """The path of the API's root, without the prefix."""

    @property
    @abstractmethod
    def contract(self) -> Contract:
        """The vendor's document."""

    @abstractmethod
    def admit(self, request: Request, path: str) -> None:
        """Refuse a request whose token may not do this."""

    def canonical(self, path: str) -> str:
        """Return the path as it is in the document, of one that means the same."""
        return path

    @property
    def server(self) -> str:
        """The address that people have in their browser."""
        return self._http.address + self.prefix

    @property
    def api(self) -> str:
        """The address of the API's root."""
        return self.server + self.api_path

    def fail(self, method: str, path: str, fault: Fault, *, times: int | None = 1) -> None:
        """Answer the next requests so (None: all); faults of one route are used up in order."""
        self._faults.append((method, path, fault, times))

    def before(self, method: str, path: str, action: Callable[[], object]) -> None:
        """Do something when the next such request has arrived, before it is handled."""
        self._hooks.append((method, path, action))

    def requests(self, method: str = "", path: str = "") -> list[Request]:
        return [item for item in self.log if item.fits(method, path)]

    def count(self, method: str = "", path: str = "") -> int:
        return len(self.requests(method, path))

    def new_id(self) -> int:
        return next(self._ids)

    def now(self) -> str:
        """Return the forge's time, a second later at each call."""
        start = datetime(2026, 1, 1, tzinfo=timezone.utc)
        return f"{start + timedelta(seconds=next(self._seconds)):%Y-%m-%dT%H:%M:%SZ}"

    def respond(self, request: Request) -> Answer | None:
        root = self.prefix + self.api_path
        inside = request.path.startswith(f"{root}/")
        request.path = request.path[len(root) :] if inside else request.path
        self._act(request)
        with self.lock:
            self.log.append(request)
            try:
                answer = self._answer(request) if inside else self._lost(request)
            except Exception as error:  # noqa: BLE001 - the test is told, whatever it is
                answer = self._broken(request, error)
            request.status = answer.status if answer else None
        if answer:
            answer.headers.setdefault("Content-Type", "application/json; charset=utf-8")
        return answer

    def _act(self, request: Request) -> None:
        """Run hooks outside the lock: what they do may well be requests to this forge."""
        due = [hook for hook in self._hooks if request.fits(*hook[:2])]
        self._hooks = [hook for hook in self._hooks if hook not in due]
        for *_, action in due:
            action()

    def _answer(self, request: Request) -> Answer | None:
        fault = self._fault(request)
        if fault and not fault.handled:
            return fault.answer
        answer = self._routed(request)
        return fault.answer if fault else answer

    def _fault(self, request: Request) -> Fault | None:
        for index, (method, path, fault, times) in enumerate(self._faults):
            if request.fits(method, path):
                if times is not None:
                    left = [(method, path, fault, times - 1)] if times > 1 else []
                    self._faults[index : index + 1] = left
                return fault
        return None

    def _routed(self, request: Request) -> Answer:
        path = self.canonical(request.path)
        for method, pattern, function in self._routes:
            found = pattern.match(path) if method == request.method else None
            if found:
                return self._checked(request, function, path, found.groups())
        return self._lost(request)

    def _checked(
        self, request: Request, function: Handler, path: str, arguments: tuple[str, ...]
    ) -> Answer:
        """Answer, with a look into the document before and after."""
        documented = self.contract_path + path
        wrong = self.contract.of_request(request, documented)
        if wrong:
            self.problems += wrong
            return Answer(400, {"message": "; ".join(wrong)})
        try:
            self.admit(request, path)
            answer = function(self, request, *map(unquote, arguments))
        except Refusal as refusal:
            answer = refusal.answer
        self.problems += self.contract.of_answer(request, documented, answer)
        return answer

    def _lost(self, request: Request) -> Answer:
        self.problems.append(f"{request.method} {request.where}: there is no such route")
        return Answer(404, {"message": "Not Found"})

    def _broken(self, request: Request, error: Exception) -> Answer:
        self.problems.append(f"the fake itself: {request.method} {request.where}: {error!r}")
        return Answer(500, {"message": "Internal Server Error"})
