"""Fixtures that several files of tests share."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from docker_kit import docker_engine, images
from forge_fixtures import github_forge, gitlab_forge, serving
from hypothesis import settings
from lab import Lab, build_lab

import cml
from cml import pipeline

__all__ = [
    "docker_engine",
    "github_forge",
    "gitlab_forge",
    "images",
    "serving",
]  # fixtures of other files

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from xdist.remote import Producer
    from xdist.scheduler import Scheduling


# The same examples in each run, so that a change fails for what it changed. To search further:
# pytest --hypothesis-profile=default
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")
# Hypothesis tries constants of the modules that are loaded: so load all before the first test.
for found in pkgutil.walk_packages(cml.__path__, "cml."):
    if not found.name.startswith("cml.demo.project"):
        importlib.import_module(found.name)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give all tests of images to one worker, which starts one engine and builds once.

    That is `--dist loadgroup`, whose groups xdist 3.8 does not find with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ImagesTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "images" if nodeid.startswith("tests/test_images") else nodeid

    return ImagesTogether(config, log)


@pytest.fixture(scope="session", autouse=True)
def _hanging_up() -> None:
    """Let SIGHUP reach programs also where the tests themselves run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def _lab_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_lab(tmp_path_factory.mktemp("lab") / "template").root


@pytest.fixture
def lab(_lab_template: Path, tmp_path: Path) -> Lab:
    """A laboratory of its own for each test: results up to date, everything pushed."""
    root = tmp_path / "lab"
    shutil.copytree(_lab_template, root, symlinks=True)
    made = Lab(root)
    made.git("remote", "set-url", "origin", f"file://{made.origin}")
    return made


@pytest.fixture
def opened(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Lab, Path], AbstractContextManager[pipeline.Project]]:
    def opener(lab: Lab, folder: Path) -> AbstractContextManager[pipeline.Project]:
        monkeypatch.chdir(folder)
        for name, value in lab.environ().items():
            monkeypatch.setenv(name, value)
        return pipeline.open_project(folder)

    return opener
