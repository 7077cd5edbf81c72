from typing import Any

import pytest

from cml import ci
from cml.record import Context

HEAD = "1111111111111111111111111111111111111111"
MERGE = "2222222222222222222222222222222222222222"

GITLAB = {
    "CI": "true",
    "CI_COMMIT_BRANCH": "feature/lr",
    "CI_COMMIT_REF_NAME": "feature/lr",
    "CI_COMMIT_SHA": HEAD,
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_URL": "https://git.example.org/lab/vision/models/-/jobs/42",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PROJECT_ID": "5",
    "CI_PROJECT_PATH": "lab/vision/models",
    "CI_SERVER_URL": "https://git.example.org",
    "GITLAB_CI": "true",
    "GITLAB_USER_LOGIN": "ada",
}
GITLAB_MERGE_REQUEST = {
    name: value for name, value in GITLAB.items() if name != "CI_COMMIT_BRANCH"
} | {
    "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
    "CI_MERGE_REQUEST_ID": "1001",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "5",
    "CI_MERGE_REQUEST_PROJECT_PATH": "lab/vision/models",
    "CI_MERGE_REQUEST_REF_PATH": "refs/merge-requests/7/head",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/lr",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "5",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "",
    "CI_PIPELINE_SOURCE": "merge_request_event",
}


def gitlab(**facts: Any) -> Context:
    job = "https://git.example.org/lab/vision/models/-/jobs/42"
    where = {"repository": "lab/vision/models", "run_url": job, "actor": "ada"}
    return Context(forge="gitlab", **where, **facts)


@pytest.mark.parametrize("event", ["push", "schedule", "web", "api", "trigger"])
def test_gitlab_branches_and_nested_groups(event: str) -> None:
    found = ci.context(GITLAB | {"CI_PIPELINE_SOURCE": event})
    assert found == gitlab(event=event, sha=HEAD, branch="feature/lr")


def test_a_gitlab_tag_is_no_branch() -> None:
    environ = GITLAB | {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1"}
    assert ci.context(environ) == gitlab(event="push", sha=HEAD, tag="v1")


MERGE_REQUEST = {
    "event": "merge_request_event",
    "sha": HEAD,
    "branch": "feature/lr",
    "pull_request": 7,
    "target": "main",
}


def test_a_gitlab_merge_request_names_its_source_and_target() -> None:
    assert ci.context(GITLAB_MERGE_REQUEST) == gitlab(**MERGE_REQUEST)


def test_a_gitlab_merged_result_is_its_head_and_not_its_merge() -> None:
    merged = {
        "CI_COMMIT_SHA": MERGE,
        "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    }
    assert ci.context(GITLAB_MERGE_REQUEST | merged) == gitlab(**MERGE_REQUEST)


def test_a_gitlab_merge_train_has_no_branch_to_push_to() -> None:
    train = {
        "CI_COMMIT_SHA": MERGE,
        "CI_MERGE_REQUEST_EVENT_TYPE": "merge_train",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    }
    found = ci.context(GITLAB_MERGE_REQUEST | train)
    assert found == gitlab(**(MERGE_REQUEST | {"branch": None}))


@pytest.mark.parametrize(
    "change",
    [
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "6"},
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": ""},
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "", "CI_MERGE_REQUEST_PROJECT_ID": ""},
    ],
)
def test_a_gitlab_merge_request_not_shown_to_be_from_here_is_not_trusted(
    change: dict[str, str],
) -> None:
    assert ci.context(GITLAB_MERGE_REQUEST | change) == gitlab(**MERGE_REQUEST, trusted=False)
    child = GITLAB_MERGE_REQUEST | change | {"CI_PIPELINE_SOURCE": "parent_pipeline"}
    assert ci.context(child).trusted is False
    assert ci.context(GITLAB_MERGE_REQUEST | change | {"CI_MERGE_REQUEST_IID": ""}).trusted is False


@pytest.mark.parametrize("number", ["7; rm -rf /", "0", "-7", "\u0667", "7" * 5000, "true"])
def test_a_number_that_is_none_is_left_out(number: str) -> None:
    environ = GITLAB_MERGE_REQUEST | {"CI_MERGE_REQUEST_IID": number}
    assert ci.context(environ).pull_request is None


def test_empty_variables_are_not_there() -> None:
    empty = dict.fromkeys(GITLAB_MERGE_REQUEST, "") | {"GITLAB_CI": "true"}
    assert ci.context(empty) == Context(forge="gitlab")
