"""The contract of both forges: one comment of ours, whatever happens beside it."""

from __future__ import annotations

import subprocess
import sys

import forge_faults as faults
import pytest
from told_kit import OTHER, SHA, Told, on_github, on_gitlab, told

from cml.errors import PublishError
from cml.forges.base import Subject, marker

__all__ = ["on_github", "on_gitlab", "told"]


def subjects(told: Told) -> list[Subject]:
    issue = Subject(kind="issue", id=str(told.fake.add_issue()))
    return [told.pull(), issue, Subject(kind="commit", id=SHA)]


def test_a_comment_is_made_once_and_then_updated_in_place(told: Told) -> None:
    for subject in subjects(told):
        first = told.open().comment(subject, name="cml-run", body="one")
        again = told.open().comment(subject, name="cml-run", body="two")

        assert told.bodies(subject) == [f"{marker('cml-run')}\ntwo"]
        assert first == again
        assert first.startswith(f"{told.fake.server}/{told.fake.repository}/")
        assert str(told.notes(subject)[0]["id"]) in first


def test_a_comment_that_says_so_already_is_not_written_again(told: Told) -> None:
    for subject in subjects(told):
        told.open().comment(subject, name="cml-run", body="a\n\n| b |\n")
        written = told.fake.count("POST") + told.fake.count(told.edit)
        address = told.open().comment(subject, name="cml-run", body="a\n\n| b |\n")

        assert told.fake.count("POST") + told.fake.count(told.edit) == written
        assert str(told.notes(subject)[0]["id"]) in address


@pytest.mark.parametrize("before", [30, 99, 100, 101, 250])
def test_the_comment_is_found_on_whatever_page_it_is(told: Told, before: int) -> None:
    subject = told.pull()
    for number in range(before):
        told.fake.add_comment(int(subject.id), f"remark {number}")
    told.open().comment(subject, name="cml-run", body="one")
    for number in range(before):
        told.fake.add_comment(int(subject.id), f"answer {number}")
    told.open().comment(subject, name="cml-run", body="two")

    ours = [body for body in told.bodies(subject) if marker("cml-run") in body]
    assert ours == [f"{marker('cml-run')}\ntwo"]


def test_what_others_wrote_is_never_touched_even_with_our_marker(told: Told) -> None:
    for subject in subjects(told):
        copied = f"{marker('cml-run')}\nI copied this"
        quoted = f"> {marker('cml-run')}\nI quote this"
        for author, body in (("eve", copied), (told.us, quoted)):
            if subject.kind == "commit":
                told.fake.add_commit_comment(SHA, body, author)
            else:
                told.fake.add_comment(int(subject.id), body, author)
        told.open().comment(subject, name="cml-run", body="one")
        told.open().comment(subject, name="cml-run", body="two")

        assert told.bodies(subject) == [copied, quoted, f"{marker('cml-run')}\ntwo"]


def test_comments_of_two_names_do_not_fight_even_if_one_begins_the_other(told: Told) -> None:
    subject = told.pull()
    names = ["cml-run", "cml", "cml-run2", "a--b", "a-b", "ü"]
    for text in ("one", "two"):
        for name in names:
            told.open().comment(subject, name=name, body=f"{text} of {name}")

    assert told.bodies(subject) == [f"{marker(name)}\ntwo of {name}" for name in names]


def test_of_two_jobs_that_race_exactly_one_comment_stays(told: Told) -> None:
    for subject in subjects(told):
        told.before_writing(
            lambda subject=subject: told.open().comment(subject, name="cml-run", body="the other's")
        )
        address = told.open().comment(subject, name="cml-run", body="the slower one's")

        assert told.bodies(subject) == [f"{marker('cml-run')}\nthe slower one's"]
        assert str(told.notes(subject)[0]["id"]) in address


def test_a_race_below_many_comments_leaves_exactly_one_too(told: Told) -> None:
    subject = told.pull()
    for number in range(150):
        told.fake.add_comment(int(subject.id), f"remark {number}")
    told.before_writing(lambda: told.open().comment(subject, name="cml-run", body="the other's"))
    told.open().comment(subject, name="cml-run", body="ours")

    assert told.bodies(subject)[150:] == [f"{marker('cml-run')}\nours"]


def test_of_three_jobs_that_race_exactly_one_comment_stays(told: Told) -> None:
    subject = told.pull()

    def second() -> None:
        told.before_writing(lambda: told.open().comment(subject, name="cml-run", body="third"))
        told.open().comment(subject, name="cml-run", body="second")

    told.before_writing(second)
    told.open().comment(subject, name="cml-run", body="first")

    assert told.bodies(subject) == [f"{marker('cml-run')}\nfirst"]


def test_a_race_leaves_the_comments_of_others_alone(told: Told) -> None:
    subject = told.pull()
    copied = f"{marker('cml-run')}\nI copied this"
    told.before_writing(lambda: told.fake.add_comment(int(subject.id), copied, "eve"))
    told.open().comment(subject, name="cml-run", body="ours")

    assert told.bodies(subject) == [copied, f"{marker('cml-run')}\nours"]


@pytest.mark.parametrize("fault", [faults.dropped(), faults.dropped_after(), faults.status(502)])
def test_a_comment_whose_making_had_to_be_repeated_is_there_once(
    told: Told, fault: faults.Fault
) -> None:
    for subject in subjects(told):
        told.fake.fail("POST", told.writing, fault, times=2)
        told.open().comment(subject, name="cml-run", body="one")

        assert told.bodies(subject) == [f"{marker('cml-run')}\none"]
    assert told.pauses == [1, 2] * 3


def test_a_comment_that_was_deleted_meanwhile_is_made_anew(told: Told) -> None:
    for subject in subjects(told):
        told.open().comment(subject, name="cml-run", body="one")
        told.before_writing(lambda subject=subject: delete_all(told, subject), method=told.edit)
        told.open().comment(subject, name="cml-run", body="two")

        assert told.bodies(subject) == [f"{marker('cml-run')}\ntwo"]


def delete_all(told: Told, subject: Subject) -> None:
    if subject.kind != "commit":
        told.fake.comments[int(subject.id)].clear()
    elif told.vendor == "github":
        told.fake.commit_comments[subject.id].clear()
    else:
        told.fake.discussions[subject.id].clear()


def test_a_comment_of_the_greatest_size_is_taken_and_a_larger_one_never_sent(told: Told) -> None:
    subject, forge = told.pull(), told.open()
    told.open().comment(subject, name="-" * 100, body="x" * forge.comment_limit)
    asked = told.fake.count()
    with pytest.raises(PublishError, match="characters"):
        forge.comment(subject, name="n", body="x" * (forge.comment_limit + 500))

    assert told.fake.count() == asked
    assert [len(body) for body in told.bodies(subject)] == [
        len(marker("-" * 100)) + 1 + forge.comment_limit
    ]


def test_names_of_files_that_are_no_utf8_do_not_stop_a_comment(told: Told) -> None:
    subject = told.pull()
    told.open().comment(subject, name="n", body="data/\udcff.csv 😀 | `x`")

    assert told.bodies(subject) == [f"{marker('n')}\ndata/\\udcff.csv 😀 | `x`"]


def test_only_the_pull_requests_of_the_branch_itself_are_found(told: Told) -> None:
    for branch in ("b", "feature/x", "fix-#7 ü & a=b?", "b%2Fx"):
        ours = told.pull(head=branch)
        told.pull(head=branch, fork="eve/r", sha=OTHER)
        told.pull(head=branch, fork="o/r-fork", sha=OTHER)
        told.pull(head=branch, state="closed", base="old")
        told.pull(head=f"{branch}2")

        (found,) = told.open().pull_requests(branch)
        assert (str(found.number), found.sha, found.target) == (ours.id, SHA, "main")
        assert found.url.endswith(f"/{ours.id}")
    assert told.open().pull_requests("none") == []


def test_a_branch_with_more_pull_requests_than_a_page_holds_has_them_all(told: Told) -> None:
    for number in range(130):
        told.pull(base=f"v{number}")

    assert len(told.open().pull_requests("b")) == 130


@pytest.mark.parametrize("fork", [None, "eve/r", "o/r-fork"])
def test_the_pull_request_of_a_commit_is_the_open_one_whose_head_it_is(
    told: Told, fork: str | None
) -> None:
    told.pull(head="moved", sha=OTHER, shas=(SHA,), fork=fork)
    told.pull(head="shut", state="closed", fork=fork)
    ours = told.pull(fork=fork)
    for number in range(110):
        told.pull(head=f"n{number}", sha=OTHER)

    assert [str(found.number) for found in told.open().pull_requests_of(SHA)] == [ours.id]
    assert told.open().pull_requests_of("c" * 40) == []


def test_a_pull_request_of_ours_is_opened_once_and_then_updated(told: Told) -> None:
    told.pull(head="results", fork="eve/r")
    first = told.open().propose(head="results", base="main", title="Results", body="one")
    again = told.open().propose(head="results", base="main", title="Results", body="two")
    told.open().propose(head="results", base="main", title="Results", body="two")

    assert first == again
    (ours,) = [pull for pull in told.fake.pulls if pull["title"] == "Results"]
    assert ours["body" if told.vendor == "github" else "description"] == "two"
    assert told.fake.count(told.edit, r"/(pulls|merge_requests)/\d+$") == 1


def test_a_pull_request_that_another_job_opens_first_is_updated(told: Told) -> None:
    def other() -> None:
        told.open().propose(head="results", base="main", title="Results", body="one")

    told.fake.before("POST", r"/(pulls|merge_requests)$", other)
    told.open().propose(head="results", base="main", title="Results", body="two")

    (ours,) = told.fake.pulls
    assert ours["body" if told.vendor == "github" else "description"] == "two"


def test_a_tag_is_described_by_one_release(told: Told) -> None:
    first = told.open().release(tag="exp/ü-1", title="exp", body="one")
    again = told.open().release(tag="exp/ü-1", title="exp", body="two")

    assert first == again
    (release,) = told.fake.releases
    assert release["body" if told.vendor == "github" else "description"] == "two"
    assert release.get("prerelease", True)


def test_a_release_that_another_job_makes_first_is_updated(told: Told) -> None:
    def other() -> None:
        told.open().release(tag="exp-1", title="exp", body="one")

    told.fake.before("POST", r"/releases$", other)
    told.fake.fail("POST", r"/releases$", faults.dropped_after())
    told.open().release(tag="exp-1", title="exp", body="two")

    (release,) = told.fake.releases
    assert release["body" if told.vendor == "github" else "description"] == "two"


def test_opening_a_forge_loads_no_library_and_needs_no_token() -> None:
    code = """
import sys
from cml import forges
from cml.record import Context
for name in ("github", "gitlab", "terminal"):
    forges.open_forge(Context(forge=name, repository="o/r"), {}, None, private=True)
print([name for name in ("github", "gitlab", "requests", "urllib3") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
