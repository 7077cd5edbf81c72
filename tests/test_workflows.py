"""The CI files of the project and of examples/, read by actionlint and run by gitlab-ci-local."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import gitlab_local_kit
import pytest
from node_kit import node_module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from subprocess import CompletedProcess

    from lab import Lab

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
GITHUB = [
    *(ROOT / ".github" / "workflows").glob("*.yml"),
    *sorted(EXAMPLES.rglob(".github/workflows/*.y*ml")),
]
GITLAB = [ROOT / ".gitlab-ci.yml", *sorted(EXAMPLES.rglob(".gitlab-ci.yml"))]
# A machine of one's own, and what actionlint, of 2022, cannot know.
FINE = re.compile(r'label "(cml|gpu)" is unknown|unknown permission scope "attestations"')
ACTIONLINT = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [script, ...files] = process.argv.slice(1);
const { createLinter } = await import(pathToFileURL(script).href);
const lint = await createLinter();
const found = files.flatMap((file) => lint(readFileSync(file, "utf8"), file));
console.log(JSON.stringify(found.map((error) => `${error.file}:${error.line}: ${error.message}`)));
"""

pytestmark = pytest.mark.node


def actionlint(*files: Path) -> list[str]:
    script = node_module("actionlint") / "node.mjs"
    command = ["node", "--input-type=module", "--eval", ACTIONLINT, str(script), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return [error for error in found if not FINE.search(error)]


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    assert len(GITHUB) >= 10
    assert actionlint(*GITHUB) == []


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = (EXAMPLES / "github-basic/.github/workflows/cml.yaml").read_text()
    broken.write_text(text.replace("github.head_ref", "github.haed_ref"))
    assert any("haed_ref" in error for error in actionlint(broken))


def gitlab(lab: Lab, file: Path, *options: str) -> CompletedProcess[str]:
    """Run gitlab-ci-local in the laboratory, with a file of ours as its pipeline."""
    shutil.copy(file, lab.work / ".gitlab-ci.yml")
    return gitlab_local_kit.program(lab, *options)


def jobs(lab: Lab, file: Path, variables: Mapping[str, str]) -> set[str]:
    shutil.copy(file, lab.work / ".gitlab-ci.yml")
    return gitlab_local_kit.names(lab, variables)


MERGE = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_COMMIT_BRANCH": ""}
ASKED = {"CI_PIPELINE_SOURCE": "web"}


@pytest.mark.parametrize(
    ("name", "variables", "wanted"),
    [
        ("gitlab-basic", {}, {"experiment"}),
        ("gitlab-basic", MERGE, {"experiment"}),
        ("gitlab-basic", {"CI_OPEN_MERGE_REQUESTS": "o/r!7"}, set()),
        ("fork-safe", MERGE, {"experiment"}),
        ("fork-safe", {**MERGE, "repo_token": "x"}, {"experiment"}),
        ("fork-safe", {}, set()),
        ("fork-safe", {"repo_token": "x"}, {"save"}),
        ("fork-safe", {"repo_token": "x", "CI_COMMIT_BRANCH": "other"}, set()),
        ("fork-safe", {**ASKED, "MERGE_REQUEST": "7"}, {"post"}),
        ("fork-safe", {**ASKED, "MERGE_REQUEST": "7; curl x"}, set()),
        ("from-dvc-cml/after", {}, {"dvc"}),
    ],
)
def test_the_right_jobs_run(
    lab: Lab, name: str, variables: dict[str, str], wanted: set[str]
) -> None:
    assert jobs(lab, EXAMPLES / name / ".gitlab-ci.yml", variables) == wanted


@pytest.mark.parametrize("file", GITLAB, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_pipeline_is_understood(lab: Lab, file: Path) -> None:
    done = gitlab(lab, file, "--preview")
    assert done.returncode == 0, done.stderr
    assert "script:" in done.stdout


def test_the_projects_own_pipeline_lints_and_tests(lab: Lab) -> None:
    found = jobs(lab, ROOT / ".gitlab-ci.yml", {})
    assert {name.split(":")[0] for name in found} == {"lint", "test"}


class Api(ThreadingHTTPServer):
    """As much of GitLab's API as the recipe for forks asks; remembers what it was asked."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.asked: list[tuple[str, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        answer = self.server.answers.get(self.path)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(answer or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def artifacts(folder: Path) -> bytes:
    with zipfile.ZipFile(folder / "artifacts.zip", "w") as made:
        made.writestr(".cml/record.json", "{}")
        made.writestr("../escaped", "x")
    return (folder / "artifacts.zip").read_bytes()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    merge_request = {"sha": "5" * 40, "source_project_id": 9, "head_pipeline": {"id": 5}}
    listed = [{"id": 3, "name": "lint"}, {"id": 4, "name": "experiment"}]
    answers = {
        "/api/v4/projects/1/merge_requests/7": json.dumps(merge_request).encode(),
        "/api/v4/projects/9/pipelines/5/jobs": json.dumps(listed).encode(),
        "/api/v4/projects/9/jobs/4/artifacts": artifacts(tmp_path),
    }
    with Api(answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_trusted_job_fetches_the_bundle_of_a_fork(lab: Lab, api: Api) -> None:
    lab.write("requirements.txt", "")
    variables = {
        **ASKED,
        "MERGE_REQUEST": "7",
        "CI_PROJECT_ID": "1",
        "CI_API_V4_URL": f"http://127.0.0.1:{api.server_port}/api/v4",
        "repo_token": "glpat-secret",
    }
    done = gitlab(
        lab,
        EXAMPLES / "fork-safe/.gitlab-ci.yml",
        "post",
        "--force-shell-executor",
        *gitlab_local_kit.given(variables),
    )
    assert api.asked == [(path, "Bearer glpat-secret") for path in api.answers]
    assert (lab.work / "bundle" / ".cml" / "record.json").read_text() == "{}"
    assert not (lab.work / "escaped").exists()
    assert 'cml-run post --sha "$sha" bundle/.cml' in done.stdout
    assert "glpat-secret" not in done.stdout + done.stderr
