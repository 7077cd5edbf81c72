import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from cml import ci
from cml.record import Context

HEAD = "1111111111111111111111111111111111111111"
MERGE = "2222222222222222222222222222222222222222"
MAIN = "3333333333333333333333333333333333333333"

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_BASE_REF": "",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_HEAD_REF": "",
    "GITHUB_REF": "refs/heads/feature/lr",
    "GITHUB_REF_NAME": "feature/lr",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "ada/models",
    "GITHUB_RUN_ID": "9876543210",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": HEAD,
}
RUN_URL = "https://github.com/ada/models/actions/runs/9876543210"

GITHUB_PULL_REQUEST = GITHUB | {
    "GITHUB_BASE_REF": "main",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_HEAD_REF": "feature/lr",
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_REF_NAME": "7/merge",
    "GITHUB_SHA": MERGE,
}
PULL_REQUEST_PAYLOAD = json.loads(f"""{{
  "action": "synchronize",
  "number": 7,
  "pull_request": {{
    "number": 7,
    "head": {{"label": "ada:feature/lr", "ref": "feature/lr", "sha": "{HEAD}",
              "repo": {{"id": 1, "full_name": "ada/models", "fork": false}}}},
    "base": {{"label": "ada:main", "ref": "main", "sha": "{MAIN}",
              "repo": {{"id": 1, "full_name": "ada/models", "fork": false}}}}
  }},
  "repository": {{"id": 1, "full_name": "ada/models", "default_branch": "main"}}
}}""")

GITHUB_WORKFLOW_RUN = GITHUB | {
    "GITHUB_EVENT_NAME": "workflow_run",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_SHA": MAIN,
}
WORKFLOW_RUN_PAYLOAD = json.loads(f"""{{
  "action": "completed",
  "workflow_run": {{
    "event": "pull_request", "head_branch": "feature/lr", "head_sha": "{HEAD}",
    "head_repository": {{"full_name": "ada/models"}},
    "pull_requests": [
      {{"number": 7, "head": {{"ref": "feature/lr", "sha": "{HEAD}"}},
        "base": {{"ref": "main", "sha": "{MAIN}"}}}}
    ]
  }},
  "repository": {{"full_name": "ada/models"}}
}}""")


def github(**facts: Any) -> Context:
    where = {"repository": "ada/models", "run_url": RUN_URL, "actor": "ada"}
    return Context(forge="github", **{**where, **facts})


@pytest.mark.parametrize("event", ["push", "schedule", "workflow_dispatch", "repository_dispatch"])
def test_github_branches_are_named_by_their_ref(event: str) -> None:
    found = ci.context(GITHUB | {"GITHUB_EVENT_NAME": event}, {"ref": "refs/heads/feature/lr"})
    assert found == github(event=event, sha=HEAD, branch="feature/lr")


@pytest.mark.parametrize("event", ["push", "release", "workflow_dispatch"])
def test_a_github_tag_is_no_branch(event: str) -> None:
    place = {
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": "refs/tags/v1/rc",
        "GITHUB_REF_NAME": "v1/rc",
        "GITHUB_REF_TYPE": "tag",
    }
    assert ci.context(GITHUB | place) == github(event=event, sha=HEAD, tag="v1/rc")


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review"])
def test_a_github_pull_request_is_its_head_and_not_its_merge(event: str) -> None:
    environ = GITHUB_PULL_REQUEST | {"GITHUB_EVENT_NAME": event}
    if event == "pull_request_target":
        environ |= {"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": MAIN}
    assert ci.context(environ, PULL_REQUEST_PAYLOAD) == github(
        event=event, sha=HEAD, branch="feature/lr", pull_request=7, target="main"
    )


def _fork(payload: Any) -> None:
    payload["pull_request"]["head"]["repo"] = {"id": 2, "full_name": "eve/models", "fork": True}


def _deleted_fork(payload: Any) -> None:
    payload["pull_request"]["head"]["repo"] = None


def _no_repositories(payload: Any) -> None:
    for side in ("head", "base"):
        del payload["pull_request"][side]["repo"]


def _wrong_kinds(payload: Any) -> None:
    for side in ("head", "base"):
        payload["pull_request"][side]["repo"] = {"full_name": ["ada/models"]}


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
@pytest.mark.parametrize("change", [_fork, _deleted_fork, _no_repositories, _wrong_kinds])
def test_a_github_pull_request_not_shown_to_be_from_here_is_not_trusted(
    event: str, change: Callable[[Any], None]
) -> None:
    payload = copy.deepcopy(PULL_REQUEST_PAYLOAD)
    change(payload)
    environ = GITHUB_PULL_REQUEST | {"GITHUB_EVENT_NAME": event}
    assert ci.context(environ, payload) == github(
        event=event, sha=HEAD, branch="feature/lr", pull_request=7, target="main", trusted=False
    )


@pytest.mark.parametrize("payload", [None, {}, {"pull_request": None}, {"pull_request": [1]}])
def test_a_github_pull_request_without_its_payload_is_not_trusted_and_has_no_sha(
    payload: dict[str, Any] | None,
) -> None:
    assert ci.context(GITHUB_PULL_REQUEST, payload) == github(
        event="pull_request",
        branch="feature/lr",
        pull_request=7,
        target="main",
        trusted=False,
        actor=None,
    )


@pytest.mark.parametrize("action", ["reopened", "labeled", "ready_for_review"])
def test_who_only_touches_a_github_pull_request_has_not_pushed_it(action: str) -> None:
    payload = PULL_REQUEST_PAYLOAD | {"action": action}
    assert ci.context(GITHUB_PULL_REQUEST, payload).actor is None
    assert ci.context(GITHUB_PULL_REQUEST, PULL_REQUEST_PAYLOAD).actor == "ada"


def test_a_github_workflow_run_is_the_head_of_the_run_before() -> None:
    assert ci.context(GITHUB_WORKFLOW_RUN, WORKFLOW_RUN_PAYLOAD) == github(
        event="workflow_run", sha=HEAD, branch="feature/lr", pull_request=7, target="main"
    )


def test_a_github_workflow_run_after_a_push_has_no_pull_request() -> None:
    payload = copy.deepcopy(WORKFLOW_RUN_PAYLOAD)
    payload["workflow_run"]["event"] = "push"
    assert ci.context(GITHUB_WORKFLOW_RUN, payload) == github(
        event="workflow_run", sha=HEAD, branch="feature/lr"
    )


def test_a_github_workflow_run_picks_no_pull_request_in_doubt() -> None:
    payload = copy.deepcopy(WORKFLOW_RUN_PAYLOAD)
    payload["workflow_run"]["event"] = "pull_request_target"
    listed = payload["workflow_run"]["pull_requests"]
    listed.append({"number": 8, "head": {"sha": MERGE}, "base": {"ref": "old"}})
    assert ci.context(GITHUB_WORKFLOW_RUN, payload).pull_request == 7
    listed.append({"number": 9, "head": {"sha": HEAD}, "base": {"ref": "old"}})
    assert ci.context(GITHUB_WORKFLOW_RUN, payload).pull_request is None
    payload["workflow_run"] |= {"head_sha": None, "pull_requests": [{"number": 7}]}
    assert ci.context(GITHUB_WORKFLOW_RUN, payload).pull_request is None
    payload["workflow_run"] |= {"head_sha": HEAD, "pull_requests": 7}
    assert ci.context(GITHUB_WORKFLOW_RUN, payload).pull_request is None


def test_a_github_workflow_run_of_a_fork_or_of_nobody_knows_is_not_trusted() -> None:
    payload = copy.deepcopy(WORKFLOW_RUN_PAYLOAD)
    payload["workflow_run"] |= {
        "head_repository": {"full_name": "eve/models"},
        "head_branch": "main",
        "pull_requests": [],
    }
    assert ci.context(GITHUB_WORKFLOW_RUN, payload) == github(
        event="workflow_run", sha=HEAD, branch="main", trusted=False
    )
    assert ci.context(GITHUB_WORKFLOW_RUN) == github(event="workflow_run", trusted=False)


def test_a_github_merge_queue_has_no_branch_to_push_to() -> None:
    queue = f"refs/heads/gh-readonly-queue/main/pr-7-{MAIN}"
    environ = GITHUB | {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": queue}
    payload = {"merge_group": {"head_sha": HEAD, "head_ref": queue, "base_ref": "refs/heads/main"}}
    assert ci.context(environ, payload) == github(event="merge_group", sha=HEAD, target="main")
    assert ci.context(environ) == github(event="merge_group", sha=HEAD)


def test_a_comment_on_a_github_pull_request_is_not_trusted() -> None:
    environ = GITHUB_WORKFLOW_RUN | {"GITHUB_EVENT_NAME": "issue_comment"}
    payload: dict[str, Any] = {"issue": {"number": 7, "pull_request": {"url": "https://x"}}}
    assert ci.context(environ, payload) == github(
        event="issue_comment", pull_request=7, trusted=False
    )
    assert ci.context(environ) == github(event="issue_comment", trusted=False)
    del payload["issue"]["pull_request"]
    assert ci.context(environ, payload) == github(event="issue_comment", sha=MAIN, branch="main")


def test_an_enterprise_servers_address_is_kept() -> None:
    environ = GITHUB | {"GITHUB_SERVER_URL": "https://ghe.example.org/"}
    assert ci.context(environ).run_url == (
        "https://ghe.example.org/ada/models/actions/runs/9876543210"
    )
    assert ci.context(GITHUB | {"GITHUB_RUN_ID": ""}).run_url is None


@pytest.mark.parametrize("number", ["7; rm -rf /", "0", "-7", "\u0667", "7" * 5000, "true"])
def test_a_number_that_is_none_is_left_out(number: str) -> None:
    environ = GITHUB_PULL_REQUEST | {"GITHUB_REF": f"refs/pull/{number}/merge"}
    assert ci.context(environ, {"pull_request": {"number": True}}).pull_request is None


def test_empty_variables_are_not_there() -> None:
    empty = dict.fromkeys(GITHUB, "") | {"GITHUB_ACTIONS": "true"}
    assert ci.context(empty) == Context(forge="github")


def test_hostile_names_come_through_as_they_are() -> None:
    branch = "$(touch pwned)`|;&-\"'<script>"
    environ = GITHUB | {"GITHUB_REF": f"refs/heads/{branch}"}
    assert ci.context(environ).branch == branch
