"""The pipeline is run: stages that changed, with the data they need, side by side if asked."""

from __future__ import annotations

import functools
import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cml.errors import PipelineError
from cml.pipeline import edits, inputs, verifying
from cml.pipeline.command import Runner
from cml.pipeline.project import translated
from cml.record import Stage, StageState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cml.pipeline.project import Project

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Whom to tell: `finished` gets each stage as it ends, `output` the stages' output."""

    finished: Callable[[Stage], None]
    output: Callable[[str], None]


def reproduce(
    project: Project,
    targets: Sequence[str] | None,
    *,
    jobs: int = 1,
    pull: bool = True,
    listener: Listener,
) -> None:
    """Run every stage that changed, in order, pulling only what these stages need.

    Args:
        project: the project.
        targets: stages, dvc.yaml or .dvc files, or outputs; None is the whole pipeline.
        jobs: how many independent stages may run at a time.
        pull: fetch the data that stages need; False works with what is here.
        listener: is told of stages and output, from any thread, one at a time.

    Raises:
        UsageError: a target is unknown, or dvc.yaml is invalid.
        PipelineError: data cannot be pulled, or a stage failed; no further stage is started.
    """
    from cml.pipeline.runcache import RemoteRunCache

    with translated("cannot read the pipeline"), project.locked():
        graph, steps = steps_of(project, targets)
        work = _Work(project, graph, listener, outs=list(project.repo.index.outs), pull=pull)
        project.repo.stage_cache = RemoteRunCache(project.repo)
        try:
            if jobs > 1:
                with project.unlocked():
                    _side_by_side(work, steps, jobs)
            else:
                for stage in steps:
                    work.do(stage)
        finally:
            if work.changed:
                project.repo.refresh()


def steps_of(project: Project, targets: Sequence[str] | None) -> tuple[Any, list[Any]]:
    """Return DVC's graph (edges point at what a stage needs) and its stages in order."""
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    graph = get_active_graph(project.repo.index.graph)
    stages = collect_stages(project.repo, targets) if targets else None
    return graph, plan_repro(graph, stages)


class _Work:
    """What it takes to bring one stage up to date."""

    def __init__(
        self, project: Project, graph: Any, listener: Listener, *, outs: list[Any], pull: bool
    ) -> None:
        self.project = project
        self.graph = graph
        self.listener = listener
        self.outs = outs
        self.pull = pull
        self.runner = Runner(self._echo)
        self.changed = False
        self._quiet = threading.Lock()

    def _echo(self, text: str) -> None:
        with self._quiet:
            self.listener.output(text)

    def needs(self, stage: Any) -> list[Any]:
        """Return the stages whose outputs `stage` reads."""
        return list(self.graph.successors(stage))

    def do(self, stage: Any) -> None:
        """Bring one stage up to date, and tell how that went."""
        name, began = stage.addressing, time.monotonic()
        try:
            with self.project.locked(), translated(f"stage {name!r} failed"):
                state = self._bring_up_to_date(stage)
        except PipelineError as error:
            self._finished(name, "failed", began)
            raise PipelineError(
                error.message, hint=error.hint, stage=name, output=error.output
            ) from error
        if state != "unchanged" or stage.cmd:
            self._finished(name, state, began)

    def _finished(self, name: str, state: StageState, began: float) -> None:
        seconds = None if state == "unchanged" else round(time.monotonic() - began, 3)
        with self._quiet:
            self.listener.finished(Stage(name=name, state=state, seconds=seconds))

    def _bring_up_to_date(self, stage: Any) -> StageState:
        if self.pull:
            inputs.complete_folders(self.project, stage, self.outs)
        again = stage.addressing in self.project.again
        if again and verifying.is_claimed(self.project, stage, self.needs(stage)):
            self.project.claimed.add(stage.addressing)
        changed = _lacks_results(stage) or stage.changed(True, self.needs(stage))  # noqa: FBT003
        if not again and not changed:
            return "unchanged"
        self.changed = True
        log.info("stage %s", stage.addressing)
        if self.pull and stage.cmd and not stage.frozen:
            inputs.pull_missing(self.project, stage, self.outs)
        stage._run_stage = functools.partial(self._run, stage)  # noqa: SLF001 (DVC has no hook)
        with self.project.repo.scm_context(quiet=True):
            stage.run(pull=self.pull, force=again)
            stage.dump(update_pipeline=False)
        return "cached" if stage.addressing in self.project.repo.stage_cache.restored else "ran"

    def _run(self, stage: Any, dry: bool, force: bool, **_: Any) -> None:  # noqa: ARG002, FBT001
        """Stand in for DVC's own way to run a command, inside its locks (DVC's signature)."""
        if force or not self._restored(stage):
            edits.hold(stage)
            with self.project.unlocked():
                self._commands(stage)

    def _restored(self, stage: Any) -> bool:
        """Take a stage's outputs from the run-cache; tell whether they were there."""
        from dvc.stage.cache import RunCacheNotFoundError

        try:
            stage.repo.stage_cache.restore(stage, pull=self.pull)
        except RunCacheNotFoundError:
            return False
        return True

    def _commands(self, stage: Any) -> None:
        from dvc.stage import run

        prepared = run.prepare_kwargs(stage)
        env = {k: v for k, v in prepared["env"].items() if k not in self.project.secrets}
        for line in run._enforce_cmd_list(stage.cmd):  # noqa: SLF001 (DVC's rule for lists)
            self._echo(f"> {line}\n")
            argv = run._make_cmd(run.get_executable(), line)  # noqa: SLF001 (DVC's shell)
            status, tail = self.runner.run(argv, cwd=prepared["cwd"], env=env)
            if status:
                raise PipelineError(
                    f"stage {stage.addressing!r} failed: its command ended with {_ending(status)}",
                    hint=f"the command was: {line}",
                    output=tail,
                )


def _lacks_results(stage: Any) -> bool:
    """Tell whether a file was never recorded: DVC takes it for data that may be missing."""
    files = stage.outs or stage.deps
    return bool(stage.cmd) and not stage.frozen and not all(file.hash_info for file in files)


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _side_by_side(work: _Work, steps: list[Any], jobs: int) -> None:
    """Run stages as soon as what they need is done, at most `jobs` at a time."""
    waiting = list(steps)
    running: dict[Future[None], Any] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                unfinished = {*waiting, *running.values()}
                ready = [step for step in waiting if unfinished.isdisjoint(work.needs(step))]
                for stage in ready[: jobs - len(running)]:
                    waiting.remove(stage)
                    running[pool.submit(work.do, stage)] = stage
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[future]
                    future.result()
        except PipelineError:
            raise
        except BaseException:
            work.runner.stop()
            raise
