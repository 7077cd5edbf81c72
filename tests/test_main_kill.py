"""Runs that are killed with -9 at each step, and what the next run makes of what they left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from dvc.lock import Lock
from main_kit import (
    PREFIX,
    accuracy,
    change,
    checked_out,
    ci,
    lost_data,
    published,
    results,
    source_of,
    stored,
)

from cml.pipeline import rwlock

if TYPE_CHECKING:
    from pathlib import Path

    from lab import Lab

# Python imports it before all else. It kills its process when that is about to do the one thing
# that KILL_AT describes; before that it makes its process id known to the stages.
KILLER = """\
import os, re, signal, sys

if "cml" in sys.orig_argv[1:3] and "KILL_AT" in os.environ:
    event, number, pattern = os.environ["KILL_AT"].split(" ", 2)
    me, seen = os.getpid(), 0
    open(os.environ["PID_FILE"], "w").write(str(me))

    def hook(name, args):
        global seen
        if os.getpid() != me:
            return
        if name == "subprocess.Popen":
            what = " ".join(map(str, args[1]))
        elif name == "open" and isinstance(args[0], str) and (args[2] or 0) & 3:
            what = args[0]
        elif name in ("os.rename", "os.remove", "os.mkdir"):
            what = " ".join(map(str, args))
        else:
            return
        if event in (name, "any") and re.search(pattern, what):
            seen += 1
            if seen == int(number):
                os.kill(me, signal.SIGKILL)

    sys.addaudithook(hook)
"""
# Each point lies behind the one before: a run that starts again reaches the next one.
BEFORE_THE_PUSH = {
    "while the outputs go into the cache": r"os.rename 1 /cache/files/md5/",
    "with half-made links in the work tree": r"os.rename 1 /work/\.[\w-]{22}\.tmp .*/work/\w",
    "between the outputs and dvc.lock": r"open 1 /dvc\.lock$",
    "while the run-cache is written": r"open 1 /cache/runs/.*\.tmp$",
    "before the push of data": r"os.mkdir 1 /storage/files/md5/",
    "while a file of data is pushed": r"any 2 /storage/files/md5/../",
    "with half of the data pushed": r"os.rename 2 /storage/files/md5/",
    "while the run-cache is pushed": r"os.rename 1 /storage/runs/",
    "between the commit and the push": r"subprocess.Popen 1 ^git push ",
}
AFTER_THE_PUSH = {
    "just after the push": r"subprocess.Popen 1 ^git update-ref refs/tags/",
    "before the index is taken up": r"subprocess.Popen 1 ^git reset ",
    "before the local branch moves": r"subprocess.Popen 1 ^git update-ref -m .* HEAD ",
}
DURING_THE_STAGE = "never 0 $"


@dataclass
class Killer:
    """Runs cml-run in a laboratory and kills it."""

    lab: Lab
    site: Path

    def environ(self, at: str, **env: str) -> dict[str, str]:
        paths = [str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])]
        pid = str(self.site / "pid")
        return {"PYTHONPATH": os.pathsep.join(paths), "KILL_AT": at, "PID_FILE": pid, **env}

    def run(self, at: str, cwd: Path | None = None, **env: str) -> None:
        done = self.lab.cml(*PUBLISH, cwd=cwd, **self.environ(at, **env))
        assert done.returncode == -signal.SIGKILL, (at, done.returncode, done.stderr)


PUBLISH = ("--publish", "--tag-prefix", PREFIX)


@pytest.fixture
def killer(lab: Lab, tmp_path: Path) -> Killer:
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(KILLER)
    return Killer(lab, site)


def check_nothing_is_lost_or_half(lab: Lab) -> None:
    assert stored(lab)
    for commit in results(lab):
        assert lost_data(lab, commit) == []


def check_end(lab: Lab, source: str, cwd: Path | None = None) -> None:
    """See the state that a run leaves which nobody disturbed."""
    (commit,) = results(lab)
    assert source_of(lab, commit) == source
    assert lab.git("rev-parse", f"{commit}^", cwd=lab.origin) == source
    refs = {"refs/heads/main": commit, f"refs/tags/{PREFIX}{source[:7]}": commit}
    assert lab.remote_refs() == refs
    assert accuracy(lab, commit) == 1.0
    assert lost_data(lab, commit) == []
    runs = [file for file in (lab.storage / "runs").rglob("*") if file.is_file()]
    assert len([file for file in runs if not file.name.endswith(".tmp")]) == 2
    assert lab.git("status", "--porcelain", cwd=cwd) == ""
    assert lab.git("rev-parse", "HEAD", cwd=cwd) == commit
    assert lab.git("rev-parse", "origin/main", cwd=cwd) == commit
    assert lab.git("rev-parse", f"{PREFIX}{source[:7]}", cwd=cwd) == commit
    assert lab.dvc("status", cwd=cwd).endswith("up to date.")
    folder = cwd or lab.work
    assert {path.name for path in folder.glob(".cml*")} == {".cml"}
    again = lab.cml(*PUBLISH, cwd=cwd)
    assert again.returncode == 0
    assert lab.record(cwd)["outcome"] == "skipped"
    assert results(lab) == [commit]


def test_killed_at_each_step_in_one_clone_it_ends_as_if_nothing_had_been(
    lab: Lab, killer: Killer
) -> None:
    source = change(lab)
    for step, at in {**BEFORE_THE_PUSH, **AFTER_THE_PUSH}.items():
        killer.run(at)
        assert len(results(lab)) == (step in AFTER_THE_PUSH), step
        check_nothing_is_lost_or_half(lab)
    last = lab.cml(*PUBLISH)
    assert last.returncode == 0, last.stderr
    assert published(lab)["commit"] == results(lab)[0]
    assert "`accuracy` | 0.5 | 1 | +0.5" in last.stdout
    check_end(lab, source)


def test_killed_at_each_step_the_next_job_in_a_new_clone_ends_as_if_nothing_had_been(
    lab: Lab, killer: Killer
) -> None:
    source = change(lab)
    script = lab.write("../kill.sh", 'kill -9 "$(cat "$PID_FILE")"\nkill -9 0\n')
    steps = {
        DURING_THE_STAGE: 0,
        BEFORE_THE_PUSH["with half of the data pushed"]: 0,
        BEFORE_THE_PUSH["between the commit and the push"]: 0,
        AFTER_THE_PUSH["just after the push"]: 1,
        r"os.rename 1 /\.cml\.partial": 1,
    }
    for number, (at, saved) in enumerate(steps.items()):
        during = {"DURING": str(script)} if at == DURING_THE_STAGE else {}
        killer.run(at, checked_out(lab, f"job{number}", source), **ci(source), **during)
        assert len(results(lab)) == saved, at
        check_nothing_is_lost_or_half(lab)
    last = checked_out(lab, "last", source)
    done = lab.cml(*PUBLISH, cwd=last, **ci(source))
    assert done.returncode == 0, done.stderr
    (commit,) = results(lab)
    assert published(lab, last) == {
        **published(lab, last),
        "commit": commit,
        "tag": f"{PREFIX}{source[:7]}",
        "pushed": True,
        "note": None,
    }
    assert "`accuracy` | 0.5 | 1 | +0.5" in done.stdout
    # Only what had not come into the remote was run again.
    assert lab.runs.count("train") == 3
    fresh = lab.clone("fresh")
    lab.dvc("pull", "-q", cwd=fresh)
    lab.cml(*PUBLISH, cwd=fresh)
    check_end(lab, source, fresh)


def test_what_a_killed_run_leaves_behind_is_cleared_away_stages_and_locks_and_files(
    lab: Lab, killer: Killer
) -> None:
    source = change(lab)
    orphan = lab.root / "orphan"
    script = f'kill -9 "$(cat "$PID_FILE")"\nsleep 1\ntouch {orphan}\nexit 1\n'
    killer.run(DURING_THE_STAGE, DURING=str(lab.write("../kill.sh", script)))
    for lock in ("index", "HEAD", "refs/remotes/origin/main", "packed-refs"):
        lab.write(f".git/{lock}.lock", "")
    for lock, text in (("rwlock", ""), ("lock", "1\n"), ("rwlock.lock", "1\n")):
        lab.write(f".dvc/tmp/{lock}", text)
    lab.write(".AAAAAAAAAAAAAAAAAAAAAA.tmp", "half a model")
    lab.write(".cml.partial/plots/loss.png", "half a picture")
    lab.write(".cml.old/record.json", "{}")
    done = lab.cml(*PUBLISH)
    assert done.returncode == 0, done.stderr
    assert "index.lock" in done.stderr
    time.sleep(1)
    assert not orphan.exists()
    check_end(lab, source)


def test_path_locks_are_forgotten_when_their_holders_are_gone(tmp_path: Path) -> None:
    file = tmp_path / "rwlock"
    mine = {"pid": os.getpid(), "cmd": "dvc repro"}

    def remains(text: str, age: float = 0) -> bool:
        file.write_text(text)
        os.utime(file, (time.time() - age,) * 2)
        rwlock.clear_rwlock(str(tmp_path))
        return file.exists()

    held = json.dumps({"write": {"/model": mine}, "read": {"/data": [mine]}})
    assert remains(held)
    assert remains('{"write": {}, "read": {}}')
    # The number of a process that began after the lock was made is somebody else's.
    assert not remains(held, age=10**6)
    assert not remains(held.replace(str(os.getpid()), str(2**22 + 1)))
    for broken in ("", '{"read": {"/some', "[]", '{"write": {"/x": 1}}', "\udcff"[:0] + "nul\0"):
        assert not remains(broken)


def test_people_are_told_what_a_run_waits_for(lab: Lab) -> None:
    change(lab)
    held = Lock(str(lab.work / ".dvc/tmp/lock"))
    held.lock()
    run = subprocess.Popen(
        [sys.executable, "-m", "cml"],
        cwd=lab.work,
        env=lab.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stderr
        said = run.stderr.readline()
        held.unlock()
        rest = run.stderr.read()
    assert "waiting for" in said
    assert ".dvc/tmp/lock" in said
    assert run.returncode == 0, rest
