"""Checks with `repeat`: both sides run with several seeds, each run once, and nothing is left."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from repeat_kit import (
    BASE,
    DVC_YAML,
    HARMFUL,
    HARMLESS,
    TRAIN,
    job,
    propose,
    rule,
    rules,
    set_up,
    spare,
)

if TYPE_CHECKING:
    from lab import Lab


@pytest.mark.parametrize(
    ("rate", "alone", "code", "says"),
    [
        (HARMLESS, "is worse", 0, "chance explains that (Welch's test, p = "),
        (HARMFUL, "is better", 1, "that is worse than chance explains (Welch's test, p = 0.042)."),
    ],
)
def test_runs_with_other_seeds_tell_what_a_single_run_gets_wrong(
    lab: Lab, rate: float, alone: str, code: int, says: str
) -> None:
    set_up(lab)

    done = job(lab, "ci", propose(lab, rate))

    assert done.code == code, done.log
    assert "metrics:accuracy: the mean over 3 runs of each side changed by " in done.message
    assert says in done.message
    (metric, _) = lab.record(lab.root / "ci")["metrics"]
    assert (metric["diff"] < 0) == (alone == "is worse")
    assert "Repeat 3 of 3 of the baseline, train.seed = 9\n" in done.log
    assert "Repeat 2 of 3 of this change, train.seed = 8\n" in done.log


def test_where_less_is_better_the_same_runs_say_the_same(lab: Lab) -> None:
    lower = rule().replace("higher", "lower")
    set_up(lab, rules(accuracy=rule(), loss=lower))

    done = job(lab, "ci", propose(lab, 0.45))

    signs = {c["name"]: re.findall(r"changed by (-?)", c["message"]) for c in done.checks}
    assert signs == {"metrics:accuracy": ["-"], "metrics:loss": [""]}
    assert [check["status"] for check in done.checks] == ["fail", "fail"]
    # One run makes both metrics.
    assert done.log.count("Repeat 3 of 3 of the baseline") == 1
    assert sorted(lab.runs) == ["0.45/7", "0.45/8", "0.45/9", "0.55/8", "0.55/9"]


def test_with_a_margin_only_what_is_shown_to_be_no_worse_passes(lab: Lab) -> None:
    close = rule(keys=", margin: 0.03").replace("higher", "lower")
    set_up(lab, rules(accuracy=rule(keys=", margin: 0.3"), loss=close))

    done = job(lab, "ci", propose(lab, HARMFUL))

    assert done.code == 5, done.log
    wide, narrow = done.checks
    assert (wide["status"], narrow["status"]) == ("pass", "inconclusive")
    assert "that is not worse by more than the margin of 0.3" in wide["message"]
    assert "more runs of each side, if the difference stays as it is" in narrow["message"]


def test_what_one_job_ran_the_next_takes_from_the_run_cache_in_the_remote(lab: Lab) -> None:
    set_up(lab)
    objects = len([*lab.storage.glob("files/md5/??/*")])
    first = job(lab, "first", propose(lab, HARMLESS))
    # Model and metrics of five runs.
    assert len([*lab.storage.glob("files/md5/??/*")]) == objects + 10
    assert lab.record(lab.root / "first")["transfer"]["pushed_files"] == 10
    assert sorted(lab.runs) == ["0.5496/7", "0.5496/8", "0.5496/9", "0.55/8", "0.55/9"]
    (lab.root / "runs.log").unlink()

    again = job(lab, "again", lab.git("rev-parse", "HEAD"))
    lab.git("pull", "-q", "origin", "topic")
    other = job(lab, "other", propose(lab, HARMFUL))

    assert (again.code, again.message) == (0, first.message), again.log
    assert (other.code, lab.runs) == (1, ["0.5273/7", "0.5273/8", "0.5273/9"])


def test_a_laptop_keeps_its_runs_to_itself_and_its_work_tree_as_it_was(lab: Lab) -> None:
    set_up(lab)
    propose(lab, HARMLESS)
    lab.dvc("repro", "-q")
    lab.commit("Results")
    lab.write("notes.txt", "mine")

    def seen() -> list[object]:
        # Git itself may write its index anew when it is asked for the status.
        files = {
            path: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in lab.work.rglob("*")
            if path.is_file() and not {".cml", ".dvc", "objects", "index"} & {*path.parts}
        }
        stored = sorted(lab.storage.rglob("*"))
        return [files, stored, lab.git("status", "--porcelain"), lab.git("for-each-ref")]

    before = seen()
    done = lab.cml("--baseline", "origin/main", **spare(lab))

    assert done.returncode == 0, done.stderr
    assert seen() == before
    assert "?? notes.txt" in str(before)
    assert [*(lab.root / "temp").iterdir()] == []
    assert not [*(lab.root / "home/site-cache/repo").glob("*/site")]
    runs = len(lab.runs)
    assert lab.cml("--baseline", "origin/main", **spare(lab)).returncode == 0
    assert len(lab.runs) == runs


def test_what_is_not_committed_is_not_judged_by_runs_of_the_commit(lab: Lab) -> None:
    set_up(lab)
    propose(lab, HARMFUL)
    lab.write("train.py", TRAIN + "# edited\n")

    done = lab.cml("--baseline", "origin/main", **spare(lab))

    assert done.returncode == 5, done.stderr
    (check,) = lab.record()["checks"]
    assert check["message"] == (
        "metrics:accuracy: repeat runs what is committed, and these differ from it: train.py "
        "(commit these edits first)."
    )


FAILS = "if (seed, rate) == ({seed}, {rate}): sys.exit('no luck')\n"


@pytest.mark.parametrize(("rate", "side"), [(HARMLESS, "this change"), (BASE, "the baseline")])
def test_a_run_that_fails_names_side_and_seed_and_stage(lab: Lab, rate: float, side: str) -> None:
    fails = TRAIN.replace("noise =", FAILS.format(seed=8, rate=rate) + "noise =")
    set_up(lab, rules(accuracy=rule(), loss=rule()), **{"train.py": fails})

    done = job(lab, "ci", propose(lab))

    assert done.code == 5, done.log
    assert {check["status"] for check in done.checks} == {"invalid"}
    said = (
        f": repeat 2 of 3 of {side}, train.seed = 8: stage 'train' failed: its command ended with "
        "exit status 1 (the command was: python3 train.py "
    )
    assert all(said in check["message"] for check in done.checks)
    # It is not tried again for the second check.
    assert lab.runs.count(f"{rate}/8") == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("float('nan')", "stage 'evaluate' made metrics.json: accuracy is NaN"),
        ("None", "accuracy is missing"),
        ("'good'", 'accuracy is not a number but "good"'),
        ("10**400", "is too large to calculate with"),
    ],
)
def test_a_run_that_makes_no_number_is_no_pass(lab: Lab, value: str, says: str) -> None:
    broken = TRAIN.replace("json.dumps(", f"json.dumps({value} if seed == 9 else ")
    evaluate = 'import json, pathlib\ns = pathlib.Path("model.json").read_text()\n'
    evaluate += 'pathlib.Path("metrics.json").write_text(f\'{{"accuracy": {s}}}\')\n'
    set_up(lab, **{"train.py": broken, "evaluate.py": evaluate})

    done = job(lab, "ci", propose(lab))

    assert (done.code, done.checks[0]["status"]) == (5, "invalid"), done.log
    assert "repeat 3 of 3 of the baseline, train.seed = 9: " in done.message
    assert says in done.message


def test_the_baseline_chooses_the_seeds(lab: Lab) -> None:
    set_up(lab)

    done = job(lab, "ci", propose(lab, HARMFUL, seed=40))

    assert done.code == 1, done.log
    assert sorted(lab.runs) == ["0.5273/40", "0.5273/7", "0.5273/8", "0.5273/9", "0.55/8", "0.55/9"]


@pytest.mark.parametrize(
    ("seed", "files", "says"),
    [
        ("train.sed", {}, "in the baseline: params.yaml holds no train.sed"),
        ("lost.yaml:seed", {}, "in the baseline: cannot read lost.yaml"),
        ("train", {}, "train is no whole number in the baseline but \"{'rate'"),
        ("train.rate", {}, "train.rate is no whole number in the baseline but '0.55'"),
        ("conf.py:SEED", {"conf.py": "SEED = 1"}, "a parameter in a Python file cannot be set"),
        (
            "other.yaml:seed",
            {"other.yaml": "seed: 1"},
            (
                "in the baseline: no stage up to 'evaluate', which makes metrics.json, depends on "
                "other.yaml:seed, so that all runs would be equal (name seed in `params:` of the "
                "stage that reads it)"
            ),
        ),
    ],
)
def test_a_seed_that_steers_nothing_is_told_before_anything_runs(
    lab: Lab, seed: str, files: dict[str, str], says: str
) -> None:
    set_up(lab, rules(accuracy=rule(seed)), **files)

    done = job(lab, "ci", propose(lab))

    assert (done.code, done.checks[0]["status"]) == (5, "invalid"), done.log
    assert says in done.message
    assert lab.runs == ["0.5496/7"]


def test_a_change_that_hides_the_seed_from_its_stages_is_told(lab: Lab) -> None:
    set_up(lab)
    fixed = DVC_YAML.replace("${train.seed}", "7").replace(", train.seed]", "]")
    lab.write("dvc.yaml", fixed)

    done = job(lab, "ci", propose(lab))

    assert done.code == 5, done.log
    assert "in this change: no stage up to 'evaluate'" in done.message
    assert lab.runs == ["0.5496/7"]


def test_judging_alone_runs_nothing_and_says_so(lab: Lab) -> None:
    set_up(lab)
    propose(lab)

    done = lab.cml("check", "--json", "--baseline", "origin/main")

    assert done.returncode == 5, done.stderr
    (check,) = json.loads(done.stdout)["checks"]
    assert (check["status"], lab.runs) == ("invalid", [])
    assert "repeat takes runs of the pipeline, which the main job makes" in check["message"]


def test_the_plan_tells_how_often_the_pipeline_would_run(lab: Lab) -> None:
    away = rule(keys=", branches: [elsewhere]", count=9)
    set_up(lab, rules(accuracy=rule(count=2), loss=rule(), n=away))
    propose(lab)

    said = lab.cml("plan", "--baseline", "origin/main").stdout

    runs = "3 runs of each side by train.seed, at most (metrics:accuracy, metrics:loss)"
    assert f"\nrepeat: {runs}\n" in said
    assert lab.runs == []


def test_a_job_that_is_told_to_stop_leaves_no_clone_and_no_stage_behind(lab: Lab) -> None:
    waits = "seed == 8 and (open('started', 'w'), __import__('time').sleep(60))\nnoise ="
    set_up(lab, **{"train.py": TRAIN.replace("noise =", waits)})
    propose(lab)
    process = subprocess.Popen(
        [sys.executable, "-m", "cml", "--baseline", "origin/main"],
        cwd=lab.work,
        env=lab.environ(**spare(lab)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder = lab.root / "temp"
    for _ in range(600):
        if process.poll() is not None or [*folder.glob("cml-repeat-*/started")]:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)

    assert process.returncode == 130, log
    assert "repeat 2 of 3 of the baseline" in log
    assert [*folder.iterdir()] == []
