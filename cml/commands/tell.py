"""The story of telling a forge: that a run has begun, and in the end all that it found."""

from __future__ import annotations

import contextlib
import functools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from cml import report
from cml.commands import pictures
from cml.errors import CmlError, PublishError
from cml.forges.base import JobPage, Status, Subject
from cml.record import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from cml.forges.base import Forge, State
    from cml.record import Context, Record, Verdict
    from cml.report import Image

T = TypeVar("T")
log = logging.getLogger(__name__)

STATES: dict[Verdict | None, State] = {
    "pass": "success",
    "fail": "failure",
    "inconclusive": "error",
    "invalid": "error",
    None: "error",
}
FAMILIES = frozenset({"ci/gradient"})
"""What the statuses of checks may be called by besides the run's own name."""

MOST_CHECKS = 50
"""Checks that get a status of their own: a bundle of strangers must not use up our requests."""

READ_ONLY = (
    "the token may only read, as is usual for code from a fork: the report goes to this job's page "
    "and log alone. A second, trusted job can publish the bundle: `cml-run post`"
)


@dataclass(kw_only=True)
class Telling:
    """One run, and the forge that is told of it.

    Attributes:
        forge: whom to tell.
        context: where the run takes place.
        name: the name of the comment and of the status.
        number: makes a number readable.
        release: whether to describe the tag by a release; None leaves it to the forge.
        fail_on: the verdicts that a status shows as no success.
        numbers: finds the pull requests to comment on; None where the context tells them.
        host: puts pictures where readers see them.
        heard: False once the forge has refused an untrusted run.
        settled: True once the status says how the run ended.
        refused: what the forge would not take.
    """

    forge: Forge
    context: Context
    name: str
    number: Callable[[float], str] = repr
    release: bool | None = None
    fail_on: Collection[str] = ("fail", "inconclusive", "invalid")
    host: Callable[[Record], dict[str, Image]] = pictures.nowhere
    numbers: Callable[[], list[int]] | None = None
    heard: bool = True
    settled: bool = False
    refused: list[PublishError] = field(default_factory=list)

    def begin(self, *, token: str | None) -> None:
        """Say that a run has begun; what the token may not do becomes known before the training.

        Raises:
            PublishError: there is no token at all, where one could have been given.
        """
        if self.context.sha is None:
            return
        try:
            self._status(self.context.sha, self.name, "pending", "running")
        except PublishError as error:
            if self.context.trusted and token is None:
                raise
            self.heard = self.context.trusted
            log.info(READ_ONLY) if not self.heard else log.warning("%s", _said(error))

    def belong(self) -> Context:
        """Find the pull requests that a push belongs to; return the context as it is with them.

        Where there are several, the oldest one's target says what the push is judged by.
        """
        context = self.context
        if context.event != "push" or not context.branch:
            return context
        try:
            found = self.forge.pull_requests(context.branch)
        except PublishError as error:
            log.warning("the pull requests of %s are not known: %s", context.branch, _said(error))
            return context
        if found:
            first = min(found, key=lambda each: each.number)
            numbers = [each.number for each in found]
            self.numbers = lambda: numbers
            self.context = replace(context, pull_request=first.number, target=first.target)
        return self.context

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """See that nobody waits for ever for the status of a run that a bug or a signal ends."""
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            sha = self.context.sha
            if self.heard and sha and not self.settled:
                said = "interrupted" if isinstance(error, KeyboardInterrupt) else "cml-run crashed"
                self._try(lambda: self._status(sha, self.name, "error", said))
            raise

    def results(self, record: Record, bundle: Path) -> Record:
        """Tell what a run found; return its record with the addresses of what was told.

        What the forge refuses is noted and said, and hinders nothing else.
        """
        images = self._images(record) if self.heard else {}
        render = functools.partial(self._render, record, images)
        if self.heard:
            comment = self._try(lambda: self._comment(render))
            status = self._try(lambda: self._statuses(record, render))
            self._try(lambda: self._checks(record))
            self._try(lambda: self._describe_tag(record, render))
            proposal = self._try(lambda: self._propose(record, render))
            published = replace(
                record.published, comment=comment, status=status, pull_request=proposal
            )
            record = replace(record, published=published)
        show(self.forge, record, bundle, render)
        return record

    def _images(self, record: Record) -> dict[str, Image]:
        """Host the pictures; where that is refused, the report has charts in their place."""
        try:
            return self.host(record)
        except CmlError as error:  # git's own troubles too: a full disk, say
            log.warning("the pictures could not be hosted: %s", _said(error))
            return {}

    def _render(self, record: Record, images: Mapping[str, Image], limit: int) -> str:
        return report.render(record, number=self.number, limit=limit, images=images)

    def _comment(self, render: Callable[[int], str]) -> str | None:
        body = render(self.forge.comment_limit)
        found, numbers = None, self.numbers and self.numbers()
        for subject in subjects(self.forge, self.context, numbers):
            found = self.forge.comment(subject, name=self.name, body=body)
            log.info("the report: %s", found)
        return found

    def _statuses(self, record: Record, render: Callable[[int], str]) -> str | None:
        """Set the statuses of the commit that ran and of the one that holds its results."""
        failed = record.outcome == "failed" or record.failure is not None
        state = "error" if failed else self._state(record.verdict)
        summary, said = render(self.forge.comment_limit), report.title(record)
        found = [self._status(sha, self.name, state, said, summary) for sha in _shas(record)]
        self.settled = True
        return next(filter(None, found), None)

    def _checks(self, record: Record) -> None:
        """Set a status for each check; one that is refused hinders those of the whole run not."""
        checks = record.checks[:MOST_CHECKS]
        for sha in _shas(record):
            for check in checks:
                family = check.family if check.family in FAMILIES else self.name
                state = "success" if check.level != "error" else self._state(check.status)
                said = check.message or check.status
                self._status(sha, f"{family}/{check.name}", state, said)
            for family in FAMILIES & {check.family or "" for check in checks}:
                self._status(sha, family, "success", "Experiment completed successfully.")

    def _state(self, verdict: Verdict | None) -> State:
        blocks = verdict is None or verdict in self.fail_on
        return STATES[verdict] if blocks else "success"

    def _status(
        self,
        sha: str,
        name: str,
        state: State,
        title: str,
        summary: str = "",
    ) -> str | None:
        return self.forge.status(
            Status(
                sha=sha,
                name=name,
                state=state,
                title=title,
                summary=summary,
                url=self.context.run_url,
            )
        )

    def _describe_tag(self, record: Record, render: Callable[[int], str]) -> None:
        wanted = self.forge.describes_tags if self.release is None else self.release
        tag = record.published.tag
        if wanted and tag:
            body = render(self.forge.comment_limit)
            log.info("release: %s", self.forge.release(tag=tag, title=tag, body=body))

    def _propose(self, record: Record, render: Callable[[int], str]) -> str | None:
        branch, base = record.published.proposed, self.context.branch
        if not branch or not base:
            return None
        title = f"Results of {(self.context.sha or branch)[:7]}"
        body = render(self.forge.comment_limit)
        url = self.forge.propose(head=branch, base=base, title=title, body=body)
        log.info("the results as a pull request: %s", url)
        return url

    def _try(self, act: Callable[[], T]) -> T | None:
        """Do something that the forge may refuse; from a fork that is usual, and no failure."""
        try:
            return act()
        except PublishError as error:
            log.log(logging.ERROR if self.context.trusted else logging.INFO, "%s", _said(error))
            if self.context.trusted:
                self.refused.append(error)
        return None


def show(
    forge: Forge, record: Record, bundle: Path, render: Callable[[int], str] | None = None
) -> None:
    """Write what needs nobody's leave: the page, the outputs and the annotations of the job."""
    if isinstance(forge, JobPage):
        plainly = functools.partial(_plainly, record)
        forge.show(record, render or plainly, outputs=_outputs(record, bundle))


def _plainly(record: Record, limit: int) -> str:
    return report.render(record, limit=limit)


def subjects(forge: Forge, context: Context, numbers: list[int] | None = None) -> Iterator[Subject]:
    """Name what a comment belongs to: these pull requests, or those of the context; or its commit.

    Raises:
        PublishError: the forge could not be asked for the pull requests.
    """
    if numbers is None:
        numbers = [context.pull_request] if context.pull_request else []
        if not numbers and context.branch:
            numbers = [found.number for found in forge.pull_requests(context.branch)]
    for number in numbers:
        yield Subject(kind="pull request", id=str(number))
    if not numbers and context.sha:
        yield Subject(kind="commit", id=context.sha)


def _outputs(record: Record, bundle: Path) -> dict[str, str]:
    return {
        "verdict": record.verdict or "",
        "outcome": record.outcome,
        "report": str(bundle / "report.md"),
        "record": str(bundle / "record.json"),
        "commit": record.published.commit or "",
        "tag": record.published.tag or "",
    }


def _shas(record: Record) -> list[str]:
    """Return the commit that ran, and the one that holds its results where these were pushed.

    Results that stand on top of newcomers hold what this run has not judged.
    """
    published, sha = record.published, record.context.sha
    judged = published.pushed and published.parent == sha
    shas = (sha, published.commit if judged else None)
    return list(dict.fromkeys(filter(None, shas)))


def _said(error: CmlError) -> str:
    return f"{error.message}\n{error.hint}" if error.hint else error.message
