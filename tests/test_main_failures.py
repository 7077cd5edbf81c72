"""What goes wrong is told, and never passes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab import Lab


def test_a_failing_stage_is_reported_with_the_end_of_its_output(lab: Lab) -> None:
    lab.write("train.py", "print('loading')\nraise ValueError('no such layer')\n")
    lab.commit("Break the training")
    done = lab.cml("--publish")
    assert done.returncode == 3
    record = lab.record()
    assert record["outcome"] == "failed"
    assert record["verdict"] is None
    assert record["failure"]["stage"] == "train"
    assert "no such layer" in record["failure"]["output"]
    report = (lab.work / ".cml/report.md").read_text()
    assert "train" in report
    assert "no such layer" in report
    assert "loading" in done.stderr
    assert "Traceback" not in done.stderr.replace(record["failure"]["output"], "")
    assert lab.results() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ('{"accuracy": NaN, "n": 3}', "is NaN"),
        ('{"accuracy": "good", "n": 3}', "is not a number"),
        ('{"n": 3}', "is missing"),
    ],
)
def test_a_metric_that_cannot_be_trusted_gives_no_verdict(lab: Lab, text: str, said: str) -> None:
    lab.write("evaluate.py", f"open('metrics.json', 'w').write({text!r})\n")
    lab.commit("Write other metrics")
    done = lab.cml()
    assert done.returncode == 5, done.stderr
    record = lab.record()
    assert record["verdict"] == "invalid"
    assert any(said in problem for problem in record["problems"])
    assert said in done.stdout
    json.loads((lab.work / ".cml/record.json").read_text(), parse_constant=pytest.fail)


def test_text_that_was_always_text_is_shown_as_text(lab: Lab) -> None:
    for kind in ("resnet", "vit"):
        lab.write("evaluate.py", f"open('metrics.json', 'w').write('{{\"kind\": \"{kind}\"}}')\n")
        lab.dvc("repro", "-q")
        lab.dvc("push", "-q")
        lab.commit(f"Use {kind}")
    done = lab.cml()
    assert done.returncode == 0
    assert "resnet" in done.stdout
    assert lab.metric("kind")["new"] == "vit"


def test_a_baseline_that_cannot_be_found_is_a_usage_error_and_not_a_pass(lab: Lab) -> None:
    done = lab.cml("--baseline", "no-such-branch")
    assert done.returncode == 2
    assert "no-such-branch" in done.stderr + done.stdout
    assert lab.record()["failure"]["exit_code"] == 2
    assert lab.runs == []


def test_an_empty_dvc_remote_is_an_error_and_no_retrain(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.storage.mkdir()
    done = lab.cml(cwd=fresh)
    assert done.returncode == 3
    assert "dvc push" in (fresh / ".cml/report.md").read_text()
    assert lab.runs == []


def test_a_remote_that_is_gone_is_an_error(lab: Lab) -> None:
    fresh = lab.clone("fresh")
    shutil.rmtree(lab.storage)
    lab.write("evaluate.py", "# changed\n", cwd=fresh)
    lab.commit("Change the evaluation", cwd=fresh)
    assert lab.cml("--publish", cwd=fresh).returncode == 3
    assert lab.runs == []
    assert lab.results() == []


def test_a_baseline_with_an_invalid_dvc_yaml_is_never_a_pass(lab: Lab) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", "stages: [oops")
    lab.commit("Break dvc.yaml")
    lab.write("dvc.yaml", text)
    lab.commit("Mend dvc.yaml")
    assert lab.cml().returncode == 5
    assert lab.record()["verdict"] == "invalid"
    assert "the pipeline cannot be read at the baseline" in lab.record()["problems"][0]


def test_an_old_experiment_that_cannot_be_read_does_no_harm(lab: Lab) -> None:
    text = (lab.work / "dvc.yaml").read_text()
    lab.write("dvc.yaml", "stages: [oops")
    broken = lab.commit("Break dvc.yaml")
    lab.git("tag", f"exp-{broken[:7]}")
    lab.write("dvc.yaml", text)
    lab.commit("Mend dvc.yaml")
    lab.write("README.md", "hello")
    lab.commit("Say hello")
    assert lab.cml("--tag-prefix", "exp-").returncode == 0
    assert [e["metrics"] for e in lab.record()["experiments"]] == [{}]


def test_an_invalid_dvc_yaml_is_an_error_and_never_a_pass(lab: Lab) -> None:
    lab.write("dvc.yaml", "stages: [oops")
    lab.commit("Break dvc.yaml")
    done = lab.cml()
    assert done.returncode == 2
    assert lab.record()["verdict"] is None
    assert "dvc.yaml" in lab.record()["failure"]["message"]


def test_without_a_dvc_remote_nothing_is_trained_in_vain(lab: Lab) -> None:
    lab.write(".dvc/config", "")
    lab.write("params.yaml", "train:\n  rate: 2.0\n")
    lab.commit("Lose the remote")
    done = lab.cml("--publish")
    assert done.returncode == 2
    assert "dvc remote add" in done.stdout
    assert lab.runs == []
    assert lab.cml().returncode == 0


def refuse_pushes(lab: Lab) -> None:
    hook = lab.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n")
    hook.chmod(0o755)


def test_a_git_remote_that_refuses_ends_with_4_and_keeps_the_report(lab: Lab) -> None:
    lab.change_rate(2.0)
    refuse_pushes(lab)
    done = lab.cml("--publish")
    assert done.returncode == 4
    record = lab.record()
    assert (record["verdict"], record["outcome"]) == ("pass", "changed")
    assert "protected" in record["failure"]["message"]
    assert "protected" in done.stdout
    assert done.stdout.startswith("## ✓ Passed; the results could not be saved")
    assert lab.metric("accuracy")["new"] == 1.0
    (lab.origin / "hooks/pre-receive").unlink()
    assert lab.cml("--publish").returncode == 0
    assert len(lab.results()) == 1


def test_a_refused_push_never_hides_a_verdict(lab: Lab) -> None:
    lab.write("evaluate.py", "open('metrics.json', 'w').write('{}')\n")
    lab.commit("Lose the metrics")
    refuse_pushes(lab)
    assert lab.cml("--publish").returncode == 5
    assert lab.record()["failure"]["exit_code"] == 4


def test_a_bug_is_told_as_one(lab: Lab) -> None:
    script = (
        "import sys\nfrom cml import ci\nfrom cml.cli import main\n"
        "del ci.skip_reason\nsys.argv = ['cml-run']\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=lab.work,
        env=lab.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "this is a bug in cml-run" in done.stderr
