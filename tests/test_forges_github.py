"""What is GitHub's own: its tokens, its two kinds of status, its requests, its pictures."""

from __future__ import annotations

from typing import Any

import forge_faults as faults
import pytest
from forge_github import GitHub
from told_kit import OTHER, SHA, Told, on_github, on_gitlab, pull_request, told

from cml.errors import PublishError
from cml.forges.base import Hosted, ImageHost, JobPage, State, Status, marker

__all__ = ["on_github", "on_gitlab", "told"]

CHECK = Status(
    sha=SHA,
    name="cml-run",
    state="success",
    title="2 metrics better",
    summary="| a |\n",
    url="https://ci.example/1",
)


def status(state: State, **facts: Any) -> Status:
    return Status(**{"sha": SHA, "name": "cml-run", "state": state, "title": "t", **facts})


def sent(told: Told) -> list[str]:
    return [f"{request.method} {request.where}" for request in told.fake.log]


def test_updating_the_comment_costs_two_requests_up_to_a_hundred_comments(on_github: Told) -> None:
    subject = on_github.pull()
    on_github.open().comment(subject, name="cml-run", body="one")
    assert sent(on_github)[-1] == "GET /repos/o/r/issues/1/comments"
    for _ in range(99):
        on_github.fake.add_comment(1, "a remark")
    on_github.fake.log.clear()
    on_github.open().comment(subject, name="cml-run", body="two")

    assert sent(on_github) == [
        "GET /repos/o/r/issues/1/comments",
        "PATCH /repos/o/r/issues/comments/1001",
    ]


def test_making_the_comment_costs_three_requests_up_to_a_hundred_comments(on_github: Told) -> None:
    subject = on_github.pull()
    for _ in range(100):
        on_github.fake.add_comment(1, "a remark")
    on_github.open().comment(subject, name="cml-run", body="one")

    assert [method.split()[0] for method in sent(on_github)] == ["GET", "POST", "GET"]


def test_a_person_is_asked_for_only_where_a_comment_could_be_theirs(on_github: Told) -> None:
    subject, forge = on_github.pull(), on_github.open(on_github.fake.person)
    forge.comment(subject, name="cml-run", body="one")
    assert on_github.fake.count("GET", "^/user$") == 0

    forge.comment(subject, name="cml-run", body="two")
    forge.comment(subject, name="cml-run", body="three")
    assert on_github.fake.count("GET", "^/user$") == 1
    assert on_github.bodies(subject) == [f"{marker('cml-run')}\nthree"]


def test_a_person_and_an_app_do_not_edit_each_others_comments(on_github: Told) -> None:
    subject = on_github.pull()
    for token in (on_github.fake.person, on_github.fake.token, on_github.fake.person):
        on_github.open(token).comment(subject, name="cml-run", body=f"by {token[:4]}")

    assert [body[-4:] for body in on_github.bodies(subject)] == ["ghp_", "ghs_"]


def test_an_apps_token_that_does_not_show_it_finds_its_comment_too(on_github: Told) -> None:
    on_github.fake.token = "v1.0123456789abcdef"
    subject = on_github.pull()
    for text in ("one", "two"):
        on_github.open().comment(subject, name="cml-run", body=text)

    assert on_github.bodies(subject) == [f"{marker('cml-run')}\ntwo"]


def test_a_check_run_is_pending_first_and_then_has_its_conclusion(on_github: Told) -> None:
    forge = on_github.open()
    first = forge.status(status("pending"))
    assert on_github.fake.shown(SHA) == {"cml-run": "in_progress"}
    last = forge.status(CHECK)

    (run,) = on_github.fake.check_runs
    assert first == last == run["html_url"]
    assert (run["status"], run["conclusion"]) == ("completed", "success")
    assert run["output"]["title"] == "2 metrics better"
    assert run["output"]["summary"] == "| a |\n"
    assert run["details_url"] == "https://ci.example/1"
    assert on_github.fake.statuses == []


def test_check_runs_of_other_names_commits_and_processes_are_new_ones(on_github: Told) -> None:
    forge = on_github.open()
    for other in (status("pending"), status("pending", name="x"), status("pending", sha=OTHER)):
        forge.status(other)
    on_github.open().status(status("success"))

    assert len(on_github.fake.check_runs) == 4
    assert on_github.fake.shown(SHA) == {"cml-run": "success", "x": "in_progress"}


def test_an_error_is_a_failed_check_whose_title_says_so(on_github: Told) -> None:
    on_github.open().status(status("error", title="the data is gone"))

    (run,) = on_github.fake.check_runs
    assert (run["conclusion"], run["output"]["title"]) == ("failure", "Error: the data is gone")


def test_where_check_runs_may_not_be_made_a_commit_status_is_set_from_then_on(
    on_github: Told,
) -> None:
    forge = on_github.open(on_github.fake.person)
    assert forge.status(status("pending", url="https://ci.example/1")) == "https://ci.example/1"
    forge.status(status("error", title="ü" * 200, name="cml-run/accuracy"))
    forge.status(status("failure", title="a\nb"))

    assert on_github.fake.count("POST", "/check-runs$") == 1
    assert on_github.fake.shown(SHA) == {"cml-run": "failure", "cml-run/accuracy": "error"}
    assert [s["description"] for s in on_github.fake.statuses] == ["t", "ü" * 139 + "…", "a b"]


def test_a_limit_is_no_reason_to_leave_check_runs(on_github: Told) -> None:
    forge = on_github.open()
    on_github.fake.fail("POST", "/check-runs$", faults.primary_limit(9000))
    with pytest.raises(PublishError):
        forge.status(status("pending"))
    forge.status(status("success"))

    assert on_github.fake.shown(SHA) == {"cml-run": "success"}
    assert on_github.fake.statuses == []


def test_a_name_of_a_check_from_anywhere_is_one_line_that_fits(on_github: Told) -> None:
    name = "cml-run/a\n\udcffb" + "x" * 300
    for token in (on_github.fake.token, on_github.fake.person):
        on_github.open(token).status(status("success", name=name))

    assert list(on_github.fake.shown(SHA)) == [f"cml-run/a \\udcffb{'x' * 237}…"]


def test_a_summary_too_long_ends_with_a_whole_line(on_github: Told) -> None:
    line = "| metric | 0.9 |\n"
    on_github.open().status(status("success", summary=line * 10_000, title="x" * 400))

    (run,) = on_github.fake.check_runs
    assert run["output"]["summary"].endswith("| 0.9 |")
    assert 65_500 < len(run["output"]["summary"]) <= 65_535
    assert len(run["output"]["title"]) == 255


def test_a_release_that_is_there_stays_what_it_is_but_for_its_description(
    on_github: Told,
) -> None:
    on_github.open().release(tag="v1", title="t", body="one")
    (release,) = on_github.fake.releases
    assert release["prerelease"]
    release["prerelease"] = False
    on_github.open().release(tag="v1", title="t", body="two")

    assert (release["prerelease"], release["body"]) == (False, "two")


def test_the_setting_that_forbids_pull_requests_is_named(on_github: Told) -> None:
    on_github.fake.may_propose = False
    with pytest.raises(PublishError) as caught:
        on_github.open().propose(head="h", base="main", title="t", body="b")

    assert "Allow GitHub Actions to create and approve pull requests" in str(caught.value.hint)


def test_a_token_that_may_only_read_is_told_of_the_second_workflow(on_github: Told) -> None:
    subject = on_github.pull(fork="eve/r")
    with pytest.raises(PublishError) as caught:
        on_github.open(on_github.fake.fork_token).comment(subject, name="n", body="b")

    assert "`cml-run post` in a second workflow" in str(caught.value.hint)
    assert on_github.bodies(subject) == []


def test_an_enterprise_server_below_a_path_is_told_likewise(serving: Any) -> None:
    enterprise = Told("github", serving(GitHub(prefix="/ghe", enterprise=True)))
    subject = enterprise.pull()
    for _ in range(150):
        enterprise.fake.add_comment(1, "a remark")
    for text in ("one", "two"):
        enterprise.open().comment(subject, name="cml-run", body=text)

    assert enterprise.bodies(subject)[150:] == [f"{marker('cml-run')}\ntwo"]
    assert [found.number for found in enterprise.open().pull_requests_of(SHA)] == [1]


def test_a_commit_of_a_fork_that_github_does_not_know_is_looked_for_in_the_list(
    on_github: Told,
) -> None:
    ours = on_github.pull(fork="eve/r")
    on_github.fake.fail("GET", f"/commits/{SHA}/pulls$", faults.status(422, "No commit found"))

    assert [str(found.number) for found in on_github.open().pull_requests_of(SHA)] == [ours.id]


def test_no_more_than_three_pages_are_searched_for_a_commit(on_github: Told) -> None:
    for number in range(310):
        on_github.pull(head=f"b{number}", sha=OTHER)

    assert on_github.open().pull_requests_of(SHA) == []
    assert on_github.fake.count("GET", "/pulls$") == 1 + 3


@pytest.mark.parametrize(
    ("private", "inline", "shown"),
    [(False, False, True), (True, False, False), (True, True, True)],
)
def test_pictures_are_linked_by_the_commit_that_holds_them(
    on_github: Told, *, private: bool, inline: bool, shown: bool
) -> None:
    forge, pushed = on_github.open(private=private), []
    assert isinstance(forge, ImageHost)
    assert isinstance(forge, JobPage)
    pictures = {"plots/loss a#1.png": b"png"}
    hosted = forge.host(pictures, inline=inline, push=lambda files: pushed.append(files) or SHA)

    url = f"{on_github.fake.server}/o/r/raw/{SHA}/plots/loss%20a%231.png"
    assert hosted == {"plots/loss a#1.png": Hosted(url=url, shown=shown)}
    assert pushed == [pictures]


def test_pictures_that_may_not_be_pushed_are_hosted_nowhere(on_github: Told) -> None:
    forge = on_github.open()

    assert forge.host({"a.png": b"png"}, inline=True, push=lambda _: None) == {}
    assert forge.host({}, inline=True, push=lambda _: pytest.fail("nothing to push")) == {}


def test_a_pull_request_that_does_not_exist_is_named(on_github: Told) -> None:
    with pytest.raises(PublishError, match="pull request 99: GitHub answered 404: Not Found"):
        on_github.open().comment(pull_request(99), name="n", body="b")
