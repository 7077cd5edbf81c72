"""The fake forges keep to the official documents, and notice who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import forge_contract
import forge_faults
import forge_fixtures
import pytest
import requests
from forge_github import GitHub
from forge_gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge_base import Forge

SHA = "a" * 40
documented = pytest.mark.skipif(
    not (forge_contract.present("github") and forge_contract.present("gitlab")),
    reason=forge_contract.MISSING,
)


def send(
    forge: Forge, method: str, path: str, token: str = "", **more: object
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or forge.token}"}
    return requests.request(method, forge.api + path, headers=headers, timeout=60, **more)


def comments_of(forge: Forge, number: int) -> str:
    if isinstance(forge, GitHub):
        return f"/repos/o/r/issues/{number}/comments"
    return f"/projects/g%2Fsub%2Fr/merge_requests/{number}/notes"


@pytest.fixture(params=["github", "enterprise", "gitlab", "gitlab below a path"])
def forge(request: pytest.FixtureRequest, serving: Callable[[Forge], Forge]) -> Forge:
    match request.param:
        case "github":
            return serving(GitHub())
        case "enterprise":
            return serving(GitHub(prefix="/ghe", enterprise=True))
        case "gitlab":
            return serving(GitLab())
        case _:
            return serving(GitLab(prefix="/git"))


def noticed(forge: Forge) -> str:
    (problem,) = forge.problems
    forge.problems.clear()
    return problem


def test_every_comment_is_on_one_page_only(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    for text in range(45):
        forge.add_comment(number, str(text))

    seen, answer = [], send(forge, "GET", comments_of(forge, number))
    pages = [len(answer.json())]
    while True:
        seen += [int(item["body"]) for item in answer.json()]
        if "next" not in answer.links:
            break
        answer = send(forge, "GET", answer.links["next"]["url"].removeprefix(forge.api))
        pages.append(len(answer.json()))

    assert sorted(seen) == list(range(45))
    assert (seen[0], pages) == ((0, [30, 15]) if isinstance(forge, GitHub) else (44, [20, 20, 5]))


def test_a_page_holds_a_hundred_at_most(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    for text in range(101):
        forge.add_comment(number, str(text))

    assert len(send(forge, "GET", comments_of(forge, number) + "?per_page=500").json()) == 100


def test_a_path_without_a_route_is_noticed(forge: Forge) -> None:
    assert send(forge, "GET", "/nowhere").status_code == 404
    assert noticed(forge) == "GET /nowhere: there is no such route"


def test_a_project_path_that_is_not_encoded_is_noticed(gitlab_forge: GitLab) -> None:
    assert send(gitlab_forge, "GET", "/projects/g/sub/r").status_code == 404
    assert "no such route" in noticed(gitlab_forge)


@documented
@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/repos/o/r/check-runs", {"name": "x"}, "'head_sha' is a required"),
        (f"/repos/o/r/statuses/{SHA}", {"state": "ok"}, "'ok' is not one of"),
        (f"/repos/o/r/statuses/{SHA}", {"state": "error", "titel": "x"}, "no field 'titel'"),
        (
            "/repos/o/r/check-runs",
            {"name": "x", "head_sha": SHA, "output": {"title": "t", "summary": "x" * 65_536}},
            "is too long",
        ),
        ("/repos/o/r/pulls?heads=b", None, "no parameter 'heads'"),
    ],
)
def test_a_request_that_github_s_document_forbids_is_noticed(
    github_forge: GitHub, path: str, body: dict[str, str] | None, says: str
) -> None:
    answer = send(github_forge, "POST" if body else "GET", path, json=body)

    assert answer.status_code == 400
    assert says in noticed(github_forge)


@documented
@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (f"/statuses/{SHA}", {"state": "failure"}, "'failure' is not one of"),
        ("/merge_requests", {"title": "x", "source_branch": "b"}, "'target_branch' is a required"),
        ("/merge_requests/1/notes", {"note": "x"}, "'body' is a required"),
        ("/merge_requests/1/notes", {"body": "x" * 1_000_001}, "is too long"),
        (f"/repository/commits/{SHA}/discussions", {"note": "x"}, "'body' is a required"),
        ("/uploads", {"file": "x"}, "multipart/form-data"),
        ("/merge_requests?state=open", None, "'open' is not one of"),
    ],
)
def test_a_request_that_gitlab_s_document_forbids_is_noticed(
    gitlab_forge: GitLab, path: str, body: dict[str, str] | None, says: str
) -> None:
    gitlab_forge.add_pull(head="b", sha=SHA)
    answer = send(gitlab_forge, "POST" if body else "GET", f"/projects/4711{path}", json=body)

    assert answer.status_code == 400
    assert says in noticed(gitlab_forge)


@documented
def test_an_answer_of_the_fake_that_its_document_forbids_is_noticed(github_forge: GitHub) -> None:
    number = github_forge.add_pull(head="b", sha=SHA)
    del github_forge.pulls[0]["draft"], github_forge.pulls[0]["labels"]

    send(github_forge, "GET", f"/repos/o/r/pulls/{number}")

    assert "the fake itself" in noticed(github_forge)


def test_faults_come_in_order_and_end(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    path = comments_of(forge, number)
    forge.fail("POST", "/(comments|notes)$", forge_faults.status(502))
    forge.fail("POST", "/(comments|notes)$", forge_faults.secondary_limit(retry_after=3), times=2)

    answers = [send(forge, "POST", path, json={"body": "x"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [502, 403, 403, 201]
    assert answers[1].headers["Retry-After"] == "3"
    assert len(forge.comments[number]) == 1


@pytest.mark.parametrize(
    ("fault", "made"), [(forge_faults.dropped(), 0), (forge_faults.dropped_after(), 1)]
)
def test_a_dropped_connection_may_have_done_its_work(
    forge: Forge, fault: forge_faults.Fault, made: int
) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    forge.fail("POST", "", fault)

    with pytest.raises(requests.ConnectionError):
        send(forge, "POST", comments_of(forge, number), json={"body": "x"})

    assert len(forge.comments[number]) == made
    assert forge.log[-1].status is None


def test_another_job_may_act_between_two_requests(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    path = comments_of(forge, number)
    forge.before("POST", "", lambda: send(forge, "POST", path, json={"body": "first"}))

    send(forge, "POST", path, json={"body": "second"})

    assert [item["body"] for item in forge.comments[number]] == ["first", "second"]
    assert forge.count("POST") == 2


def test_an_unknown_token_is_nobody_s(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)

    assert send(forge, "GET", comments_of(forge, number), token="glpat-other").status_code == 401


def test_a_problem_fails_the_test_that_made_it() -> None:
    with GitHub() as forge:
        send(forge, "GET", "/nowhere")

    with pytest.raises(AssertionError, match="GET /nowhere: there is no such route"):
        forge_fixtures.stop([forge])


def test_what_was_sent_is_kept_and_shown_without_its_token(forge: Forge) -> None:
    number = forge.add_pull(head="b", sha=SHA)
    send(forge, "POST", comments_of(forge, number), json={"body": "hello"})

    (request,) = forge.log
    assert request.token == forge.token
    assert (request.json, request.status) == ({"body": "hello"}, 201)
    assert "hello" in request.shown
    assert forge.token not in request.shown


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        (forge_faults.too_many(retry_after=2), 429, ("Retry-After", "2")),
        (forge_faults.primary_limit(), 403, ("X-RateLimit-Remaining", "0")),
        (forge_faults.secondary_limit(), 403, ("Retry-After", None)),
        (forge_faults.not_json(), 200, ("Content-Type", "text/html")),
        (forge_faults.status(307, Location="/elsewhere"), 307, ("Location", "/elsewhere")),
    ],
)
def test_faults_look_as_the_real_ones(
    github_forge: GitHub, fault: forge_faults.Fault, status: int, header: tuple[str, str | None]
) -> None:
    github_forge.fail("GET", "/user$", fault, times=None)

    for _ in range(3):
        answer = requests.get(f"{github_forge.api}/user", timeout=60, allow_redirects=False)
        assert answer.status_code == status
        assert answer.headers.get(header[0]) == header[1]
