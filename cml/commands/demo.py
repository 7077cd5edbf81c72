"""The main job on a small pipeline of its own, as a user would call it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cml import config, numerals, pipeline, record
from cml.bundle import RECORD
from cml.errors import UsageError
from cml.forges import terminal
from cml.repo import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

BRANCH = "more-epochs"
OPTIONS = ("--publish", "--tag-prefix", "exp-")
OUTER = ("CI", "CML_", "GITHUB_", "GITLAB_", "GIT_")


def run(keep: Path | None) -> int:
    """Build the demo, run the main job on `main` and on a changed branch, show the report.

    Args:
        keep: a folder to make and to leave; None uses a scratch folder.

    Returns:
        The exit code of the main job.

    Raises:
        UsageError: `keep` is there already.
    """
    with _folder(keep) as folder:
        work = folder / "work"
        _say("A pipeline of three stages, with a git remote and a DVC remote beside it.")
        _build(folder, work)
        _say("Its first results:")
        code = _cml_run(work)
        _say(f"A change on the branch {BRANCH}: train longer. What does it do?")
        _change(work)
        code = code or _cml_run(work)
        _show(work)
        if keep:
            _say(f"Play with it: cd {work}; change params.yaml, commit, and call cml-run.")
    return code


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="cml-run-demo-") as name:
            yield Path(name).resolve()
        return
    if keep.exists():
        raise UsageError(f"{keep} is there already", hint="name a folder that does not exist")
    keep.mkdir(parents=True)
    yield keep.resolve()


def _build(folder: Path, work: Path) -> None:
    with resources.as_file(resources.files("cml") / "demo" / "project") as source:
        shutil.copytree(source, work, ignore=shutil.ignore_patterns("__pycache__"))
    scratch.create(work, folder / "origin.git")
    pipeline.create(work, folder / "storage", ["raw.csv"])
    scratch.commit(work, "Predict with a small model", author="Ada")


def _change(work: Path) -> None:
    params = work / "params.yaml"
    params.write_text(params.read_text().replace("epochs: 5", "epochs: 60"))
    scratch.commit(work, "Train longer", author="Ada", branch=BRANCH)


def _cml_run(work: Path) -> int:
    """Call the command itself, outside of whatever job this runs in."""
    bare = {option.bare for option in config.OPTIONS}
    environ = {k: v for k, v in os.environ.items() if not k.startswith(OUTER) and k not in bare}
    _say(f"$ cml-run {' '.join(OPTIONS)}")
    command = [sys.executable, "-m", "cml", *OPTIONS]
    return subprocess.run(
        command, cwd=work, env=environ, stdout=subprocess.DEVNULL, check=False
    ).returncode


def _show(work: Path) -> None:
    pattern = config.settings({}, {}, None).metrics_format
    found = record.from_json((work / ".cml" / RECORD).read_bytes())
    terminal.show(found, number=functools.partial(numerals.format, pattern=pattern))


def _say(text: str) -> None:
    sys.stderr.write(f"\n{text}\n")
