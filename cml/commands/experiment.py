"""The story of an experiment: update, pull, reproduce, look after the remote, compare."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cml import checks, console, metrics, pipeline
from cml.errors import PipelineError
from cml.record import DataChanges, Experiment, Record, Stage, Transfer, Value, replace
from cml.report import charts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.bundle import Bundle
    from cml.config import Settings, Targets
    from cml.metrics import Reading
    from cml.record import Forge

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Facts:
    """What has become known so far: what a report can show of a run that fails half way.

    `base` is the baseline's sha where DVC can read that revision; `absent` names the outputs that
    the DVC remote lacks, and `fail_on` the verdicts that block.
    """

    record: Record
    stages: list[Stage] = field(default_factory=list)
    base: str | None = None
    absent: list[str] = field(default_factory=list)
    fail_on: tuple[str, ...] = ()

    def learn(self, **facts: Any) -> None:
        """Add facts to the record."""
        self.record = replace(self.record, **facts)


def reproduce(project: pipeline.Project, settings: Settings, facts: Facts) -> None:
    """Bring the pipeline up to date with the least data, and tell `facts` of each step.

    Raises:
        PipelineError: data cannot be pulled or is lost, or a stage failed.
        UsageError: a target is unknown, or dvc.yaml is invalid.
    """
    forge = facts.record.context.forge
    try:
        if settings.update:
            facts.learn(updates=pipeline.update(project, settings.update))
        if settings.dvc_pull.kind in {"all", "named"}:
            pipeline.pull(project, settings.dvc_pull.names or None)
        if settings.repro_targets.kind != "none" or project.again:
            _run_stages(project, settings, facts, forge)
        if pipeline.has_remote(project):
            facts.absent = pipeline.absent_from_remote(project)
        _refuse_loss(project, facts.absent)
    finally:
        facts.learn(stages=facts.stages, transfer=transferred(project))


def _run_stages(project: pipeline.Project, settings: Settings, facts: Facts, forge: Forge) -> None:
    def finished(stage: Stage) -> None:
        facts.stages.append(stage)
        narrate(stage)

    listener = pipeline.Listener(finished=finished, output=console.echo)
    with console.section("Reproduce the pipeline", forge):
        pipeline.reproduce(
            project,
            targets(project, settings),
            jobs=settings.jobs,
            pull=settings.dvc_pull.kind != "none",
            listener=listener,
        )


def narrate(stage: Stage) -> None:
    """Say in the log how a stage went."""
    seconds = "" if stage.seconds is None else f" in {stage.seconds:.1f} s"
    log.info("stage %s: %s%s", stage.name, stage.state, seconds)


def targets(project: pipeline.Project, settings: Settings) -> list[str] | None:
    """Return what to reproduce, None for all; stages that are verified belong to it."""
    chosen = settings.repro_targets
    if chosen.kind in {"named", "none"}:
        return [*chosen.names, *project.again]
    return None


def _refuse_loss(project: pipeline.Project, absent: Sequence[str]) -> None:
    """Raise PipelineError where DVC knows of data that is neither here nor in the remote."""
    if lost := pipeline.lost(project, absent):
        raise PipelineError(
            f"data is neither here nor in the DVC remote: {', '.join(lost)}",
            hint="somebody forgot `dvc push`: run it where the data is, then run this again",
        )


def transferred(project: pipeline.Project) -> Transfer:
    """Return what has moved through the project so far."""
    return Transfer(
        pulled_files=project.pulled.files,
        pulled_bytes=project.pulled.size,
        pushed_files=project.pushed.files,
        pushed_bytes=project.pushed.size,
    )


def compare(
    project: pipeline.Project, settings: Settings, facts: Facts, tags: Sequence[tuple[str, str]]
) -> None:
    """Compare with the baseline and the latest experiments."""
    with project.locked():
        _compare(project, settings, facts, tags)


def _compare(
    project: pipeline.Project, settings: Settings, facts: Facts, tags: Sequence[tuple[str, str]]
) -> None:
    base = facts.record.baseline.sha if facts.record.baseline else None
    shas = [base] if base else []
    wanted = settings.metrics_diff_targets.names or None
    revisions = dict.fromkeys([*shas, *(sha for _, sha in tags), pipeline.WORKSPACE])
    read = _metrics(project, settings.metrics_diff_targets, list(revisions), wanted)
    params = pipeline.read_params(project, [*shas, pipeline.WORKSPACE])
    old, new = read.get(base or "", metrics.Reading()), read[pipeline.WORKSPACE]
    changes = metrics.diff(old, new)
    problems = checks.problems(new.errors, changes, unreadable_before=old.errors)
    facts.base = base = None if pipeline.PIPELINE in old.errors else base
    problems += _stale(project, base, {change.path for change in changes}) if base else []
    facts.learn(
        metrics=changes,
        params=metrics.diff_params(params[base], params[pipeline.WORKSPACE]) if base else [],
        data=pipeline.data_changes(project, base) if base else DataChanges(),
        experiments=[Experiment(tag=tag, sha=sha, metrics=_flat(read[sha])) for tag, sha in tags],
        problems=problems,
    )


def _stale(project: pipeline.Project, base: str, paths: set[str]) -> list[str]:
    """Say which stages on the way to metrics did not run since the change has frozen them."""
    return [
        f"stage {stage} is frozen by this change, so the metrics it leads to may be stale"
        for stage in pipeline.newly_frozen(project, base, paths)
    ]


def _metrics(
    project: pipeline.Project,
    targets: Targets,
    revisions: list[str],
    wanted: Sequence[str] | None,
) -> dict[str, Reading]:
    if targets.kind == "none":
        return {revision: metrics.Reading() for revision in revisions}
    return pipeline.read_metrics(project, revisions, wanted)


def _flat(reading: Reading) -> dict[str, Value]:
    return {name: value for values in reading.values.values() for name, value in values.items()}


def draw(project: pipeline.Project, facts: Facts, bundle: Bundle) -> None:
    """Put pictures of the plots into the bundle."""
    drawn = []
    for name, plot in pipeline.plots(project, facts.base):
        try:
            picture = plot if isinstance(plot, bytes) else charts.png(plot)
        except ValueError as error:
            log.warning("plot %s cannot be drawn: %s", name, error)
            continue
        chart = None if isinstance(plot, bytes) else charts.mermaid_of(plot)
        drawn.append(bundle.picture(name, picture, chart))
    facts.learn(plots=drawn)
