"""Each repository of examples/ at work: its CI files as they are, from first push to verdict."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import act_kit
import examples_kit
import gitlab_local_kit
import pytest
from forge_faults import Answer
from forge_gitlab import GitLab
from forge_gitlab_merges import FORK
from forge_http import Request, route
from forge_kit import bodies
from lab import Lab
from main_kit import results, shown, source_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forge_base import Forge
    from forge_github import GitHub

# What the pull request of the examples with a curve changes, and what its comment then says.
CURVE = ("params.yaml", "degree: 1", "degree: 2")
ROSE = "| `r2` | 0.224 | 0.9319 | +0.7079 |"


def on_github(lab: Lab, forge: GitHub, event: str, sha: str, **more: Any) -> None:
    """Run the workflows of an event, which must end well."""
    done = act_kit.run(lab, forge, event, cwd=lab.work, sha=sha, **more)
    assert done.returncode == 0, done.log


def first_push(lab: Lab, forge: GitHub) -> None:
    """Run what the first push sets off, and see that its results are saved."""
    sha = lab.git("rev-parse", "HEAD")
    on_github(lab, forge, "push", sha)
    (commit,) = results(lab)
    assert source_of(lab, commit) == sha
    assert forge.shown(sha)["cml-run"] == "success"


def opened(lab: Lab, forge: GitHub, sha: str, branch: str, base: str = "main") -> str:
    """Open a pull request, run what that sets off; return our comment there."""
    number = forge.add_pull(head=branch, sha=sha, base=base)
    on_github(lab, forge, "pull_request", sha, number=number, payload={"action": "opened"})
    (body,) = bodies(forge, number)
    assert forge.shown(sha)["cml-run"] == "success"
    return body


def on_gitlab(lab: Lab, forge: GitLab, event: str, job: str, *, sha: str, **more: Any) -> None:
    """Run a job, which must end well."""
    done = gitlab_local_kit.job(lab, forge, event, job, cwd=lab.work, sha=sha, **more)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    text = (examples_kit.EXAMPLES / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    (tmp_path / "examples").symlink_to(examples_kit.EXAMPLES)
    Lab(tmp_path).run("bash", "-euc", told, cwd=tmp_path)
    assert json.loads((tmp_path / "try/.cml/record.json").read_text())["verdict"] == "pass"


def test_github_basic(tmp_path: Path, github_forge: GitHub) -> None:
    lab = examples_kit.repository("github-basic", tmp_path)
    first_push(lab, github_forge)
    sha = examples_kit.edit(lab, *CURVE, branch="curve")
    assert ROSE in opened(lab, github_forge, sha, "curve")
    assert (lab.root / "pip.log").read_text().splitlines() == ["install -r requirements.txt"] * 2
    examples_kit.pull_whole(lab, "curve")
    worse = examples_kit.edit(lab, "params.yaml", "degree: 1", "degree: 0", branch="flat")
    number = github_forge.add_pull(head="flat", sha=worse, base="main")
    done = act_kit.run(lab, github_forge, "push", cwd=lab.work, sha=worse, branch="flat")
    assert done.returncode == 1
    assert "## ✗ Failed" in bodies(github_forge, number)[0]
    assert github_forge.shown(worse)["cml-run"] == "failure"


def test_gitlab_basic(tmp_path: Path, gitlab_forge: GitLab) -> None:
    lab = examples_kit.repository("gitlab-basic", tmp_path)
    on_gitlab(lab, gitlab_forge, "push", "experiment", sha=lab.git("rev-parse", "HEAD"))
    assert lab.git("ls-remote", "--tags", "origin", "exp-*")
    sha = examples_kit.edit(lab, *CURVE, branch="curve")
    number = gitlab_forge.add_pull(head="curve", sha=sha)
    on_gitlab(lab, gitlab_forge, "merge_request_event", "experiment", sha=sha, number=number)
    (body,) = bodies(gitlab_forge, number)
    assert ROSE in body
    assert gitlab_forge.shown(sha)["cml-run"] == "success"
    assert "<testsuites" in (lab.work / ".cml/junit.xml").read_text()
    assert 'r2{path="metrics.json"}' in (lab.work / ".cml/metrics.txt").read_text()
    examples_kit.pull_whole(lab, "curve")


def test_mnist(tmp_path: Path, github_forge: GitHub) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    lab = examples_kit.repository("mnist", tmp_path)
    first_push(lab, github_forge)
    sha = examples_kit.edit(lab, "params.yaml", "hidden: 16", "hidden: 48", branch="wider")
    body = opened(lab, github_forge, sha, "wider")
    assert "540 items in predictions.csv" in body
    assert ("![Loss by epoch](" in body, "![Confusion matrix](" in body) == (True, True)
    accuracy = [
        json.loads(shown(lab, branch, "metrics.json"))["accuracy"] for branch in ("main", "wider")
    ]
    assert 0.9 < accuracy[0] < accuracy[1]


def test_gpu_self_hosted(tmp_path: Path, github_forge: GitHub) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    lab = examples_kit.repository("gpu-self-hosted", tmp_path)
    on_this_machine(lab)
    first_push(lab, github_forge)
    sha = examples_kit.edit(lab, "params.yaml", "hidden: 16", "hidden: 48", branch="wider")
    number = github_forge.add_pull(head="wider", sha=sha, base="main")
    on_github(lab, github_forge, "push", sha, branch="wider")
    (body,) = bodies(github_forge, number)
    assert "540 items in predictions.csv" in body


def on_this_machine(lab: Lab) -> None:
    """Take from the GPU's example what a test has not: labels, image, GPU, and maybe PyTorch."""
    file = lab.work / ".github/workflows/cml.yaml"
    text = file.read_text()
    for pattern, new in (
        (r"runs-on: \[cml, gpu\]", "runs-on: ubuntu-latest"),
        (r"    container:\n(      .*\n)+", ""),
        (r"      - run: cml-run doctor --gpu .*\n", ""),
    ):
        text, count = re.subn(pattern, new, text)
        assert count == 1, pattern
    file.write_text(text)
    file.with_name("runner.yml").unlink()
    try:
        import torch  # noqa: F401 - the test is for those who have it too
    except ImportError:
        shutil.copy(examples_kit.EXAMPLES / "mnist/src/train_sklearn.py", lab.work / "src")
        examples_kit.edit(lab, "params.yaml", "library: torch", "library: sklearn")
    else:
        lab.commit("Without a GPU")


def test_fork_safe_on_github(tmp_path: Path, github_forge: GitHub) -> None:
    lab = examples_kit.repository("fork-safe", tmp_path)
    first_push(lab, github_forge)
    refs, stored = lab.remote_refs(), sorted(lab.storage.rglob("*"))
    sha = examples_kit.edit(lab, *CURVE, branch="eve")
    number = github_forge.add_pull(head="eve", sha=sha, base="main", fork="eve/r")
    on_github(lab, github_forge, "pull_request", sha, number=number)
    main = lab.git("rev-parse", "main", cwd=lab.origin)
    about = {"id": 1, "event": "pull_request", "head_sha": sha, "head_branch": "eve"}
    about |= {"head_repository": {"full_name": "eve/r"}, "pull_requests": []}
    for conclusion in ("skipped", "success"):
        assert bodies(github_forge, number) == []
        told = {"workflow_run": {**about, "conclusion": conclusion}}
        on_github(lab, github_forge, "workflow_run", main, payload=told)
    (body,) = bodies(github_forge, number)
    assert ROSE in body
    assert github_forge.shown(sha)["cml-run"] == "success"
    assert sorted(lab.storage.rglob("*")) == stored
    moved = {name for name, at in lab.remote_refs().items() if refs.get(name) != at}
    assert {name for name in moved if not name.startswith("refs/cml/plots")} == {"refs/heads/eve"}


class WithFork(GitLab):
    """A GitLab that knows of a pipeline in a fork, which the document in use has no path for."""

    bundle: Path

    @route("GET", "/projects/{id}/merge_requests/{iid}")
    def one_merge(self, *asked: Any) -> Answer:
        return Answer(200, {**self.pull(int(asked[-1])), "head_pipeline": {"id": 5}})

    def respond(self, request: Request) -> Answer | None:
        match (
            request.path.partition(f"/projects/{FORK}/")[2] if request.token == self.token else ""
        ):
            case "pipelines/5/jobs":
                return Answer(200, [{"id": 3, "name": "lint"}, {"id": 4, "name": "experiment"}])
            case "jobs/4/artifacts":
                return Answer(200, self.bundle.read_bytes())
            case _:
                return super().respond(request)


def test_fork_safe_on_gitlab(tmp_path: Path, serving: Callable[[Forge], Forge]) -> None:
    lab = examples_kit.repository("fork-safe", tmp_path)
    forge = WithFork()
    serving(forge)
    token, first = {"repo_token": forge.token}, lab.git("rev-parse", "HEAD")
    on_gitlab(lab, forge, "push", "save", sha=first, variables=token)
    refs, stored = lab.remote_refs(), sorted(lab.storage.rglob("*"))
    sha = examples_kit.edit(lab, *CURVE, branch="eve")
    number = forge.add_pull(head="eve", sha=sha, fork="eve/r")
    on_gitlab(lab, forge, "merge_request_event", "experiment", sha=sha, number=number)
    assert bodies(forge, number) == []
    forge.bundle = tmp_path / "bundle.zip"
    with zipfile.ZipFile(forge.bundle, "w") as made:
        for file in (lab.work / ".cml").rglob("*"):
            made.write(file, file.relative_to(lab.work))
    lab.git("checkout", "-q", "main")
    asked = {"MERGE_REQUEST": str(number), **token}
    on_gitlab(lab, forge, "web", "post", sha=first, variables=asked)
    (body,) = bodies(forge, number)
    assert ROSE in body
    assert sorted(lab.storage.rglob("*")) == stored
    moved = {name for name, at in lab.remote_refs().items() if refs.get(name) != at}
    assert moved == {"refs/heads/eve"}


def test_monorepo(tmp_path: Path, github_forge: GitHub) -> None:
    lab = examples_kit.repository("monorepo", tmp_path)
    first = lab.git("rev-parse", "HEAD")
    on_github(lab, github_forge, "push", first)
    assert [source_of(lab, commit) for commit in results(lab)] == [first, first]
    sha = examples_kit.edit(lab, "bikes/params.yaml", *CURVE[1:], branch="better")
    number = github_forge.add_pull(head="better", sha=sha, base="main")
    on_github(lab, github_forge, "pull_request", sha, number=number, payload={"action": "opened"})
    told = {
        re.match(r"<!-- cml-run: (\w+) -->", comment["body"])[1]: comment["body"]  # type: ignore[index]
        for comment in github_forge.comments[number]
    }
    assert told.keys() == {"bikes", "energy"}
    assert "| `r2` | 0.1814 | 0.8144 | +0.633 |" in told["bikes"]
    assert "There was nothing to do" in told["energy"]
    states = github_forge.shown(sha)
    assert (states["bikes"], states["energy"]) == ("success", "success")
    assert len(results(lab, "better")) == 3
    tip = lab.git("rev-parse", "better", cwd=lab.origin)
    assert "energy" not in github_forge.shown(tip)
    lab.git("pull", "-q", "--ff-only", "origin", "better")
    on_github(lab, github_forge, "workflow_dispatch", tip, branch="better")
    states = github_forge.shown(tip)
    assert (states["bikes"], states["energy"]) == ("success", "success")
    assert lab.git("rev-parse", "better", cwd=lab.origin) == tip
    for project in ("bikes", "energy"):
        examples_kit.pull_whole(lab, "better", project)


OLD = ("from-dvc-cml/before", "from-dvc-cml/after")
CI_FILES = (".github/workflows/dvc-cml.yml", ".gitlab-ci.yml")


def texts(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: text for name, text in found.items() if not re.search(r"cache|tmp", name)}


def test_migrate_makes_the_repository_of_today_of_that_of_2020(tmp_path: Path) -> None:
    lab = examples_kit.repository(OLD[0], tmp_path, branch="master")
    done = lab.cml("migrate")
    assert done.returncode == 0, done.stderr
    made, wanted = texts(lab.work), texts(examples_kit.EXAMPLES / OLD[1])
    assert made.keys() == wanted.keys()
    replaced = {".dvc/config", *CI_FILES}
    assert {name for name in made if made[name] != wanted[name]} == replaced
    for file in CI_FILES:
        assert re.search(rf"^{re.escape(file)}:\d+ names evaluate.dvc", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("when", OLD)
def test_from_dvc_cml_on_github(tmp_path: Path, github_forge: GitHub, when: str) -> None:
    lab = old_repository(tmp_path, when)
    file = lab.work / CI_FILES[0]
    text, count = re.subn(r" +container: .*\n", "", file.read_text())
    assert count == 1
    file.write_text(text)
    on_github(lab, github_forge, "push", lab.commit("Without the image"), branch="master")
    assert results(lab, "master") == []
    sha = examples_kit.edit(lab, *CURVE, branch="curve")
    body = opened(lab, github_forge, sha, "curve", "master")
    assert re.search(r"\| `r2` \| 0.2688 \| 0.9\d+ \| ", body)
    assert lab.git("ls-remote", "--tags", "origin", f"dvc_{sha[:7]}")


@pytest.mark.parametrize("when", OLD)
def test_from_dvc_cml_on_gitlab(tmp_path: Path, gitlab_forge: GitLab, when: str) -> None:
    lab = old_repository(tmp_path, when)
    sha = examples_kit.edit(lab, *CURVE, branch="curve")
    number = gitlab_forge.add_pull(head="curve", sha=sha, base="master")
    on_gitlab(lab, gitlab_forge, "push", "dvc", sha=sha, branch="curve")
    (body,) = bodies(gitlab_forge, number)
    assert re.search(r"\| `r2` \| 0.2688 \| 0.9\d+ \| ", body)


def old_repository(tmp_path: Path, when: str) -> Lab:
    """Make the repository of 2020 or of today, its data in the bucket; what is old is migrated."""
    lab = examples_kit.repository(when, tmp_path, branch="master")
    shutil.copytree(examples_kit.EXAMPLES / "from-dvc-cml/bucket", lab.storage, dirs_exist_ok=True)
    if when == OLD[0]:
        assert lab.cml("migrate").returncode == 0
        for file in CI_FILES:
            text = (lab.work / file).read_text()
            lab.write(file, text.replace("evaluate.dvc", "evaluate"))
        lab.commit("Migrate")
    return lab
