"""DVC remotes of each kind: results go there and come back, with what the environment holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from remote_kit import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab import Lab
    from remote_kit import Remote


NEEDS = {"azure": pytest.mark.node}


@pytest.fixture(
    params=[pytest.param(kind, marks=NEEDS.get(kind, ())) for kind in SERVERS], scope="session"
)
def remote(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as found:
        yield found


def use(lab: Lab, remote: Remote) -> dict[str, str]:
    """Configure a remote, commit a change that trains; return the environment of its jobs."""
    lab.write(".dvc/config", remote.config)
    lab.commit("Move the data")
    lab.change_rate(2.0)
    (lab.root / "tmp").mkdir()
    return {**remote.extra, "TMPDIR": str(lab.root / "tmp"), "RUNNER_TEMP": ""}


def job(lab: Lab, name: str, remote: Remote) -> Path:
    """Make a clone as of a new job, without any data."""
    folder = lab.clone(name)
    if remote.local:
        lab.write(".dvc/config.local", remote.local_config, cwd=folder)
    return folder


def leaks(lab: Lab, remote: Remote, *outputs: str) -> list[str]:
    """Name the places where a secret can be read that its owner did not put there."""
    files = [path for path in lab.root.rglob("*") if path.is_file() and path.name != "config.local"]
    texts = {str(path): path.read_bytes().decode(errors="replace") for path in files}
    texts |= dict(enumerate(outputs))
    return [f"{place}" for place, text in texts.items() for one in remote.secrets if one in text]


def test_results_go_to_the_remote_and_the_next_job_has_them(lab: Lab, remote: Remote) -> None:
    common = use(lab, remote)
    env = {**common, **remote.env}
    if remote.local:
        lab.write(".dvc/config.local", remote.local_config)

    first = lab.cml("--publish", **env)
    assert first.returncode == 0, first.stderr
    assert lab.record()["published"]["pushed"]
    assert lab.record()["transfer"]["pushed_files"] >= 3
    assert remote.asked is None or remote.asked

    folder = job(lab, "second", remote)
    lab.write("notes.md", "all is well\n", cwd=folder)
    lab.commit("Take notes", cwd=folder)
    second = lab.cml("--publish", cwd=folder, **env)
    assert second.returncode == 0, second.stderr
    assert lab.record(folder)["outcome"] == "unchanged"
    assert lab.record(folder)["transfer"]["pulled_files"] == 0

    ran = len(lab.runs)
    lab.write("evaluate.py", (folder / "evaluate.py").read_text() + "# new\n", cwd=folder)
    lab.commit("Evaluate otherwise", cwd=folder)
    third = lab.cml("--publish", cwd=folder, **env)
    assert third.returncode == 0, third.stderr
    assert lab.runs[ran:] == ["evaluate"]
    assert lab.record(folder)["transfer"]["pulled_files"] == 1

    outputs = [text for done in (first, second, third) for text in (done.stdout, done.stderr)]
    assert leaks(lab, remote, *outputs) == []
    assert list((lab.root / "tmp").iterdir()) == []


def test_wrong_credentials_are_said_to_be_wrong_and_not_shown(lab: Lab, remote: Remote) -> None:
    if not remote.wrong:
        pytest.skip("a folder asks for none")
    common = use(lab, remote)
    if remote.local:
        wrong = remote.local_config.replace(remote.local["password"], remote.wrong["password"])
        lab.write(".dvc/config.local", wrong)
        done = lab.cml("--publish", **common)
    else:
        done = lab.cml("--publish", **common, **remote.wrong)
    assert done.returncode in {2, 3}, done.stderr
    assert "Traceback" not in done.stderr
    assert "credentials" in done.stdout or "the key in GOOGLE" in done.stderr
    assert lab.results() == []
    assert leaks(lab, remote, done.stdout, done.stderr) == []
    assert list((lab.root / "tmp").iterdir()) == []
