"""The story of a bundle that another job made: looked at, then told; none of its code is run."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from cml import bundle, numerals, report
from cml.commands import ending, pictures, run, tell
from cml.errors import UsageError
from cml.forges import terminal
from cml.record import Published, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.errors import ExitCode
    from cml.forges.base import Forge
    from cml.record import Context, Record
    from cml.repo import Checkout

WHERE = "a job of the event `workflow_run` knows the commit; elsewhere name it: --sha SHA"


def post(
    settings: Settings, around: Surroundings, folder: Path, sha: str | None = None
) -> ExitCode:
    """Tell the forge what a bundle says; return the exit code of its run.

    The bundle may come from anybody. Which commit it is about is what this job knows, and which
    pull requests that is the head of is what the forge says; the bundle is asked for neither.

    Args:
        settings: how to name and show what is told.
        around: the job that publishes.
        folder: the bundle.
        sha: the commit that the bundle must be about; None for the one that the job is about.

    Raises:
        UsageError: there is no bundle, or it is about something else.
    """
    numerals.check(settings.metrics_format)
    number = functools.partial(numerals.format, pattern=settings.metrics_format)
    record = _vouched(bundle.read(folder), around.context, sha)
    refused = False
    if around.forge and record.outcome != "skipped":
        numbers = _pull_requests(around.forge, record.context)
        host = functools.partial(
            pictures.host,
            forge=around.forge,
            bundle=folder,
            settings=settings,
            checkout=_checkout(around),
        )
        told = tell.Telling(
            forge=around.forge,
            context=record.context,
            name=settings.name,
            number=number,
            release=settings.release,
            fail_on=settings.fail_on,
            numbers=numbers,
            host=lambda record: host(_placed(record, numbers())),
        )
        record = told.results(record, folder)
        refused = bool(told.refused)
    terminal.publish(record, report.render(record, number=number), number=number)
    return ending.exit_code(record, refused=refused, fail_on=settings.fail_on)


def _vouched(record: Record, context: Context, sha: str | None) -> Record:
    """Return a record in which nothing is left that only this job can know."""
    expected, found = sha or context.sha, record.context
    if not expected:
        raise UsageError("which commit the bundle must be about is not known", hint=WHERE)
    if found.sha != expected:
        raise UsageError(f"the bundle is about {found.sha}, not about {expected}", hint=WHERE)
    if found.repository != context.repository:
        raise UsageError(
            f"the bundle is about the repository {found.repository}, not {context.repository}"
        )
    # A job that was told of another commit than its own may have been told of a stranger's.
    own = context.trusted and expected == context.sha
    published = record.published if own else Published()
    # What is told from here on is this job's doing, whoever made the bundle.
    branch = context.branch if own else None
    context = replace(context, sha=expected, branch=branch, trusted=True)
    return replace(record, context=context, published=published)


def _pull_requests(forge: Forge, context: Context) -> Callable[[], list[int]]:
    """Return what asks for the pull requests whose head is the commit, once."""
    return functools.cache(
        lambda: [found.number for found in forge.pull_requests_of(context.sha or "")]
    )


def _placed(record: Record, numbers: list[int]) -> Record:
    """Return the record as one of its pull request, with which its pictures are kept."""
    number = next(iter(numbers), None)
    return replace(record, context=replace(record.context, pull_request=number))


def _checkout(around: Surroundings) -> Checkout | None:
    """Open the repository that pictures can be put into; a job that only posts may have none."""
    try:
        return run.open_checkout(around)
    except UsageError:
        return None
