"""Runs with other seeds wherever the project, its data, its metric and its secrets lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from main_kit import ci
from repeat_kit import DVC_YAML, HARMFUL, HARMLESS, TRAIN, job, propose, rule, rules, set_up, spare

if TYPE_CHECKING:
    from lab import Lab

PREPARED = DVC_YAML.replace(
    "stages:\n",
    "stages:\n  prepare:\n    cmd: python3 prepare.py\n    deps: [data, prepare.py]\n"
    "    outs: [prepared.csv]\n",
).replace("deps: [train.py]", "deps: [train.py, prepared.csv]")
READS = TRAIN.replace("noise =", 'assert pathlib.Path("prepared.csv").exists()\nnoise =')


def stored(lab: Lab) -> list[str]:
    return sorted(str(path) for path in lab.storage.rglob("*"))


def test_a_project_below_the_top_of_a_shallow_clone_is_run_where_it_lies(lab: Lab) -> None:
    place = "[a]/project"
    project = lab.work / place
    project.mkdir(parents=True)
    lab.dvc("init", "-q", "--subdir", cwd=project)
    remote = "[core]\n    remote = s\n['remote \"s\"']\n    url = ../../../../storage\n"
    set_up(lab, into=place, **{".dvc/config": remote, "../beside.txt": "beside\n"})

    sha = propose(lab, HARMFUL, cwd=project)
    cwd = lab.clone("ci", "--depth=1", "--branch=topic") / place

    done = lab.cml("--baseline", "origin/main", cwd=cwd, **spare(lab), **ci(sha, "topic"))

    assert done.returncode == 1, done.stderr
    assert "cml-run: stage train: ran" in done.stderr
    assert sorted(lab.runs) == ["0.5273/7", "0.5273/8", "0.5273/9", "0.55/8", "0.55/9"]


def test_a_metric_that_dvc_keeps_and_seeds_in_another_file_count_alike(lab: Lab) -> None:
    cached = DVC_YAML.replace("- metrics.json: {cache: false}", "- metrics.json")
    cached = cached.replace("${train.seed}", "${seeds[0]}").replace(", train.seed", "")
    cached = f"vars: [conf/seeds.json]\n{cached}"
    lab.git("rm", "-q", "--cached", "metrics.json")
    policy = rules(accuracy=rule('"conf/seeds.json:seeds.0"'))
    set_up(lab, policy, **{"dvc.yaml": cached, "conf/seeds.json": '{"seeds": [7, 70]}'})

    done = job(lab, "ci", propose(lab, HARMFUL), "--jobs", "2")

    assert done.code == 1, done.log
    assert "Repeat 2 of 3 of this change, conf/seeds.json:seeds.0 = 8\n" in done.log
    assert sorted(lab.runs) == ["0.5273/7", "0.5273/8", "0.5273/9", "0.55/8", "0.55/9"]


def test_a_run_gets_no_data_but_what_its_stages_read_and_no_token(lab: Lab) -> None:
    tells = READS.replace("noise =", 'print("token:", os.environ.get("GITHUB_TOKEN"))\nnoise =')
    set_up(lab, **{"dvc.yaml": PREPARED, "train.py": tells})

    done = job(lab, "ci", propose(lab, HARMLESS), GITHUB_TOKEN="ghs_of_the_job")

    assert done.code == 0, done.log
    assert done.log.count("token: None") == 5
    assert lab.record(lab.root / "ci")["transfer"]["pulled_files"] == 1
    assert "prepare: ran" not in done.log


def test_each_run_begins_as_in_a_clean_checkout(lab: Lab) -> None:
    once = TRAIN.replace("noise =", 'pathlib.Path("left").touch(exist_ok=False)\nnoise =')
    set_up(lab, **{"train.py": once, ".gitignore": "/left\n/model.json\n"})

    assert job(lab, "ci", propose(lab, HARMLESS)).code == 0


def test_a_project_without_a_remote_runs_on_its_own_cache(lab: Lab) -> None:
    set_up(lab, **{"dvc.yaml": PREPARED, "train.py": READS})
    lab.write(".dvc/config", "")
    propose(lab, HARMFUL)

    done = lab.cml("--baseline", "origin/main", **spare(lab))

    assert done.returncode == 1, done.stderr
    assert sorted(lab.runs) == ["0.5273/7", "0.5273/8", "0.5273/9", "0.55/8", "0.55/9"]


def test_a_job_that_saves_nothing_keeps_its_runs_from_the_remote(lab: Lab) -> None:
    set_up(lab)
    sha = propose(lab, HARMLESS)
    before = stored(lab)

    assert job(lab, "ci", sha, "--no-publish").code == 0

    assert stored(lab) == before


def test_runs_that_cannot_be_pushed_count_all_the_same(lab: Lab) -> None:
    set_up(lab)
    sha = propose(lab, HARMLESS)
    (lab.storage / "runs").write_text("in the way")

    done = job(lab, "ci", sha)

    assert done.checks[0]["status"] == "pass", done.log
    assert done.log.count("warning: the next job will run this again: cannot push") == 4


def test_a_metric_that_no_stage_makes_cannot_be_made_again(lab: Lab) -> None:
    policy = rules(**{"hand.json:score": rule()})
    by_hand = DVC_YAML + "metrics: [hand.json]\n"
    set_up(lab, policy, **{"dvc.yaml": by_hand, "hand.json": json.dumps({"score": 1})})

    done = job(lab, "ci", propose(lab))

    assert (done.code, done.checks[0]["status"]) == (5, "invalid"), done.log
    assert "in the baseline: no stage makes hand.json, so there is nothing to run" in done.message


def test_data_that_is_not_committed_is_told_like_any_edit(lab: Lab) -> None:
    set_up(lab, **{"dvc.yaml": PREPARED, "train.py": READS})
    propose(lab)
    lab.write("data/4.txt", "4")
    lab.dvc("add", "-q", "data")

    done = lab.cml("--baseline", "origin/main", **spare(lab))

    assert done.returncode == 5, done.stderr
    assert "these differ from it: data.dvc" in lab.record()["checks"][0]["message"]
