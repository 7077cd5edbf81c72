"""What both forges do when they are refused, slowed down or not reached."""

from __future__ import annotations

import logging
import re
import socket
import time
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import forge_faults as faults
import pytest
from told_kit import SHA, Told, on_github, on_gitlab, told

from cml.errors import PublishError
from cml.forges.base import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["on_github", "on_gitlab", "told"]


def calls(told: Told, token: str | None = None, **environ: str) -> dict[str, Callable[[], object]]:
    """Return one call of each kind, by what it needs."""
    subject, forge = told.pull(), told.open(token, **environ)
    status = Status(sha=SHA, name="n", state="success", title="t")
    return {
        "comment": lambda: forge.comment(subject, name="n", body="b"),
        "status": lambda: forge.status(status),
        "release": lambda: forge.release(tag="v1", title="t", body="b"),
        "propose": lambda: forge.propose(head="h", base="main", title="t", body="b"),
        "branch": lambda: forge.pull_requests("b"),
        "commit": lambda: forge.pull_requests_of(SHA),
    }


def refusal(call: Callable[[], object]) -> PublishError:
    with pytest.raises(PublishError) as caught:
        call()
    assert "\n" not in caught.value.message
    return caught.value


PERMISSIONS = {
    "comment": "permissions: pull-requests: write",
    "status": "`permissions: checks: write` or `permissions: statuses: write`",
    "release": "permissions: contents: write",
    "propose": "permissions: pull-requests: write",
    "branch": "permissions: pull-requests: write",
    "commit": "permissions: pull-requests: write",
}


@pytest.mark.parametrize("kind", PERMISSIONS)
@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refusal_names_what_to_grant_and_where(told: Told, kind: str, code: int) -> None:
    told.fake.fail("", "", faults.status(code), times=None)
    error = refusal(calls(told)[kind])

    assert str(code) in error.message
    assert error.hint
    if told.vendor == "gitlab":
        assert "project access token with the scope `api`" in error.hint
    elif code == 401:
        assert "env: repo_token: ${{ github.token }}" in error.hint
    else:
        assert PERMISSIONS[kind] in error.hint


def test_without_a_token_the_first_request_says_which_line_to_add(told: Told) -> None:
    for token in (None, ""):
        forge = told.opened(token, {})
        error = refusal(lambda forge=forge: forge.pull_requests("b"))  # type: ignore[misc]

        line = "env: repo_token: ${{ github.token }}" if told.vendor == "github" else "repo_token"
        assert line in str(error.hint)


def test_without_a_repository_the_forge_says_so(told: Told) -> None:
    told.fake.repository = ""

    assert "not known" in refusal(calls_of_nowhere(told)).message


def calls_of_nowhere(told: Told) -> Callable[[], object]:
    forge = told.open()
    return lambda: forge.pull_requests("b")


@pytest.mark.parametrize("kind", PERMISSIONS)
def test_a_page_of_a_proxy_is_told_as_a_failure(told: Told, kind: str) -> None:
    told.fake.fail("", "", faults.not_json(), times=None)

    assert "text/html, not JSON" in refusal(calls(told)[kind]).message


@pytest.mark.parametrize("body", [b"", b'"x"', b"{", b"null", b'{"a": 1}'])
def test_an_answer_of_another_form_is_told_as_a_failure(told: Told, body: bytes) -> None:
    told.fake.fail("", "", faults.Fault(faults.Answer(200, body)), times=None)

    for kind in ("comment", "release", "propose", "branch"):
        refusal(calls(told)[kind])


@pytest.mark.parametrize("body", [b"[1]", b"[null]", b'[{"id": "x"}]'])
def test_a_list_of_other_things_is_told_as_a_failure(told: Told, body: bytes) -> None:
    told.fake.fail("", "", faults.Fault(faults.Answer(200, body)), times=None)

    for kind in ("comment", "release"):
        refusal(calls(told)[kind])


def test_no_token_is_in_any_message_even_if_the_forge_sends_it_back(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = told.fake.token
    told.fake.fail("", "", faults.status(502, f"no: {token}"), times=3)
    told.fake.fail("", "", faults.status(403, f"token {token} may not {token}"), times=None)
    error = refusal(calls(told)["branch"])

    assert "***" in error.message
    assert token not in f"{error.message}{error.hint}{caplog.text}"


@pytest.mark.parametrize("fault", [faults.dropped(), faults.status(500), faults.status(503)])
def test_what_passes_is_tried_again_after_growing_pauses(
    told: Told, fault: faults.Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cml")
    told.fake.fail("", "", fault, times=3)
    calls(told)["release"]()

    assert told.pauses == [1, 2, 4]
    assert [re.findall(r"waiting (.) seconds", said) for said in caplog.messages] == [
        ["1"],
        ["2"],
        ["4"],
    ]
    assert len(told.fake.releases) == 1


@pytest.mark.parametrize("fault", [faults.dropped(), faults.status(502)])
def test_what_does_not_pass_ends_with_the_way_to_finish_it_later(
    told: Told, fault: faults.Fault
) -> None:
    told.fake.fail("", "", fault, times=None)
    error = refusal(calls(told)["branch"])

    assert told.fake.count() == 4
    assert "`cml-run post` later" in str(error.hint)


def test_a_forge_that_is_not_there_is_told_with_the_reason(told: Told) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v4"
        error = refusal(calls(told, GITHUB_API_URL=address, CI_API_V4_URL=address)["branch"])

    assert error.message.endswith("Connection refused")
    assert told.pauses == [1, 2, 4]


@pytest.mark.parametrize("address", ["nonsense/api/v4", "ftp://x/api/v4", "http:///api/v4"])
def test_an_address_that_is_none_is_told(told: Told, address: str) -> None:
    error = refusal(calls(told, GITHUB_API_URL=address, CI_API_V4_URL=address)["branch"])

    assert "is no address" in error.message
    assert told.pauses == []


def limits(told: Told) -> list[faults.Fault]:
    """Return what a forge answers that wants to be left alone for 7 seconds."""
    if told.vendor == "github":
        reset = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(time.time()) + 6)}
        return [
            faults.status(403, "Forbidden", **reset),
            faults.secondary_limit(7),
            faults.secondary_limit(7, code=429),
            faults.primary_limit(6.5),
            faults.primary_limit(6.5, code=429),
        ]
    reset = str(int(time.time()) + 6)
    return [
        faults.too_many(7),
        faults.status(429, RateLimit_Remaining="0", RateLimit_Reset=reset),
        faults.status(429, Retry_After=in_seconds(7)),
    ]


def in_seconds(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(time.time() + seconds, timezone.utc), usegmt=True)


def test_a_limit_is_waited_for_as_long_as_told_and_said_once(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cml")
    for fault in limits(told):
        told.fake.fail("", "", fault)
        told.open().pull_requests("b")

    assert len(told.pauses) == len(caplog.messages) == len(limits(told))
    assert all(4 <= pause <= 8 for pause in told.pauses)
    assert re.search(r"limits our requests: waiting [5678] seconds", caplog.messages[0])


def test_a_limit_that_does_not_say_how_long_is_given_a_minute_and_more(on_github: Told) -> None:
    on_github.fake.fail("", "", faults.secondary_limit(), times=2)
    on_github.open().pull_requests("b")

    assert on_github.pauses == [60, 120]


def test_a_limit_longer_than_patience_ends_with_the_time_to_try_again(told: Told) -> None:
    far = faults.primary_limit(3000) if told.vendor == "github" else faults.too_many(3000)
    told.fake.fail("", "", far, times=20)
    error = refusal(calls(told)["branch"])

    assert told.pauses == []
    assert told.fake.count() == 1
    found = re.search(r"`cml-run post` after (\S+ \S+) UTC", str(error.hint))
    assert found
    when = datetime.strptime(f"{found[1]}+0000", "%Y-%m-%d %H:%M:%S%z").timestamp()
    assert abs(when - time.time() - 3000) < 60


def test_one_process_waits_no_longer_than_five_minutes_in_all(told: Told) -> None:
    fault = faults.secondary_limit(70) if told.vendor == "github" else faults.too_many(70)
    told.fake.fail("", "", fault, times=20)
    forge = told.open()
    for _ in range(3):
        refusal(lambda: forge.pull_requests("b"))

    assert told.pauses == [70] * 4


class _Elsewhere(BaseHTTPRequestHandler):
    """Another host, which writes down what it is sent."""

    seen: list[dict[str, str]]

    def answer(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[dict[str, str]]]]:
    _Elsewhere.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}", _Elsewhere.seen
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("code", [301, 302, 307, 308])
@pytest.mark.parametrize("kind", ["branch", "release"])
def test_another_host_gets_neither_token_nor_report(
    told: Told, elsewhere: tuple[str, list[dict[str, str]]], code: int, kind: str
) -> None:
    answer = faults.Answer(code, {"message": "Moved"}, {"Location": f"{elsewhere[0]}/x"})
    told.fake.fail("", "", faults.Fault(answer), times=None)
    error = refusal(calls(told)[kind])

    assert elsewhere[1] == []
    assert told.fake.count() == 1
    assert "to the address that answers" in str(error.hint)


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_what_moved_on_its_own_host_is_followed(told: Told, code: int) -> None:
    number = told.pull().id
    place = "/repos/o/r/pulls?state=open&head=o%3Ab"
    if told.vendor == "gitlab":
        place = "/projects/4711/merge_requests?state=opened"
    answer = faults.Answer(code, {"message": "Moved"}, {"Location": told.fake.api + place})
    told.fake.fail("", "", faults.Fault(answer))

    assert [str(found.number) for found in told.open().pull_requests("b")] == [number]
