"""What DVC reads of a revision is read once, and is never older than what we wrote ourselves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from lab import Heard

from cml import pipeline

if TYPE_CHECKING:
    from lab import Lab

CACHED_PLOT = "- loss.csv: {x: step, y: loss, cache: false}", "- loss.csv: {x: step, y: loss}"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that DVC reads dvc.yaml, dvc.lock and .dvc files: the revision they are of."""
    from dvc.repo.index import Index

    read: list[str] = []
    real = Index.from_repo

    def from_repo(repo: Any, *args: Any, **options: Any) -> Any:
        read.append(getattr(repo.fs, "rev", "the work tree"))
        return real(repo, *args, **options)

    monkeypatch.setattr(Index, "from_repo", from_repo)
    return read


def _compare(project: pipeline.Project, base: str) -> dict[str, Any]:
    revisions = [base, pipeline.WORKSPACE]
    return {
        "metrics": pipeline.read_metrics(project, revisions),
        "params": pipeline.read_params(project, revisions),
        "data": pipeline.data_changes(project, base),
        "plots": dict(pipeline.plots(project, base)),
    }


def test_every_revision_is_read_once_where_there_is_nothing_to_do(
    lab: Lab, opened: Any, readings: list[str]
) -> None:
    base = lab.git("rev-parse", "HEAD")
    with opened(lab, lab.clone("fresh")) as project, project.locked():
        Heard(project).reproduce()
        pipeline.absent_from_remote(project)
        _compare(project, base)
        pipeline.files(project, lambda _: None)
    assert sorted(readings) == sorted([base, "the work tree"])


def test_what_a_stage_wrote_is_seen_by_whoever_looks_next(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    with opened(lab, lab.work) as project, project.locked():
        before = _compare(project, base)
        Heard(project).reproduce()
        after = _compare(project, base)
    assert (before["data"].modified, after["data"].modified) == ([], ["model.json"])
    accuracies = [
        seen["metrics"][pipeline.WORKSPACE].values["metrics.json"]["accuracy"]
        for seen in (before, after)
    ]
    assert accuracies == [0.5, 1.0]
    assert (list(before["plots"]), list(after["plots"])) == ([], ["loss.csv"])


def test_a_look_at_a_revision_leaves_the_work_tree_in_sight(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    with opened(lab, lab.work) as project, project.locked():
        read = pipeline.read_params(project, [pipeline.WORKSPACE, base, pipeline.WORKSPACE])
        again = pipeline.read_params(project, [base])
    rates = {rev: reading.values["params.yaml"]["train.rate"] for rev, reading in read.items()}
    assert rates == {base: 1.0, pipeline.WORKSPACE: 2.0}
    assert again[base] == read[base]


def test_a_baseline_from_before_the_projects_folder_is_empty(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    sub = lab.work / "sub"
    sub.mkdir()
    lab.dvc("init", "-q", "--subdir", cwd=sub)
    lab.write("values.json", '{"a": 1}', cwd=sub)
    stage = "cmd: cp values.json m.json\n    deps: [values.json]\n    metrics: [m.json]"
    lab.write("dvc.yaml", f"stages:\n  one:\n    {stage}\n", cwd=sub)
    lab.commit("A project in a folder of its own", cwd=sub)
    with opened(lab, sub) as project, project.locked():
        Heard(project).reproduce(pull=False)
        seen = _compare(project, base)
    assert seen["metrics"][base].values == {}
    assert seen["metrics"][pipeline.WORKSPACE].values == {"m.json": {"a": 1}}
    assert seen["data"].added == ["m.json"]
    assert seen["plots"] == {}


def test_plots_recorded_as_the_same_are_not_pulled_to_see_that(lab: Lab, opened: Any) -> None:
    lab.write("dvc.yaml", (lab.work / "dvc.yaml").read_text().replace(*CACHED_PLOT))
    lab.git("rm", "-q", "--cached", "loss.csv")
    lab.dvc("repro", "-q", "-f", "train")
    lab.dvc("push", "-q")
    base = lab.commit("Let DVC keep the plot")
    fresh = lab.clone("fresh")
    with opened(lab, fresh) as project:
        assert list(pipeline.plots(project, base)) == []
        assert project.pulled.files == 0


def test_a_plot_edited_by_hand_is_seen_to_differ(lab: Lab, opened: Any) -> None:
    base = lab.git("rev-parse", "HEAD")
    lab.write("loss.csv", "step,loss\n0,3\n")
    with opened(lab, lab.work) as project:
        assert [name for name, _ in pipeline.plots(project, base)] == ["loss.csv"]


TAKE = """\
import time
import zc.lockfile

for _ in range(600):
    try:
        zc.lockfile.LockFile(".dvc/tmp/lock").close()
        break
    except zc.lockfile.LockError:
        time.sleep(0.1)
else:
    raise SystemExit("never got the lock")
"""


@pytest.mark.parametrize("jobs", [1, 3])
def test_others_get_the_lock_while_a_command_runs_however_often_we_hold_it(
    lab: Lab, opened: Any, jobs: int
) -> None:
    # At times one of the two holds the lock when the other asks, so ask as patiently as DVC does.
    lab.write("take.py", TAKE)
    take = f"{sys.executable} take.py"
    stages = "".join(f"  s{n}:\n    cmd: {take} && touch o{n}\n    outs: [o{n}]\n" for n in (1, 2))
    lab.write("dvc.yaml", f"stages:\n{stages}")
    with opened(lab, lab.work) as project, project.locked(), project.locked():
        assert Heard(project).reproduce(jobs=jobs) == {"s1": "ran", "s2": "ran"}
