"""GitLab CI's variables -> Context; asks nobody.

Variables: https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from collections.abc import Mapping

from cml.ci.values import number, variable
from cml.record import Context


def context(environ: Mapping[str, str]) -> Context:
    """Read where a GitLab job is."""
    return Context(
        forge="gitlab",
        # As on GitHub, the one that the merge request is for: a fork's pipeline runs in the fork.
        repository=variable(environ, "CI_MERGE_REQUEST_PROJECT_PATH")
        or variable(environ, "CI_PROJECT_PATH"),
        event=variable(environ, "CI_PIPELINE_SOURCE"),
        # In merged-results pipelines CI_COMMIT_SHA is a merge that nobody sees.
        sha=variable(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
        or variable(environ, "CI_COMMIT_SHA"),
        branch=_branch(environ),
        tag=variable(environ, "CI_COMMIT_TAG"),
        pull_request=number(variable(environ, "CI_MERGE_REQUEST_IID")),
        target=variable(environ, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        trusted=_trusted(environ),
        private=_private(environ),
        actor=variable(environ, "GITLAB_USER_LOGIN"),
        run_url=variable(environ, "CI_JOB_URL"),
    )


def _branch(environ: Mapping[str, str]) -> str | None:
    # A push to the source branch would throw the merge request out of its train.
    if variable(environ, "CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train":
        return None
    source = variable(environ, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
    return source or variable(environ, "CI_COMMIT_BRANCH")


def _private(environ: Mapping[str, str]) -> bool | None:
    visibility = variable(environ, "CI_PROJECT_VISIBILITY")
    return None if visibility is None else visibility != "public"


def _trusted(environ: Mapping[str, str]) -> bool:
    """A merge request must come from its own project; its pipeline may run in either of them."""
    event = variable(environ, "CI_PIPELINE_SOURCE")
    if event != "merge_request_event" and not variable(environ, "CI_MERGE_REQUEST_IID"):
        return True
    source = variable(environ, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID")
    return source is not None and source == variable(environ, "CI_MERGE_REQUEST_PROJECT_ID")
