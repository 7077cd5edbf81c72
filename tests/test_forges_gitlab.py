"""What is GitLab's own: forks' projects, pipelines, states, uploads, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import forge_faults as faults
import pytest
from forge_gitlab import GitLab
from told_kit import OTHER, SHA, Told, on_github, on_gitlab, told

from cml import ci, forges
from cml.errors import PublishError
from cml.forges.base import ImageHost, JobPage, State, Status, Subject, marker
from cml.forges.waiting import Patience

if TYPE_CHECKING:
    from pathlib import Path

    from cml.forges.base import Forge

__all__ = ["on_github", "on_gitlab", "told"]


def status(state: State, **facts: Any) -> Status:
    return Status(**{"sha": SHA, "name": "cml-run", "state": state, "title": "t", **facts})


def in_job(told: Told, folder: Path, event: str, **facts: Any) -> Any:
    """Open our forge as a job of GitLab CI does."""
    environ = told.fake.environ(event, folder=folder, **{"sha": SHA, **facts})
    forge: Forge | None = forges.open_forge(
        ci.context(environ), environ, told.fake.token, private=False, patience=Patience()
    )
    assert forge
    return forge


def test_the_notes_of_a_merge_request_from_a_fork_go_to_the_parent(
    on_gitlab: Told, tmp_path: Path
) -> None:
    subject = on_gitlab.pull(fork="eve/r", head="topic")
    forge = in_job(on_gitlab, tmp_path, "merge_request_event", number=int(subject.id))
    address = forge.comment(subject, name="cml-run", body="one")

    assert on_gitlab.bodies(subject) == [f"{marker('cml-run')}\none"]
    assert address.startswith(f"{on_gitlab.fake.server}/g/sub/r/-/merge_requests/1#note_")
    assert [str(found.number) for found in forge.pull_requests("topic")] == [subject.id]
    assert [str(found.number) for found in forge.pull_requests_of(SHA)] == [subject.id]


def test_in_a_forks_pipeline_the_parents_branch_of_the_same_name_is_another(
    on_gitlab: Told, tmp_path: Path
) -> None:
    on_gitlab.pull(head="topic", base="other")
    subject = on_gitlab.pull(fork="eve/r", head="topic")
    forge = in_job(on_gitlab, tmp_path, "merge_request_event", number=int(subject.id))

    assert [str(found.number) for found in forge.pull_requests("topic")] == [subject.id]


def test_a_status_joins_the_pipeline_of_the_job(on_gitlab: Told, tmp_path: Path) -> None:
    in_job(on_gitlab, tmp_path, "push", branch="topic").status(status("pending", title="ü" * 300))
    number = int(on_gitlab.pull(head="topic").id)
    in_job(on_gitlab, tmp_path, "merge_request_event", number=number).status(status("success"))
    in_job(on_gitlab, tmp_path, "push", branch="topic").status(status("success", sha=OTHER))

    pipelines = [
        (request.json.get("pipeline_id"), request.json.get("ref"), request.json["state"])
        for request in on_gitlab.fake.requests("POST", "/statuses/")
    ]
    assert pipelines == [
        (8001, "topic", "running"),
        (8001, None, "success"),
        (None, "topic", "success"),
    ]
    assert on_gitlab.fake.statuses[0]["description"] == "ü" * 254 + "…"


def test_a_status_goes_from_running_to_its_end_and_may_be_set_twice(on_gitlab: Told) -> None:
    forge = on_gitlab.open()
    for state in ("pending", "pending", "success"):
        assert forge.status(status(state, url="https://ci.example/1")) == "https://ci.example/1"
    forge.status(status("error", name="cml-run/accuracy"))
    forge.status(status("failure", name="cml-run/loss"))

    assert on_gitlab.fake.shown(SHA) == {
        "cml-run": "success",
        "cml-run/accuracy": "failed",
        "cml-run/loss": "failed",
    }


def test_another_400_of_a_status_is_a_refusal(on_gitlab: Told) -> None:
    on_gitlab.fake.fail("POST", "/statuses/", faults.status(400, "name is too long"))

    with pytest.raises(PublishError, match="400: name is too long"):
        on_gitlab.open().status(status("success"))


def test_a_jobs_own_token_is_sent_as_such_and_told_to_be_too_weak(on_gitlab: Told) -> None:
    subject, job_token = on_gitlab.pull(), on_gitlab.fake.job_token
    forge = on_gitlab.open(job_token, CI_JOB_TOKEN=job_token)
    forge.release(tag="v1", title="t", body="b")
    on_gitlab.fake.log.clear()
    with pytest.raises(PublishError) as caught:
        forge.comment(subject, name="n", body="b")

    assert "scope `api`" in str(caught.value.hint)
    assert "instead of CI_JOB_TOKEN" in str(caught.value.hint)
    assert {request.headers.get("job-token") for request in on_gitlab.fake.log} == {job_token}
    assert {request.headers.get("private-token") for request in on_gitlab.fake.log} == {None}


def test_a_token_without_the_scope_is_told_what_it_lacks(on_gitlab: Told) -> None:
    on_gitlab.fake.scopes = {"read_api"}
    with pytest.raises(PublishError) as caught:
        on_gitlab.open().comment(on_gitlab.pull(), name="n", body="b")

    assert "insufficient_scope" in caught.value.message
    assert "scope `api`" in str(caught.value.hint)


def test_what_is_to_be_written_is_not_turned_into_a_question_by_a_redirection(
    on_gitlab: Told,
) -> None:
    place = {"Location": f"{on_gitlab.fake.api}/projects/4711/releases"}
    on_gitlab.fake.fail("POST", "/releases$", faults.Fault(faults.Answer(301, {}, place)))
    with pytest.raises(PublishError, match="GitLab answered 301"):
        on_gitlab.open().release(tag="v1", title="t", body="b")

    assert on_gitlab.fake.count() == 1


def test_pictures_are_uploaded_and_named_by_whole_addresses(on_gitlab: Told) -> None:
    forge = on_gitlab.open()
    assert isinstance(forge, ImageHost)
    assert not isinstance(forge, JobPage)
    hosted = forge.host(
        {"loss a.png": b"\x89PNG\r\n\x00\xff", "b.png": b"2"},
        inline=False,
        push=lambda _: pytest.fail("GitLab takes uploads"),
    )

    assert list(on_gitlab.fake.uploads.values()) == [b"\x89PNG\r\n\x00\xff", b"2"]
    (first, second) = on_gitlab.fake.uploads
    assert all(picture.shown for picture in hosted.values())
    root = f"{on_gitlab.fake.server}/-/project/4711"
    assert hosted["loss a.png"].url == root + first.replace(" ", "%20")
    assert hosted["b.png"].url == root + second


def test_an_older_servers_uploads_are_below_the_project(on_gitlab: Told) -> None:
    said = {"url": "/uploads/0a/a.png", "alt": "a", "markdown": "![a](/uploads/0a/a.png)"}
    on_gitlab.fake.fail("POST", "/uploads$", faults.Fault(faults.Answer(201, said)))
    hosted = on_gitlab.open().host({"a.png": b"1"}, inline=False, push=lambda _: None)

    assert hosted["a.png"].url == f"{on_gitlab.fake.server}/g/sub/r/uploads/0a/a.png"


def test_a_picture_that_is_refused_is_left_out_and_said(
    on_gitlab: Told, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = {"a.png": b"1", "b.png": b"2", "c.png": b"3"}
    on_gitlab.fake.fail("POST", "/uploads$", faults.Fault(faults.Answer(413, b"<html>")))
    assert list(on_gitlab.open().host(pictures, inline=False, push=lambda _: None)) == [
        "b.png",
        "c.png",
    ]
    on_gitlab.fake.fail("POST", "/uploads$", faults.status(403))
    assert on_gitlab.open().host(pictures, inline=False, push=lambda _: None) == {}

    assert [record.getMessage().split(". ")[0] for record in caplog.records] == [
        "could not upload the picture a.png: GitLab answered 413",
        "could not upload the picture a.png: GitLab answered 403: Forbidden",
    ]


def test_a_server_below_a_path_is_told_likewise(serving: Any) -> None:
    below = Told("gitlab", serving(GitLab(prefix="/git", repository="a/b/c/d")))
    subject = below.pull()
    for _ in range(150):
        below.fake.add_comment(1, "a remark")
    for text in ("one", "two"):
        address = below.open().comment(subject, name="cml-run", body=text)
    hosted = below.open().host({"a.png": b"1"}, inline=False, push=lambda _: None)

    assert below.bodies(subject)[150:] == [f"{marker('cml-run')}\ntwo"]
    assert address.startswith(f"{below.fake.server}/a/b/c/d/-/merge_requests/1#note_")
    assert (
        hosted["a.png"].url == f"{below.fake.server}/-/project/4711{next(iter(below.fake.uploads))}"
    )


def test_system_notes_are_no_comments(on_gitlab: Told) -> None:
    subject = on_gitlab.pull()
    for text in ("one", "two"):
        for _ in range(101):
            on_gitlab.fake.add_comment(1, "added 1 commit", on_gitlab.us, system=True)
        on_gitlab.open().comment(subject, name="cml-run", body=text)

    assert on_gitlab.bodies(subject)[101] == f"{marker('cml-run')}\ntwo"
    assert on_gitlab.bodies(subject).count("added 1 commit") == 202


def test_whose_token_it_is_is_asked_only_where_a_note_could_be_ours(on_gitlab: Told) -> None:
    subject, forge = on_gitlab.pull(), on_gitlab.open()
    forge.comment(subject, name="cml-run", body="one")
    assert on_gitlab.fake.count() == 3

    forge.comment(subject, name="cml-run", body="two")
    forge.comment(Subject(kind="pull request", id="1"), name="cml-run", body="three")
    assert on_gitlab.fake.count("GET", "^/user$") == 1
