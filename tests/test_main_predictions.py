"""Checks with `predictions`: both sides item by item, wherever their files are kept."""

from __future__ import annotations

import json
import shutil
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from forge_kit import NAME, bodies, job
from main_kit import checked_out

if TYPE_CHECKING:
    from pathlib import Path

    from forge_github import GitHub
    from lab import Lab

# A hundred items in turn are right but for some, the first of which is `first`.
EVALUATE = """\
import json, pathlib, sys
wrong, first, truth = map(int, sys.argv[1:])
rows, right = ["id,label,prediction,loss,who"], 0
for item in range(400):
    bad = (item * 37 - first) % 100 < wrong
    label = (item + truth * (item < 5)) % 2
    rows.append(f"i{item},{label},{(label + bad) % 2},{bad + item % 7 / 100},w{item // 20}")
    right += not bad
pathlib.Path("preds").mkdir(exist_ok=True)
pathlib.Path("preds/test.csv").write_text("\\n".join(rows) + "\\n")
pathlib.Path("m.json").write_text(json.dumps({"acc": right / 400, "loss": 1 - right / 400}))
"""
HARMLESS, HARMFUL = "10 5 0", "30 0 0"
DVC_YAML = """\
stages:
  evaluate:
    cmd: python3 evaluate.py {given}
    deps: [evaluate.py]
    outs:
      - {outs}
    metrics:
      - m.json: {{cache: false}}
"""


def rules(keys: str, name: str = "metrics:acc") -> str:
    return f"checks:\n  {name}: {{predictions: preds/test.csv, {keys}}}\n"


def evaluated(lab: Lab, folder: Path, given: str) -> None:
    lab.run("python3", "evaluate.py", *given.split(), cwd=folder)


@pytest.fixture
def plain(lab: Lab) -> Path:
    """A repository without DVC, whose predictions are committed."""
    folder = lab.root / "plain"
    folder.mkdir()
    lab.git("init", "-q", "-b", "main", cwd=folder)
    lab.write("evaluate.py", EVALUATE, cwd=folder)
    evaluated(lab, folder, "10 0 0")
    lab.commit("Evaluate", cwd=folder, push=False)
    lab.git("checkout", "-q", "-b", "better", cwd=folder)
    return folder


def judged(lab: Lab, folder: Path, keys: str, name: str = "metrics:m.json:acc") -> tuple[int, Any]:
    """Judge what lies in the folder by rules that are the baseline's own."""
    lab.write("cml.yaml", rules(keys, name), cwd=folder)
    lab.git("add", "cml.yaml", cwd=folder)
    lab.git("commit", "-q", "--allow-empty", "-m", "Set the gate", cwd=folder)
    lab.git("branch", "-q", "-f", "main", cwd=folder)
    lab.git("commit", "-q", "--allow-empty", "-m", "Better, I hope", cwd=folder)
    done = lab.cml("check", "--json", "--baseline", "main", cwd=folder)
    (found,) = json.loads(done.stdout)["checks"]
    return done.returncode, found


@pytest.mark.parametrize(
    "case",
    [
        (
            HARMLESS,
            "direction: higher",
            "pass",
            (
                "the fraction right of 400 items in preds/test.csv changed by 0 (-0.0* to 0.0*, "
                "90 % interval): chance explains that (McNemar's exact test, p = 0.5*)."
            ),
        ),
        (
            HARMFUL,
            "direction: lower",
            "fail",
            (
                "the fraction wrong of 400 items in preds/test.csv changed by 0.2 (0.1* to 0.2*, "
                "90 % interval): that is worse than chance explains (McNemar's exact test, p < *)."
            ),
        ),
        (
            HARMLESS,
            "direction: higher, margin: 0.05",
            "pass",
            "changed by 0 (*: that is not worse by more than the margin of 0.05.",
        ),
        (
            HARMLESS,
            "direction: higher, margin: 0.01",
            "inconclusive",
            "the margin of 0.01 cannot be told: it takes about 2,3?? more items, if the diff*",
        ),
        (
            HARMFUL,
            "direction: higher, margin: 0.1",
            "fail",
            (
                "changed by -0.2 (-0.2* to -0.1*: that is worse by more than the margin of 0.1 "
                "(Tango's score test, p < 0.0001)."
            ),
        ),
        (
            HARMFUL,
            "direction: higher, columns: {group: who}",
            "fail",
            "400 items in 20 groups in preds/test.csv changed by -0.2 (*paired t-test over groups*",
        ),
        (HARMFUL, "direction: higher, test: bootstrap", "fail", "(bootstrap, p = 0.0001)."),
        (
            HARMFUL,
            "direction: lower, columns: {score: loss}",
            "fail",
            "the mean of loss over 400 items in preds/test.csv changed by 0.2 (0.1*paired t-test*",
        ),
        (HARMFUL, "direction: higher, columns: {score: loss}", "pass", "changed by 0.2 (0.1*"),
        (
            "10 5 1",
            "direction: higher",
            "invalid",
            "labels of preds/test.csv and of the baseline differ for 5 items: i0, i1, i2, ... (*",
        ),
        (
            HARMLESS,
            "direction: higher, columns: {id: no}",
            "invalid",
            "has no column 'no' (it has*",
        ),
    ],
)
def test_both_sides_are_compared_item_by_item(lab: Lab, plain: Path, case: tuple[str, ...]) -> None:
    given, keys, verdict, says = case
    evaluated(lab, plain, given)

    code, found = judged(lab, plain, keys)

    assert fnmatchcase(found["message"], f"*{says}"), found["message"]
    assert found["status"] == verdict
    assert code == {"pass": 0, "fail": 1}.get(verdict, 5)


def test_items_of_the_baseline_count_and_new_ones_are_told(lab: Lab, plain: Path) -> None:
    evaluated(lab, plain, HARMLESS)
    text = (plain / "preds/test.csv").read_text()
    lab.write("preds/test.csv", text + "new,1,0,1,w1\n", cwd=plain)
    code, found = judged(lab, plain, "direction: higher")
    assert code == 0
    assert "in preds/test.csv (1 new left out) changed by 0 (" in found["message"]

    lab.write("preds/test.csv", text.replace("i7,", "j7,"), cwd=plain)
    code, found = judged(lab, plain, "direction: higher")
    assert (code, found["status"]) == (5, "invalid")
    assert "preds/test.csv has no row for 1 item: i7" in found["message"]


def test_without_predictions_at_the_baseline_the_metric_is_compared(lab: Lab, plain: Path) -> None:
    shutil.rmtree(plain / "preds")
    lab.commit("No predictions yet", cwd=plain, push=False)
    evaluated(lab, plain, HARMFUL)

    code, found = judged(lab, plain, "direction: higher")

    assert (code, found["status"]) == (1, "fail")
    assert "There are no predictions at the baseline to compare with." in found["message"]


@pytest.mark.parametrize("state", ["is taken away", "is a folder", "is empty"])
def test_a_change_without_predictions_is_invalid(lab: Lab, plain: Path, state: str) -> None:
    evaluated(lab, plain, HARMFUL)
    file = plain / "preds/test.csv"
    file.unlink()
    if state == "is a folder":
        file.mkdir()
        (file / "a").touch()
    elif state == "is empty":
        file.touch()

    code, found = judged(lab, plain, "direction: higher")

    assert (code, found["status"]) == (5, "invalid")
    says = {"is taken away": "is not there", "is a folder": "cannot be read", "is empty": "no rows"}
    assert says[state] in found["message"]


FOLDER, IN_GIT = "preds", "preds/test.csv: {cache: false}"


def kept_by_dvc(lab: Lab, outs: str = FOLDER) -> None:
    """Make a project that writes predictions, in a folder that DVC keeps, and leave its branch."""
    lab.git("rm", "-q", "loss.csv", "metrics.json", "params.yaml", "dvc.lock")
    lab.write("evaluate.py", EVALUATE)
    lab.write("dvc.yaml", DVC_YAML.format(given="10 0 0", outs=outs))
    lab.write("cml.yaml", rules("direction: higher"))
    lab.dvc("repro", "-q")
    lab.dvc("push", "-q")
    lab.commit("Evaluate")
    lab.git("checkout", "-q", "-b", "better")


@pytest.mark.parametrize(
    ("outs", "given", "says"),
    [
        (FOLDER, HARMFUL, "that is worse than chance explains (McNemar's exact test, p < 0.0001)."),
        (IN_GIT, HARMFUL, "that is worse than chance explains (McNemar's exact test, p < 0.0001)."),
        # Nothing runs, and nothing of it is needed in the work tree.
        (FOLDER, "10 0 0", "changed by 0 (-0.00"),
    ],
)
def test_a_job_compares_whoever_keeps_the_files(
    lab: Lab, github_forge: GitHub, outs: str, given: str, says: str
) -> None:
    kept_by_dvc(lab, outs)
    lab.write("dvc.yaml", DVC_YAML.format(given=given, outs=outs))
    sha = lab.commit("Better, I hope")
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    cwd = checked_out(lab, "ci", sha)

    done = job(lab, github_forge, "push", sha, cwd=cwd, branch="better")

    worse = given == HARMFUL
    assert done.returncode == worse, done.stderr
    (found,) = lab.record(cwd)["checks"]
    assert found["message"].startswith("metrics:acc: the fraction right of 400 items in preds/test")
    assert says in found["message"]
    assert github_forge.shown(sha)[f"{NAME}/metrics:acc"] == ("failure" if worse else "success")
    assert ("that is worse than chance" in bodies(github_forge, number)[0]) == worse
    assert (cwd / "preds").exists() == worse


def test_predictions_that_dvc_has_lost_are_no_pass(lab: Lab) -> None:
    kept_by_dvc(lab)
    lab.run("python3", "evaluate.py", *HARMFUL.split())
    lab.commit("Better, I hope")
    shutil.rmtree(lab.work / ".dvc/cache")
    shutil.rmtree(lab.storage / "files")

    done = lab.cml("check", "--json", "--baseline", "main")

    assert done.returncode == 5, done.stderr
    (found,) = json.loads(done.stdout)["checks"]
    assert found["status"] == "invalid"
    assert (
        "preds/test.csv, as DVC recorded it, is neither in the cache nor in the" in found["message"]
    )


def test_a_link_leads_to_no_other_file(lab: Lab, plain: Path) -> None:
    file = plain / "preds/test.csv"
    file.rename(lab.root / "secret.csv")
    file.symlink_to(lab.root / "secret.csv")

    code, found = judged(lab, plain, "direction: higher")

    assert (code, found["status"]) == (5, "invalid")
    assert "preds/test.csv is a link" in found["message"]


def test_links_that_dvc_makes_and_a_project_below_the_top_are_no_trouble(lab: Lab) -> None:
    folder = lab.root / "whole"
    project = folder / "models"
    project.mkdir(parents=True)
    lab.git("init", "-q", "-b", "main", cwd=folder)
    lab.dvc("init", "-q", "--subdir", cwd=project)
    lab.dvc("config", "cache.type", "symlink", cwd=project)
    lab.write("evaluate.py", EVALUATE, cwd=project)
    lab.write("cml.yaml", rules("direction: higher"), cwd=project)
    for given in ("10 0 0", HARMFUL):
        lab.write("dvc.yaml", DVC_YAML.format(given=given, outs=FOLDER), cwd=project)
        lab.dvc("repro", "-q", cwd=project)
        lab.commit("Evaluate", cwd=folder, push=False)
    assert (project / "preds/test.csv").is_symlink()

    done = lab.cml("check", "--json", "--baseline", "HEAD~1", cwd=project)

    assert done.returncode == 1, done.stdout
    (found,) = json.loads(done.stdout)["checks"]
    assert "the fraction right of 400 items in preds/test.csv changed by -0.2" in found["message"]
