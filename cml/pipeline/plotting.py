"""The plots that differ between two revisions, read through DVC; draws none."""

from __future__ import annotations

import base64
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cml.pipeline import recorded
from cml.pipeline.backends import describe
from cml.pipeline.project import translated
from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cml.pipeline.project import Project

log = logging.getLogger(__name__)

NOW = "now"
_SIDE = {"rev", "src_path"}


def plots(project: Project, baseline: str | None) -> Iterator[tuple[str, dict[str, Any] | bytes]]:
    """Yield the plots that differ from the baseline: the id of each, with its picture.

    A picture is a Vega-Lite specification, or the bytes of an image that a stage has written. A
    plot that cannot be drawn is left out with a warning.
    """
    with project.locked(), translated("cannot read the plots"):
        if baseline is not None and not recorded.holds_project(project, baseline):
            baseline = None
        if baseline is None or not _surely_same(project, baseline):
            yield from _differing(project, baseline)


def _surely_same(project: Project, baseline: str) -> bool:
    """Tell from what is recorded alone, without any data, that no plot differs."""
    before, now = (_recorded_plots(project, revision) for revision in (baseline, WORKSPACE))
    return before is not None and before == now


def _recorded_plots(project: Project, revision: str) -> dict[str, Any] | None:
    """Return what a revision records of its plots; None where that does not tell all of them."""
    with project.repo.switch(revision):
        if project.repo.index._plots:  # noqa: SLF001 (plots of any files; DVC has no other way)
            return None
    plots = {p: out for p, out in recorded.outputs(project, revision).items() if out.plot}
    if revision == WORKSPACE and any(o.exists and o.changed_checksum() for o in plots.values()):
        return None
    return {path: (out.hash_info, out.plot) for path, out in plots.items()}


def _differing(
    project: Project, baseline: str | None
) -> Iterator[tuple[str, dict[str, Any] | bytes]]:
    from dvc.render.match import match_defs_renderers

    door = project.repo.plots
    revisions = [WORKSPACE] if baseline is None else [baseline, WORKSPACE]
    named = {WORKSPACE: NOW, baseline: f"baseline {(baseline or '')[:7]}"}
    shown = door.show(revs=revisions)
    if recorded.pull(project, {rev: _unread(content) for rev, content in shown.items()}):
        shown = door.show(revs=revisions)
    data = {named[revision]: shown[revision] for revision in revisions if revision in shown}
    for found in match_defs_renderers(data, templates_dir=door.templates_dir):
        errors = {**found.definition_errors, **found.source_errors.get(NOW, {})}
        for error in errors.values():
            log.warning("plot %s: %s", found.renderer.name, describe(error))
        yield from _drawn(found.renderer)


def _unread(content: dict[str, Any]) -> set[str]:
    """Return the files that could not be read, of the plots of one revision."""
    sources = content.get("sources", {}).get("data", {})
    return {path for path, file in sources.items() if "error" in file}


def _drawn(renderer: Any) -> Iterator[tuple[str, dict[str, Any] | bytes]]:
    """Yield what a renderer shows, if it differs from the baseline or there is none."""
    sides = defaultdict(list)
    for point in renderer.datapoints:
        sides[point["rev"]].append({k: v for k, v in point.items() if k not in _SIDE})
    now = sides.pop(NOW, [])
    if not now or now in sides.values():
        return
    if renderer.TYPE == "vega":
        yield renderer.name, renderer.get_filled_template()
    else:
        for point in now:
            yield point["filename"], base64.b64decode(point["src"].partition(",")[2])
