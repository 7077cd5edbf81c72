"""The main job: skip? -> reproduce -> compare -> judge -> report -> save -> tell."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cml import bundle, ci, repo, report
from cml import record as records
from cml.commands import ending
from cml.errors import CmlError, ExitCode
from cml.forges import terminal
from cml.record import Failure, Published, Record

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    from cml.commands import experiment
    from cml.commands.evidence import Evidence
    from cml.commands.tell import Telling
    from cml.config import Settings
    from cml.forges.base import Forge
    from cml.record import Context

log = logging.getLogger(__name__)

ASKED_FOR = {
    *("schedule", "workflow_dispatch", "repository_dispatch", "merge_group"),
    *("web", "api", "trigger"),
}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where and as whom a run takes place.

    `publish` tells whether results are saved. `settle` reads the settings again, those that judge
    from another cml.yaml. `environ` may be added to for children's sake, and `secrets` names its
    variables that stages must not see. `forge` is who is told; None for nobody.
    """

    start: Path
    settle: Callable[..., Settings]
    environ: MutableMapping[str, str]
    context: Context
    token: str | None
    secrets: frozenset[str]
    publish: bool
    forge: Forge | None = None


def run(settings: Settings, around: Surroundings) -> ExitCode:
    """Do the main job; write the bundle, show the report, and return the exit code.

    Raises:
        CmlError: before there is anything to report: no repository, no place for the bundle.
    """
    checkout = open_checkout(around)
    around = replace(around, context=located(around.context, checkout))
    if reason := skip_reason(settings, checkout, around.context):
        return _skip(settings, around, checkout, reason)
    number = _number(settings.metrics_format)
    told = _telling(settings, around, checkout, number)
    with bundle.staging(around.start / settings.out) as made:
        if told:
            told.begin(token=around.token)
            around = replace(around, context=told.belong())
        with told.watching() if told else contextlib.nullcontext():
            with contextlib.redirect_stdout(sys.stderr):
                facts = _experiment(settings, around, checkout, made)
            record = facts.record
            text = report.render(record, number=number)
            made.finish(record, text)
            if told:
                told.fail_on = facts.fail_on
                record = told.results(record, made.folder)
                made.rewrite(record)
    terminal.publish(record, text, number=number)
    refused = bool(told and told.refused)
    return ending.exit_code(record, refused=refused, fail_on=facts.fail_on)


def _skip(
    settings: Settings, around: Surroundings, checkout: repo.Checkout, reason: str
) -> ExitCode:
    record = Record(context=around.context, outcome="skipped", reason=f"Skipped: {reason}.")
    text = report.render(record)
    with bundle.staging(around.start / settings.out) as made:
        made.finish(record, text)
    if around.forge:
        from cml.commands import pictures, tell

        tell.show(around.forge, record, made.folder)
        if around.context.closed and around.context.trusted:
            for group in pictures.groups(around.context):
                checkout.prune_pictures(group)
    terminal.publish(record, text, number=repr)
    return ending.exit_code(record)


def _telling(
    settings: Settings,
    around: Surroundings,
    checkout: repo.Checkout,
    number: Callable[[float], str],
) -> Telling | None:
    """Return whom to tell and how; None where nobody is to be told."""
    if around.forge is None:
        return None
    from cml.commands import pictures, tell

    host = functools.partial(
        pictures.host,
        forge=around.forge,
        bundle=around.start / settings.out,
        settings=settings,
        checkout=checkout if around.context.trusted else None,
    )
    return tell.Telling(
        forge=around.forge,
        context=around.context,
        name=settings.name,
        number=number,
        release=settings.release,
        host=host,
    )


def _number(pattern: str) -> Callable[[float], str]:
    """Return what makes a number readable; a skip, which shows none, does not load it."""
    from cml import numerals

    numerals.check(pattern)
    return functools.partial(numerals.format, pattern=pattern)


def skip_reason(settings: Settings, checkout: repo.Checkout, context: Context) -> str | None:
    """Say why there is nothing to do here; a run that somebody asked for is never skipped.

    Forges skip pushes and pull requests by what the commit's message says, and nothing else: a
    scheduled run that watches for new data finds its own last results at the head.
    """
    if context.closed:
        return "the pull request is closed"
    if context.event in ASKED_FOR or settings.update:
        return None
    return ci.skip_reason(checkout.head_message(context))


def open_checkout(around: Surroundings) -> repo.Checkout:
    """Open the git repository around a run, with its token where there is one."""
    checkout = repo.find(around.start, around.environ)
    if around.token:
        checkout.authenticate(around.token)
    return checkout


def located(context: Context, checkout: repo.Checkout) -> Context:
    """Fill in what only the checkout can tell; in CI, no branch means that there is none."""
    if context.forge != "terminal":
        return records.replace(context, sha=context.sha or checkout.head)
    sha, branch = checkout.place
    return records.replace(context, sha=context.sha or sha, branch=branch)


def _experiment(
    settings: Settings, around: Surroundings, checkout: repo.Checkout, made: bundle.Bundle
) -> experiment.Facts:
    """Run the experiment as far as it goes; what stops it becomes part of the record."""
    from cml.commands.experiment import Facts

    facts = Facts(record=Record(context=around.context), fail_on=settings.fail_on)
    try:
        _tell(settings, around, checkout, facts, made)
    except CmlError as error:
        facts.learn(failure=ending.failure(error))
    except KeyboardInterrupt:
        log.warning("interrupted")
        facts.learn(failure=Failure(message="interrupted", exit_code=ExitCode.INTERRUPTED))
    if facts.record.verdict is None:
        facts.learn(outcome="failed")
    return facts


def _tell(
    settings: Settings,
    around: Surroundings,
    checkout: repo.Checkout,
    facts: experiment.Facts,
    made: bundle.Bundle,
) -> None:
    from cml import pipeline
    from cml.commands import evidence, experiment, gate, in_force, legacy_files, repeating, save
    from cml.commands.verifying import UNSAVED, Verification

    gate.rules_here(around.start, checkout)
    legacy_files.refuse(checkout, around.start)
    checkout.clear_stale_locks()
    force = in_force.find(settings, around, checkout, around.context)
    settings, facts.fail_on = force.settings, force.settings.fail_on
    facts.learn(baseline=force.baseline, rules=force.rules, policy_changes=force.changes)
    with pipeline.open_project(around.start, secrets=around.secrets) as project, project.locked():
        pipeline.clear_leftovers(project)
        if around.publish and around.context.trusted:
            save.refuse_edits(project, checkout)
            pipeline.require_remote(project)
        verification = Verification(project)
        verification.begin(around.start, checkout, facts.record)
        experiment.reproduce(project, settings, facts)
        changed = save.results(project, checkout).changed
        facts.learn(outcome="changed" if changed else "unchanged")
        experiment.compare(project, settings, facts, _tags(settings, checkout))
        verification.end()
        facts.learn(problems=[*facts.record.problems, *verification.problems])
        found = evidence.gathered(settings, around, checkout, project)
        found.repeater = repeating.repeater(settings, around, checkout, project)
        _judge(found, around, facts)
        experiment.draw(project, facts, made)
        if verification.problems:
            facts.learn(published=Published(note=UNSAVED))
            return
        if not around.publish:
            facts.learn(published=save.shown_only(project, checkout))
            return
        published = save.save(project, checkout, around.context, settings, facts.absent)
        facts.learn(published=published, transfer=experiment.transferred(project))


def _judge(found: Evidence, around: Surroundings, facts: experiment.Facts) -> None:
    from cml.commands import gate

    judged = gate.judge(around.start, found.checkout, facts.record, found)
    facts.learn(
        checks=judged.checks,
        policy_changes=[*facts.record.policy_changes, *judged.policy_changes],
        problems=judged.problems,
        verdict=judged.verdict,
    )


def _tags(settings: Settings, checkout: repo.Checkout) -> list[tuple[str, str]]:
    if not settings.tag_prefix:
        return []
    return checkout.latest_tags(settings.tag_prefix)
