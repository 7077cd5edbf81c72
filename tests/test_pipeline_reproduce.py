"""Which stages run, with which data, against real DVC."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from lab import Heard

from cml import pipeline
from cml.errors import PipelineError, UsageError
from cml.pipeline.command import Runner

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab


def test_nothing_to_do_pulls_nothing(lab: Lab, opened: Any) -> None:
    with opened(lab, lab.clone("fresh")) as project:
        run = Heard(project)
        assert set(run.reproduce().values()) == {"unchanged"}
        assert (project.pulled.files, project.pulled.size) == (0, 0)
    assert lab.runs == []


def test_only_the_inputs_of_a_changed_stage_are_pulled(lab: Lab, opened: Any) -> None:
    fresh = lab.clone("fresh")
    lab.write("evaluate.py", (fresh / "evaluate.py").read_text() + "# changed\n", cwd=fresh)
    with opened(lab, fresh) as project:
        assert Heard(project).reproduce() == {
            "prepare": "unchanged",
            "train": "unchanged",
            "evaluate": "ran",
        }
        size = len(json.dumps({"mean": 0.5}))
        assert (project.pulled.files, project.pulled.size) == (1, size)
    assert lab.runs == ["evaluate"]
    assert not (fresh / "data").exists()


def test_a_dependency_missing_everywhere_stops_the_run_before_anything_is_removed(
    lab: Lab, opened: Any
) -> None:
    fresh = lab.clone("fresh")
    lab.write("evaluate.py", "# changed\n", cwd=fresh)
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    with opened(lab, fresh) as project, pytest.raises(PipelineError, match="cannot pull") as caught:
        Heard(project).reproduce()
    assert caught.value.stage == "evaluate"
    assert caught.value.hint
    assert "dvc push" in caught.value.hint
    assert (fresh / "metrics.json").exists()
    assert lab.runs == []


def test_a_failing_stage_names_itself_and_keeps_the_end_of_its_output(
    lab: Lab, opened: Any
) -> None:
    lab.write("train.py", "print('before the end')\nraise SystemExit('no memory left')\n")
    with opened(lab, lab.work) as project:
        run = Heard(project)
        with pytest.raises(PipelineError) as caught:
            run.reproduce()
    error = caught.value
    assert error.stage == "train"
    assert "exit status 1" in error.message
    assert error.output.splitlines() == ["before the end", "no memory left"]
    assert [(s.name, s.state) for s in run.stages] == [
        ("prepare", "unchanged"),
        ("train", "failed"),
    ]


def test_a_stage_that_does_not_write_its_output_fails(lab: Lab, opened: Any) -> None:
    lab.write("evaluate.py", "print('forgot the metrics')\n")
    with opened(lab, lab.work) as project, pytest.raises(PipelineError, match=r"metrics\.json"):
        Heard(project).reproduce()


def test_output_streams_while_a_stage_runs(lab: Lab, opened: Any) -> None:
    lab.write(
        "evaluate.py",
        "import time\nprint('early')\ntime.sleep(3)\n"
        "open('metrics.json', 'w').write('{}')\nprint('late')\n",
    )
    seen: dict[str, float] = {}
    listener = pipeline.Listener(
        finished=lambda _: None, output=lambda text: seen.setdefault(text.strip(), time.monotonic())
    )
    with opened(lab, lab.work) as project:
        pipeline.reproduce(project, None, listener=listener)
    assert seen["late"] - seen["early"] > 2


def test_stages_do_not_see_secrets(lab: Lab, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.write(
        "evaluate.py",
        "import json, os\nopen('metrics.json', 'w').write('{}')\nprint(sorted(os.environ))\n",
    )
    with opened(lab, lab.work) as project:
        monkeypatch.setenv("SOME_TOKEN", "hush")
        project.secrets = frozenset({"SOME_TOKEN"})
        run = Heard(project)
        run.reproduce()
    names = "".join(run.output)
    assert "SOME_TOKEN" not in names
    assert "RUNS_LOG" in names


def test_an_unknown_target_is_a_usage_error(lab: Lab, opened: Any) -> None:
    with opened(lab, lab.work) as project, pytest.raises(UsageError, match="no_such_stage"):
        Heard(project).reproduce("no_such_stage")


def test_targets_limit_what_runs(lab: Lab, opened: Any) -> None:
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    with opened(lab, lab.work) as project:
        assert Heard(project).reproduce("train") == {"prepare": "unchanged", "train": "ran"}


def test_an_invalid_dvc_yaml_is_a_usage_error(lab: Lab, opened: Any) -> None:
    lab.write("dvc.yaml", "stages:\n  train: [not, a, stage]\n")
    with opened(lab, lab.work) as project, pytest.raises(UsageError, match=r"dvc\.yaml"):
        Heard(project).reproduce()


def test_a_folder_shared_by_git_and_dvc_is_completed_before_it_is_judged(
    lab: Lab, opened: Any
) -> None:
    lab.write("inputs/readme.txt", "kept in git")
    lab.write("inputs/big.txt", "kept in DVC")
    lab.dvc("add", "-q", "inputs/big.txt")
    lab.write(
        "dvc.yaml",
        "stages:\n  count:\n    cmd: cat inputs/*.txt > total\n"
        "    deps: [inputs]\n    outs: [total]\n",
    )
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("A folder of both")
    with opened(lab, lab.clone("fresh")) as project:
        assert Heard(project).reproduce() == {"count": "unchanged"}


def test_a_persistent_output_is_pulled_before_its_stage_goes_on_from_it(
    lab: Lab, opened: Any
) -> None:
    lab.write(
        "dvc.yaml",
        "stages:\n  grow:\n    cmd: echo more >> log.txt\n    deps: [prepare.py]\n"
        "    outs:\n      - log.txt: {persist: true}\n",
    )
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("A log that grows")
    fresh = lab.clone("fresh")
    lab.write("prepare.py", "# changed\n", cwd=fresh)
    with opened(lab, fresh) as project:
        Heard(project).reproduce()
    assert (fresh / "log.txt").read_text() == "more\nmore\n"


def test_a_rwlock_left_broken_by_a_killed_dvc_is_cleared(lab: Lab, opened: Any) -> None:
    (lab.work / ".dvc/tmp").mkdir(exist_ok=True)
    lab.write(".dvc/tmp/rwlock", '{"read": {"/some')
    with opened(lab, lab.work) as project:
        assert set(Heard(project).reproduce().values()) == {"unchanged"}


def test_an_interrupted_stage_leaves_no_child_behind(tmp_path: Path) -> None:
    pids: list[int] = []
    runner = Runner(lambda text: pids.append(int(text)))
    script = "sleep 60 & echo $!; wait"
    failures: list[BaseException] = []

    def work() -> None:
        runner.run(["sh", "-c", script], cwd=str(tmp_path), env=os.environ)

    thread = threading.Thread(target=work)
    thread.start()
    while not pids:
        time.sleep(0.01)
    runner.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert not failures
    for _ in range(100):
        done = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pids[0])], capture_output=True, text=True, check=False
        )
        if not done.stdout.strip() or done.stdout.startswith("Z"):
            return
        time.sleep(0.05)
    os.kill(pids[0], signal.SIGKILL)
    pytest.fail("the grandchild went on")


def test_a_stage_that_depends_on_nothing_runs_once(lab: Lab, opened: Any) -> None:
    lab.write("dvc.yaml", "stages:\n  seed:\n    cmd: echo 1 > seed\n    outs: [seed]\n")
    for state in ("ran", "unchanged"):
        with opened(lab, lab.work) as project:
            planned = [stage.state for stage in pipeline.plan(project, None).stages]
            assert planned == ["run" if state == "ran" else "unchanged"]
            assert Heard(project).reproduce() == {"seed": state}


def test_a_stage_without_outputs_that_never_ran_does_not_pass_for_unchanged(
    lab: Lab, opened: Any
) -> None:
    source = lab.write("../raw.txt", "raw")
    lab.dvc("import-url", "-q", "--no-download", str(source), "raw.txt")
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", text + "  look:\n    cmd: cat raw.txt\n    deps: [raw.txt]\n")
    with opened(lab, lab.work) as project, pytest.raises(PipelineError, match=r"raw\.txt"):
        Heard(project).reproduce("look")


def test_an_output_that_was_declared_later_is_made(lab: Lab, opened: Any) -> None:
    text = (lab.work / "dvc.yaml").read_text().replace("python3 prepare.py", "sh both.sh")
    lab.write("dvc.yaml", text)
    lab.write("both.sh", "python3 prepare.py; echo 1 > extra.txt\n")
    lab.dvc("repro", "-q")
    (lab.work / "extra.txt").unlink()
    lab.write(
        "dvc.yaml", text.replace("[prepared.csv]\n  train", "[prepared.csv, extra.txt]\n  train")
    )
    with opened(lab, lab.work) as project:
        assert pipeline.plan(project, ["prepare"]).stages[0].state == "run"
        assert Heard(project).reproduce("prepare") == {"prepare": "ran"}
    assert (lab.work / "extra.txt").exists()
