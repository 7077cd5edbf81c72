"""GitHub Actions' variables and event payload -> Context; asks nobody.

Variables: https://docs.github.com/actions/reference/workflows-and-actions/variables
Payloads: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from collections.abc import Mapping
from typing import Any

from cml.ci.values import after, look, number, text, variable
from cml.record import Context, replace

Environ = Mapping[str, str]
Event = Mapping[str, Any]


def context(environ: Environ, event: Event) -> Context:
    """Read where a GitHub Actions job is; an empty `event` stands for an unknown payload."""
    name = variable(environ, "GITHUB_EVENT_NAME")
    return replace(
        _subject(name or "", environ, event),
        forge="github",
        event=name,
        repository=variable(environ, "GITHUB_REPOSITORY"),
        private=_private(event),
        actor=_actor(name or "", environ, event),
        run_url=_run_url(environ),
    )


def _subject(name: str, environ: Environ, event: Event) -> Context:
    if name.startswith("pull_request"):
        return _pull_request(environ, event)
    match name:
        case "workflow_run":
            return _workflow_run(environ, event)
        case "merge_group":
            return _merge_group(environ, event)
        case "issue_comment" if not event or look(event, "issue.pull_request"):
            # The job may have checked out anybody's code; GITHUB_SHA is the default branch's head.
            return Context(pull_request=number(look(event, "issue.number")), trusted=False)
        case _:
            return _ref(environ)


def _ref(environ: Environ) -> Context:
    """The branch or the tag that a push, a schedule, a release or a click on a button is about."""
    ref = variable(environ, "GITHUB_REF")
    return Context(
        sha=variable(environ, "GITHUB_SHA"),
        branch=after("refs/heads/", ref),
        tag=after("refs/tags/", ref),
    )


def _pull_request(environ: Environ, event: Event) -> Context:
    """The head of a pull request: `GITHUB_SHA` is its synthetic merge, or its target's head."""
    ref = after("refs/pull/", variable(environ, "GITHUB_REF")) or ""
    source = text(event, "pull_request.head.repo.full_name")
    return Context(
        sha=text(event, "pull_request.head.sha"),
        branch=text(event, "pull_request.head.ref") or variable(environ, "GITHUB_HEAD_REF"),
        target=text(event, "pull_request.base.ref") or variable(environ, "GITHUB_BASE_REF"),
        pull_request=number(look(event, "pull_request.number")) or number(ref.partition("/")[0]),
        trusted=_is_own(environ, source, text(event, "pull_request.base.repo.full_name")),
        closed=look(event, "action") == "closed",
    )


def _is_own(environ: Environ, source: str | None, repository: str | None) -> bool:
    """Tell whether code comes from the repository itself; Dependabot's is run like a fork's.

    See https://docs.github.com/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
    """
    dependabot = variable(environ, "GITHUB_ACTOR") == "dependabot[bot]"
    return source is not None and source == repository and not dependabot


def _actor(name: str, environ: Environ, event: Event) -> str | None:
    """Name who set off the run by a push, and not by reopening or labelling a pull request."""
    if name.startswith("pull_request") and look(event, "action") not in {"opened", "synchronize"}:
        return None
    return variable(environ, "GITHUB_ACTOR")


def _private(event: Event) -> bool | None:
    """Tell whether only some may read the repository; an `internal` one is private as well."""
    private = look(event, "repository.private")
    visible = text(event, "repository.visibility") in {None, "public"}
    return private or not visible if isinstance(private, bool) else None


def _workflow_run(environ: Environ, event: Event) -> Context:
    """The head of the run that came before: `GITHUB_SHA` is only the default branch's head."""
    run = look(event, "workflow_run")
    source = text(run, "head_repository.full_name")
    pull_request = _only_pull_request(run)
    return Context(
        sha=text(run, "head_sha"),
        branch=text(run, "head_branch"),
        pull_request=number(look(pull_request, "number")),
        target=text(pull_request, "base.ref"),
        trusted=_is_own(environ, source, variable(environ, "GITHUB_REPOSITORY")),
    )


def _only_pull_request(run: object) -> object:
    """The pull request that made a workflow run; None where there is doubt, as with forks."""
    if not (text(run, "event") or "").startswith("pull_request"):
        return None
    listed = look(run, "pull_requests")
    sha = text(run, "head_sha")
    items = listed if isinstance(listed, list) and sha else []
    found = [item for item in items if text(item, "head.sha") == sha]
    return found[0] if len(found) == 1 else None


def _merge_group(environ: Environ, event: Event) -> Context:
    """A merge queue's commit: its branch is read-only and soon gone, so none is named."""
    return Context(
        sha=text(event, "merge_group.head_sha") or variable(environ, "GITHUB_SHA"),
        target=after("refs/heads/", text(event, "merge_group.base_ref")),
    )


def _run_url(environ: Environ) -> str | None:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (variable(environ, name) for name in names)
    if server and repository and run:
        return f"{server.rstrip('/')}/{repository}/actions/runs/{run}"
    return None
