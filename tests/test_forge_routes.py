"""Every route of the fake forges answers as the real ones do, and as their documents say.

The fixtures see to the documents: an answer that breaks them fails the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from forge_base import Forge
    from forge_github import GitHub
    from forge_gitlab import GitLab

SHA, OLD, MERGE = "a" * 40, "b" * 40, "c" * 40
PNG = b"\x89PNG\r\n\x1a\n--\r\n"


def ask(forge: Forge, method: str, path: str, **body: Any) -> tuple[int, Any]:
    """Send a request below the repository, `/user` excepted; return its status and answer."""
    root = "/repos/o/r" if hasattr(forge, "check_runs") else "/projects/g%2Fsub%2Fr"
    answer = requests.request(
        method,
        forge.api + (path if path == "/user" else root + path),
        headers={"Authorization": f"Bearer {body.pop('token', forge.token)}"},
        json=body or None,
        timeout=60,
    )
    return answer.status_code, answer.json() if answer.content else None


def error(answer: tuple[int, Any]) -> str:
    status, body = answer
    return f"{status} {body.get('message', body)} {body.get('errors', '')}"


def test_github_s_comments_are_written_read_and_deleted(github_forge: GitHub) -> None:
    pull = github_forge.add_pull(head="b", sha=SHA)
    for path, one in ((f"/issues/{pull}", "/issues"), (f"/commits/{SHA}", "")):
        status, made = ask(github_forge, "POST", f"{path}/comments", body="first")
        assert (status, made["user"]["login"]) == (201, "github-actions[bot]")
        address = f"{one}/comments/{made['id']}"

        assert ask(github_forge, "PATCH", address, body="second")[0] == 200
        assert ask(github_forge, "GET", address)[1]["body"] == "second"
        assert [c["body"] for c in ask(github_forge, "GET", f"{path}/comments")[1]] == ["second"]
        assert ask(github_forge, "DELETE", address) == (204, None)
        assert ask(github_forge, "GET", address)[0] == 404
        too_long = error(ask(github_forge, "POST", f"{path}/comments", body="x" * 65_537))
        assert "422" in too_long
        assert "maximum is 65536 characters" in too_long


def test_github_s_pull_requests_are_found_and_made(github_forge: GitHub) -> None:
    old = github_forge.add_pull(head="old", sha=OLD, state="closed")
    fork = github_forge.add_pull(head="b", sha=SHA, fork="eve/r")
    own = github_forge.add_pull(head="b", sha=OLD)
    github_forge.move(own, SHA)

    def numbers(path: str) -> list[int]:
        return [pull["number"] for pull in ask(github_forge, "GET", path)[1]]

    assert numbers("/pulls") == [own, fork]
    assert numbers("/pulls?state=all&direction=asc") == [old, fork, own]
    assert numbers("/pulls?head=o:b") == [own]
    assert numbers("/pulls?head=b") == [own, fork]  # no owner, no filter
    assert numbers(f"/commits/{SHA}/pulls") == [own]  # a fork's commit is none of this repository
    assert numbers(f"/commits/{OLD}/pulls") == [old, own]
    twice = ask(github_forge, "POST", "/pulls", head="b", base="main", title="x")
    assert "already exists for o:b" in error(twice)
    status, made = ask(github_forge, "POST", "/pulls", head="c", base="main", title="x")
    assert status == 201
    address = f"/pulls/{made['number']}"
    assert ask(github_forge, "PATCH", address, title="y", body="z")[1]["title"] == "y"
    assert ask(github_forge, "GET", address)[1]["body"] == "z"


def test_github_s_statuses_and_check_runs_are_set(github_forge: GitHub) -> None:
    assert ask(github_forge, "POST", f"/statuses/{SHA}", state="pending", context="a")[0] == 201
    assert ask(github_forge, "POST", f"/statuses/{SHA}", state="success", context="a")[0] == 201
    assert len(ask(github_forge, "GET", f"/commits/{SHA}/statuses")[1]) == 2
    long = ask(github_forge, "POST", f"/statuses/{SHA}", state="error", description="x" * 141)
    assert "maximum is 140" in error(long)

    run = ask(github_forge, "POST", "/check-runs", name="b", head_sha=SHA, status="in_progress")[1]
    output = {"title": "t", "summary": "s"}
    done = {"status": "completed", "conclusion": "failure", "output": output}
    assert ask(github_forge, "PATCH", f"/check-runs/{run['id']}", **done)[0] == 200
    assert ask(github_forge, "GET", f"/commits/{SHA}/check-runs")[1]["total_count"] == 1
    assert github_forge.shown(SHA) == {"a": "success", "b": "failure"}

    person = ask(
        github_forge, "POST", "/check-runs", name="b", head_sha=SHA, token=github_forge.person
    )
    assert person[0] == 403


def test_github_s_releases_are_made_once(github_forge: GitHub) -> None:
    assert ask(github_forge, "GET", "/releases/tags/v1")[0] == 404
    made = ask(github_forge, "POST", "/releases", tag_name="v1", body="a", prerelease=True)[1]
    assert "already_exists" in error(ask(github_forge, "POST", "/releases", tag_name="v1"))
    assert ask(github_forge, "PATCH", f"/releases/{made['id']}", body="b")[0] == 200
    assert ask(github_forge, "GET", "/releases/tags/v1")[1]["body"] == "b"
    assert len(ask(github_forge, "GET", "/releases")[1]) == 1


def test_github_s_tokens_may_do_what_they_were_granted(github_forge: GitHub) -> None:
    pull = github_forge.add_pull(head="b", sha=SHA)
    path, refused = f"/issues/{pull}/comments", "403 Resource not accessible by integration "
    assert error(ask(github_forge, "GET", "/user")) == refused
    assert ask(github_forge, "GET", "/user", token=github_forge.person)[1]["login"] == "ada"
    assert (
        error(ask(github_forge, "POST", path, body="x", token=github_forge.fork_token)) == refused
    )

    github_forge.permissions = {"contents": "read"}
    assert error(ask(github_forge, "POST", path, body="x")) == refused
    assert ask(github_forge, "GET", path)[0] == 200
    github_forge.private = True
    assert error(ask(github_forge, "GET", path)) == refused
    assert ask(github_forge, "GET", "")[1]["visibility"] == "private"


def test_gitlab_s_notes_are_written_read_and_deleted(gitlab_forge: GitLab) -> None:
    merge, issue = gitlab_forge.add_pull(head="b", sha=SHA), gitlab_forge.add_issue()
    gitlab_forge.move(merge, OLD)
    for path in (f"/merge_requests/{merge}/notes", f"/issues/{issue}/notes"):
        made = ask(gitlab_forge, "POST", path, body="first")[1]
        address = f"{path}/{made['id']}"

        assert ask(gitlab_forge, "PUT", address, body="second")[0] == 200
        assert ask(gitlab_forge, "GET", address)[1]["body"] == "second"
        assert ask(gitlab_forge, "GET", path)[1][0]["body"] == "second"
        assert ask(gitlab_forge, "DELETE", address) == (204, None)
    left = ask(gitlab_forge, "GET", f"/merge_requests/{merge}/notes")[1]
    assert [note["system"] for note in left] == [True]
    assert (
        ask(gitlab_forge, "PUT", f"/merge_requests/{merge}/notes/{left[0]['id']}", body="x")[0]
        == 403
    )


def test_gitlab_s_commits_are_discussed(gitlab_forge: GitLab) -> None:
    commit = f"/repository/commits/{SHA}"
    made = ask(gitlab_forge, "POST", f"{commit}/discussions", body="first")[1]
    address = f"{commit}/discussions/{made['id']}/notes/{made['notes'][0]['id']}"

    assert ask(gitlab_forge, "PUT", address, body="second")[0] == 200
    assert ask(gitlab_forge, "POST", f"{commit}/comments", note="third")[0] == 201
    found = ask(gitlab_forge, "GET", f"{commit}/discussions")[1]
    assert [one["notes"][0]["body"] for one in found] == ["second", "third"]
    assert [one["note"] for one in ask(gitlab_forge, "GET", f"{commit}/comments")[1]] == [
        "second",
        "third",
    ]
    assert ask(gitlab_forge, "DELETE", address) == (204, None)
    assert len(gitlab_forge.commit_comments(SHA)) == 1


def test_gitlab_s_merge_requests_are_found_and_made(gitlab_forge: GitLab) -> None:
    old = gitlab_forge.add_pull(head="b", sha=OLD, state="closed")
    fork = gitlab_forge.add_pull(head="b", sha=SHA, fork="eve/r")
    own = gitlab_forge.add_pull(head="b", sha=OLD)
    gitlab_forge.move(own, SHA)

    def numbers(path: str) -> list[int]:
        return [pull["iid"] for pull in ask(gitlab_forge, "GET", path)[1]]

    assert numbers("/merge_requests") == [own, fork, old]
    assert numbers("/merge_requests?state=opened&source_branch=b") == [own, fork]
    assert numbers(f"/repository/commits/{SHA}/merge_requests") == [fork, own]
    wanted = {"source_branch": "b", "target_branch": "main", "title": "x"}
    assert f"!{own}" in error(ask(gitlab_forge, "POST", "/merge_requests", **wanted))
    made = ask(gitlab_forge, "POST", "/merge_requests", **(wanted | {"source_branch": "c"}))[1]
    address = f"/merge_requests/{made['iid']}"
    assert ask(gitlab_forge, "PUT", address, description="z", state_event="close")[0] == 200
    assert ask(gitlab_forge, "GET", address)[1]["state"] == "closed"


def test_gitlab_s_statuses_move_on_and_never_stand_still(gitlab_forge: GitLab) -> None:
    path = f"/statuses/{SHA}"
    states = ["pending", "pending", "running", "running", "success", "success"]
    answers = [ask(gitlab_forge, "POST", path, state=state, name="a") for state in states]

    assert [status for status, _ in answers] == [201, 400, 201, 400, 201, 201]
    assert "Cannot transition status via :run from :running" in error(answers[3])
    listed = ask(gitlab_forge, "GET", f"/repository/commits/{SHA}/statuses?all=true")[1]
    assert [status["status"] for status in listed] == ["success", "success"]
    assert gitlab_forge.shown(SHA) == {"a": "success"}


def test_gitlab_keeps_what_is_uploaded(gitlab_forge: GitLab) -> None:
    answer = requests.post(
        f"{gitlab_forge.api}/projects/4711/uploads",
        headers={"PRIVATE-TOKEN": gitlab_forge.token},
        files={"file": ("loss.png", PNG, "image/png")},
        timeout=60,
    )

    assert answer.json()["markdown"] == f"![loss]({answer.json()['url']})"
    assert gitlab_forge.uploads == {answer.json()["url"]: PNG}


def test_gitlab_s_releases_are_made_once(gitlab_forge: GitLab) -> None:
    assert ask(gitlab_forge, "GET", "/releases/a%2Fv1")[0] == 404
    assert ask(gitlab_forge, "POST", "/releases", tag_name="a/v1", description="a")[0] == 201
    assert ask(gitlab_forge, "POST", "/releases", tag_name="a/v1")[0] == 409
    assert ask(gitlab_forge, "PUT", "/releases/a%2Fv1", description="b")[0] == 200
    assert ask(gitlab_forge, "GET", "/releases/a%2Fv1")[1]["description"] == "b"


def test_gitlab_s_tokens_may_do_what_they_were_granted(gitlab_forge: GitLab) -> None:
    merge = gitlab_forge.add_pull(head="b", sha=SHA)
    path = f"/merge_requests/{merge}/notes"
    assert ask(gitlab_forge, "GET", "/user")[1]["username"].startswith("project_4711_bot")
    address, job = f"{gitlab_forge.api}/projects/4711", {"JOB-TOKEN": gitlab_forge.job_token}
    note = requests.post(address + path, headers=job, json={"body": "x"}, timeout=60)
    assert note.status_code == 401
    release = {"tag_name": "v1", "description": "x"}
    made = requests.post(f"{address}/releases", headers=job, json=release, timeout=60)
    assert made.status_code == 201

    gitlab_forge.scopes = {"read_api"}
    assert "insufficient_scope" in error(ask(gitlab_forge, "POST", path, body="x"))
    gitlab_forge.scopes, gitlab_forge.role = {"api"}, "reporter"
    assert ask(gitlab_forge, "POST", path, body="x")[0] == 201
    assert ask(gitlab_forge, "POST", f"/statuses/{SHA}", state="success")[0] == 403
    gitlab_forge.private = True
    assert (
        requests.post(address + path, headers=job, json={"body": "x"}, timeout=60).status_code
        == 404
    )
    assert ask(gitlab_forge, "GET", "")[1]["visibility"] == "private"
