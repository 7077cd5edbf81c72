"""Where we are and what the head commit asks for; reads only the values that it is given.

Every value is data from outside: kept as text, never given to a shell. What cannot be shown to
come from the repository itself is not trusted.
"""

from collections.abc import Mapping
from typing import Any

from cml.ci import github, gitlab
from cml.ci.messages import is_result, result_message, skip_reason
from cml.ci.values import truthy
from cml.record import Context

__all__ = ["context", "is_ci", "is_result", "result_message", "skip_reason"]


def is_ci(environ: Mapping[str, str]) -> bool:
    """Tell whether a CI system runs us: `CI`, `GITHUB_ACTIONS` or `GITLAB_CI` is set to a yes."""
    return any(truthy(environ, name) for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"))


def context(environ: Mapping[str, str], event: Mapping[str, Any] | None = None) -> Context:
    """Read where we are.

    Args:
        environ: the environment; an empty variable counts as not set.
        event: GitHub's event payload (the JSON in the file that `GITHUB_EVENT_PATH` names), or
            None where there is none or it could not be read.

    Returns:
        The context. `sha` is None where only the checkout can tell (a pull request without its
        payload). `branch` is where results would go: None on tags, in merge queues and in merge
        trains. On a pull request from a fork it is a branch of the fork, and `trusted` is False.
    """
    if truthy(environ, "GITHUB_ACTIONS"):
        return github.context(environ, event or {})
    if truthy(environ, "GITLAB_CI"):
        return gitlab.context(environ)
    return Context()
