"""The story of saving: data to the DVC remote first, then commit and tag in one push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml import ci, pipeline, repo
from cml.errors import UsageError
from cml.record import Published

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cml.config import Settings
    from cml.record import Context

SHOW_ONLY = "Nothing was saved or sent: this run only shows. Add `--publish` to save its results."
SHOWN = 5
FORK = "The pull request comes from a fork, so nothing is pushed."
TAG = "This ran on a tag, so its results are not committed."
DETACHED = "HEAD is detached and no branch is known, so the results are not committed."
MOVED = (
    "HEAD moved to other files while the pipeline ran, so the results are not committed. Their "
    "data and run-cache are in the DVC remote."
)
MERGED = (
    "What ran is the merge with the target branch, not the branch itself, so the results are not "
    "committed. Their data and run-cache are in the DVC remote."
)


@dataclass(frozen=True, kw_only=True)
class Results:
    """What the pipeline left in the work tree: `files` it writes, `changed` ones among them."""

    files: list[Path]
    changed: list[Path]


def results(project: pipeline.Project, checkout: repo.Checkout) -> Results:
    """Find the files that the pipeline writes, and which of them differ from the commit."""
    files = pipeline.files(project, _committed(checkout))
    edited = {checkout.root / path for path in (*checkout.dirty(), *checkout.untracked(files))}
    changed = [path for path in files if _within(edited, path)]
    return Results(files=files, changed=changed)


def edits(project: pipeline.Project, checkout: repo.Checkout) -> list[str]:
    """Return the files that make what runs differ from the commit, earlier results apart.

    These are edits of what git tracks, and files that the pipeline reads but git does not hold.
    """
    known = pipeline.files(project, _committed(checkout))
    edited = {path for path in checkout.dirty() if not _is_one_of(known, checkout.root / path)}
    inputs = (path for path in pipeline.inputs(project) if checkout.root in path.parents)
    return sorted({*edited, *checkout.untracked(inputs)})


def refuse_edits(project: pipeline.Project, checkout: repo.Checkout) -> None:
    """See that what runs is what is committed.

    Raises:
        UsageError: it is not.
    """
    if edited := edits(project, checkout):
        raise UsageError(
            "these files differ from the commit that the results would be saved for: "
            + ", ".join(map(repr, edited)),
            hint="commit or undo these edits, or leave out --publish",
        )


def shown_only(project: pipeline.Project, checkout: repo.Checkout) -> Published:
    """Say that nothing was saved, and what the commit does not tell about this run."""
    if edited := edits(project, checkout):
        return Published(note=f"{SHOW_ONLY} It ran with uncommitted edits: {listed(edited)}.")
    return Published(note=SHOW_ONLY)


def listed(names: Sequence[str]) -> str:
    """Name some of many files."""
    return ", ".join(names[:SHOWN]) + (", and more" if len(names) > SHOWN else "")


def save(
    project: pipeline.Project,
    checkout: repo.Checkout,
    context: Context,
    settings: Settings,
    absent: Sequence[str],
) -> Published:
    """Save what the pipeline changed, and say where it went.

    Args:
        project: the project.
        checkout: its work tree.
        context: where the run takes place.
        settings: how to name and sign the results.
        absent: the outputs that the DVC remote lacks.

    Raises:
        PipelineError: the data could not be pushed; git is not touched then.
        PublishError: the git remote refused.
        UsageError: files that the pipeline reads were edited while it ran.
    """
    if not context.trusted:
        return Published(note=FORK)
    pipeline.push(project, absent, pipeline.moved(project, _committed(checkout)))
    found = results(project, checkout)
    if not found.changed:
        return Published()
    if (note := _nowhere(context, checkout)) is not None:
        return Published(note=note)
    _refuse_late_edits(project, checkout)
    return _commit(project, checkout, context, settings, found)


def _refuse_late_edits(project: pipeline.Project, checkout: repo.Checkout) -> None:
    """See that no stage read anything else than the commit that its results would be saved for."""
    holds = pipeline.holds(project)
    if read := [path for path in edits(project, checkout) if not holds([checkout.root / path])]:
        raise UsageError(
            "these files were edited while the pipeline ran, so its results are not committed: "
            + ", ".join(map(repr, read)),
            hint="commit or undo these edits and run again: what ran on other files is kept",
        )


def _nowhere(context: Context, checkout: repo.Checkout) -> str | None:
    """Say why there is no branch that results could be committed to, if so."""
    if context.tag:
        return TAG
    if not context.branch:
        return DETACHED
    if context.sha is None or checkout.tree("HEAD") != checkout.tree(context.sha):
        return MOVED if context.forge == "terminal" else MERGED
    return None


def destination(context: Context, checkout: repo.Checkout, settings: Settings) -> str:
    """Say in one sentence where results would be saved."""
    if not context.trusted:
        return FORK
    if note := _nowhere(context, checkout):
        return note
    short = checkout.short(context.sha or checkout.head)
    tag = f" and tagged {settings.tag_prefix}{short}" if settings.tag_prefix else ""
    return f"What changes is pushed to the DVC remote, committed to {context.branch}{tag}."


def _commit(
    project: pipeline.Project,
    checkout: repo.Checkout,
    context: Context,
    settings: Settings,
    found: Results,
) -> Published:
    source = context.sha or checkout.head
    short = checkout.short(source)
    holds = pipeline.holds(project)
    results = repo.Commit(
        source=source,
        branch=context.branch or "",
        tag=f"{settings.tag_prefix}{short}" if settings.tag_prefix else None,
        paths=[checkout.relative(path) for path in found.changed],
        message=ci.result_message(source, short),
        author=settings.author,
        committer=settings.committer,
    )
    if settings.publish_as == "pull-request":
        return _published(checkout.offer(results), proposed=True)
    saved = checkout.save(results, lambda changed: holds(checkout.root / path for path in changed))
    return _published(saved)


def _published(saved: repo.Saved, *, proposed: bool = False) -> Published:
    return Published(
        commit=saved.commit,
        parent=saved.parent,
        tag=saved.tag,
        ref=None if saved.pushed else saved.ref,
        proposed=saved.branch if proposed else None,
        pushed=saved.pushed,
        note=saved.note,
    )


def _committed(checkout: repo.Checkout) -> Callable[[Path], bytes | None]:
    return lambda path: checkout.show("HEAD", checkout.relative(path))


def _within(edited: set[Path], path: Path) -> bool:
    """Tell whether a result, a file or a folder, is among the edits."""
    return path in edited or any(path in other.parents for other in edited)


def _is_one_of(known: list[Path], path: Path) -> bool:
    return any(path == result or result in path.parents for result in known)
