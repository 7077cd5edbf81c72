"""Packages of npm that tests compare with: where they are, or why the test skips."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def node_module(name: str) -> Path:
    """Return the folder of an installed package of npm; skip where there is none."""
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    modules = os.environ.get("CML_TEST_NODE_MODULES")
    folder = Path(modules or "node_modules") / name
    if not (folder / "package.json").is_file():
        pytest.skip(f"{name} is not installed: make oracles, and set CML_TEST_NODE_MODULES")
    return folder
