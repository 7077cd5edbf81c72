"""Runs that are not alone on their branch: no result is lost, none goes to what did not make it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from main_kit import (
    PREFIX,
    accuracy,
    change,
    checked_out,
    ci,
    lost_data,
    newcomer,
    published,
    results,
    shown,
    source_of,
)

if TYPE_CHECKING:
    from lab import Lab

PUBLISH = ("--publish", "--tag-prefix", PREFIX)
RESULTS = {"dvc.lock", "metrics.json"}


def changed(lab: Lab, old: str, new: str) -> set[str]:
    return {*lab.git("diff", "--name-only", old, new, cwd=lab.origin).split()}


def check_attribution(lab: Lab, commit: str, *, noise: float = 0) -> None:
    """See that a commit's results are what its own code, data and parameters make."""
    source, parent = source_of(lab, commit), lab.git("rev-parse", f"{commit}^", cwd=lab.origin)
    assert changed(lab, parent, commit) <= RESULTS
    assert changed(lab, source, commit) <= RESULTS | {"README.md"}
    lab.git("merge-base", "--is-ancestor", source, commit, cwd=lab.origin)
    rate = float(re.findall(r"[\d.]+", shown(lab, commit, "params.yaml"))[0])
    assert accuracy(lab, commit) == 0.5 * rate + noise
    assert f"train.rate: {rate}" in shown(lab, commit, "dvc.lock")
    assert lost_data(lab, commit) == []


def test_results_go_on_top_of_newcomers_that_do_not_touch_the_pipeline(lab: Lab) -> None:
    source = change(lab)
    during = newcomer(lab, "echo hello > README.md")
    job = checked_out(lab, "job", source)
    done = lab.cml(*PUBLISH, cwd=job, **ci(source), **during)
    assert done.returncode == 0, done.stderr
    assert lab.remote_log()[:3] == [
        f"cml-run: results of {source[:7]} [ci skip]",
        "newcomer",
        "Train at 2.0",
    ]
    (commit,) = results(lab)
    assert source_of(lab, commit) == source
    assert shown(lab, commit, "README.md") == "hello"
    check_attribution(lab, commit)
    saved = published(lab, job)
    assert (saved["commit"], saved["pushed"]) == (commit, True)
    assert lab.remote_refs()[f"refs/tags/{PREFIX}{source[:7]}"] == commit
    assert "newer commits" in saved["note"]
    assert "newer commits" in done.stdout


def test_a_finished_job_that_is_run_again_adopts_what_is_there(lab: Lab) -> None:
    source = change(lab)
    assert lab.cml(*PUBLISH, cwd=checked_out(lab, "job", source), **ci(source)).returncode == 0
    refs, stored = lab.remote_refs(), sorted(lab.storage.rglob("*"))
    lab.git("pull", "-q")
    lab.write("README.md", "hello")
    tip = lab.commit("Explain")
    job = checked_out(lab, "again", source)
    done = lab.cml(*PUBLISH, cwd=job, **ci(source))
    assert done.returncode == 0, done.stderr
    assert lab.remote_refs() == {**refs, "refs/heads/main": tip}
    assert sorted(lab.storage.rglob("*")) == stored
    assert lab.runs == ["train", "evaluate"]
    saved = published(lab, job)
    assert (saved["commit"], saved["tag"]) == (results(lab)[0], f"{PREFIX}{source[:7]}")
    assert saved["pushed"]
    assert "`accuracy` | 0.5 | 1 | +0.5" in done.stdout


def test_results_that_newcomers_overtook_are_kept_beside_the_branch(lab: Lab) -> None:
    source = change(lab)
    during = newcomer(lab, "printf 'train:\\n  rate: 7.0\\n' > params.yaml")
    for number, prefix in enumerate(["", PREFIX]):
        job = checked_out(lab, f"job{number}", source)
        env = {**ci(source), **(during if not number else {})}
        done = lab.cml("--tag-prefix", prefix, cwd=job, **env)
        assert done.returncode == 0, done.stderr
        saved = published(lab, job)
        ref = f"refs/tags/{PREFIX}{source[:7]}" if prefix else f"refs/cml/{source[:7]}"
        assert lab.remote_refs()[ref] == saved["commit"]
        assert saved["ref"] == ref
        assert not saved["pushed"]
        for text in (saved["note"], done.stdout.replace("`", "")):
            assert "newer commits on main change what these results depend on" in text
            assert ref in text
        assert lab.remote_log() == ["newcomer", "Train at 2.0", "A pipeline of three stages"]
        check_attribution(lab, saved["commit"])
    refs = lab.remote_refs()
    again = checked_out(lab, "again", source)
    assert lab.cml(*PUBLISH, cwd=again, **ci(source)).returncode == 0
    assert lab.remote_refs() == refs
    assert lab.runs == ["train", "evaluate"]


def test_a_branch_that_was_deleted_meanwhile_is_not_made_again(lab: Lab) -> None:
    lab.git("checkout", "-q", "-b", "idea")
    source = change(lab)
    script = lab.write("../delete.sh", f"git -C {lab.origin} branch -q -D idea\n")
    done = lab.cml("--publish", DURING=str(script))
    assert done.returncode == 0, done.stderr
    refs = lab.remote_refs()
    assert {*refs} == {"refs/heads/main", f"refs/cml/{source[:7]}"}
    check_attribution(lab, refs[f"refs/cml/{source[:7]}"])
    assert "deleted" in published(lab)["note"]


def test_a_tag_that_exists_already_stays_and_hinders_nothing(lab: Lab) -> None:
    source = change(lab)
    tag = f"{PREFIX}{source[:7]}"
    lab.git("tag", tag, "HEAD~1")
    lab.git("push", "-q", "origin", tag)
    before = lab.remote_refs()[f"refs/tags/{tag}"]
    done = lab.cml(*PUBLISH)
    assert done.returncode == 0, done.stderr
    assert lab.remote_refs()[f"refs/tags/{tag}"] == before
    (commit,) = results(lab)
    saved = published(lab)
    assert (saved["commit"], saved["tag"], saved["pushed"]) == (commit, None, True)
    assert tag in saved["note"]
    assert lab.git("status", "--porcelain") == ""


def test_runs_that_race_on_one_branch_lose_nothing_and_mix_nothing_up(lab: Lab) -> None:
    first = change(lab)
    second = change(lab, 3.0)
    # Each training waits for the others; that of the same commit comes to another result.
    meet = lab.write(
        "../meet.sh",
        f"mkdir -p {lab.root}/here/$$; "
        f'while [ "$(ls {lab.root}/here | wc -l)" -lt 3 ]; do sleep 0.05; done\n',
    )
    jobs = {"a": (first, 0.0), "b": (first, 0.25), "c": (second, 0.0)}
    running = {}
    for name, (source, noise) in jobs.items():
        env = lab.environ(**ci(source), DURING=str(meet), NOISE=str(noise))
        command = [sys.executable, "-m", "cml", *PUBLISH]
        running[name] = subprocess.Popen(
            command, cwd=checked_out(lab, name, source), env=env, stderr=subprocess.PIPE, text=True
        )
    for process in running.values():
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr
    refs = lab.remote_refs()
    commits = set()
    for name, (source, noise) in jobs.items():
        saved = published(lab, lab.root / name)
        assert source_of(lab, saved["commit"]) == source
        check_attribution(lab, saved["commit"], noise=noise)
        assert refs[saved["ref"] or "refs/heads/main"] == saved["commit"]
        assert saved["pushed"] == (name == "c")
        commits.add(saved["commit"])
    assert len(commits) == len(jobs)
    assert lab.remote_log()[1:] == ["Train at 3.0", "Train at 2.0", "A pipeline of three stages"]


def test_what_is_edited_while_the_pipeline_runs_is_not_taken_for_what_made_the_results(
    lab: Lab,
) -> None:
    change(lab)
    before = lab.remote_refs()
    edit = "echo '# more' | tee -a train.py lib/net.py; echo 'train: {rate: 9.0}' > params.yaml\n"
    done = lab.cml(*PUBLISH, DURING=str(lab.write("../edit.sh", edit)))
    assert done.returncode == 2
    for name in ("train.py", "lib/net.py", "params.yaml"):
        assert f"'{name}'" in lab.record()["failure"]["message"]
    assert "`accuracy` | 0.5 | 1 | +0.5" in done.stdout
    assert lab.remote_refs() == before
    # The old code's results do not pass for the new code's once that is committed.
    assert "train.rate: 2.0" in (lab.work / "dvc.lock").read_text()
    assert lab.dvc("status", "train").count("modified:") == 3
    lab.git("commit", "-q", "-m", "New code", "lib", "train.py", "params.yaml")
    lab.git("push", "-q")
    assert lab.cml(*PUBLISH).returncode == 0
    assert lab.runs == ["train", "evaluate"] * 2
    (commit,) = results(lab)
    check_attribution(lab, commit)
    assert lab.git("status", "--porcelain") == ""


def test_a_second_run_in_the_same_work_tree_is_refused_and_the_first_is_not_disturbed(
    lab: Lab,
) -> None:
    change(lab)
    script = lab.write("../second.sh", f"cd {lab.work} && {sys.executable} -m cml; echo ended $?\n")
    done = lab.cml(*PUBLISH, DURING=str(script))
    assert done.returncode == 0, done.stderr
    assert "another cml-run is at work" in done.stderr
    assert "ended 2" in done.stderr
    check_attribution(lab, results(lab)[0])
    assert published(lab)["pushed"]
    assert (lab.work / ".cml/report.md").exists()


def test_results_are_not_committed_when_other_files_were_checked_out_meanwhile(lab: Lab) -> None:
    change(lab)
    commit = "git -c user.name=A -c user.email=a@b commit -qm Explain"
    script = lab.write("../commit.sh", f"echo hi > README.md; git add README.md; {commit}\n")
    done = lab.cml(*PUBLISH, DURING=str(script))
    assert done.returncode == 0, done.stderr
    assert "HEAD moved" in published(lab)["note"]
    assert results(lab) == []
    assert lab.cml(*PUBLISH).returncode == 0
    assert lab.runs == ["train", "evaluate"]
    assert lab.remote_log()[:2] == [
        f"cml-run: results of {lab.git('rev-parse', '--short=7', 'HEAD~1')} [ci skip]",
        "Explain",
    ]
