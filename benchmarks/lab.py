"""A laboratory: a git remote, a DVC remote, and clean clones on machines that are used first."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Without the last one modules that are installed from a checkout would be compiled at each start.
STRIPPED = ("CI", "GITHUB_", "GITLAB_", "CML_", "GIT_", "DVC_", "PYTHONDONTWRITEBYTECODE")
DVC_CONFIG = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n"

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A clone, and the environment of a machine that has seen no other."""

    work: Path
    env: Mapping[str, str]


class Lab:
    """A folder with `origin.git`, `storage` (the DVC remote) and `work`; clones lie beside them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.origin = root / "origin.git"
        self.work = root / "work"
        self.env = environment(root / "home")

    def begin(self) -> None:
        """Make the two remotes, and an empty project in `work`."""
        for folder in (self.work, self.root / "home", self.root / "storage"):
            folder.mkdir(parents=True)
        self.run("git", "init", "-q", "--bare", "-b", "main", str(self.origin))
        self.run("git", "init", "-q", "-b", "main")
        self.run("git", "remote", "add", "origin", str(self.origin))
        self.run("dvc", "init", "-q")
        self.write({".dvc/config": DVC_CONFIG})

    def run(self, *args: str, cwd: Path | None = None, stdin: bytes = b"") -> bytes:
        """Run a program that is not measured, and return what it says."""
        done = subprocess.run(
            args, cwd=cwd or self.work, env=self.env, input=stdin, capture_output=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{args}: {done.stdout!r} {done.stderr!r}")
        return done.stdout

    def write(self, files: Mapping[str, str], cwd: Path | None = None) -> None:
        """Write files by name."""
        for name, text in files.items():
            path = (cwd or self.work) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, message: str, cwd: Path | None = None) -> None:
        """Commit everything, and push it."""
        self.run("git", "add", "--all", cwd=cwd)
        self.run("git", "commit", "-q", "-m", message, cwd=cwd)
        self.run("git", "push", "-q", "origin", "HEAD", cwd=cwd)

    def machine(self, *options: str) -> Machine:
        """Clone onto a new machine, with a git remote of its own to push to."""
        place = self.root / f"machine-{os.getpid()}-{next(_numbers)}"
        origin = place / "origin.git"
        shutil.copytree(self.origin, origin, symlinks=True)
        (place / "home").mkdir()
        (place / "storage").symlink_to(self.root / "storage")
        work = place / "work"
        self.run("git", "clone", "-q", *options, f"file://{origin}", str(work), cwd=place)
        return Machine(work=work, env=environment(place / "home"))


def environment(home: Path) -> dict[str, str]:
    """Return an environment without settings of CI, git and DVC, with all caches in `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(STRIPPED)}
    names = ("AUTHOR", "COMMITTER")
    return {
        **kept,
        **{f"GIT_{name}_NAME": "Ada" for name in names},
        **{f"GIT_{name}_EMAIL": "ada@example.org" for name in names},
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def scrap(machine: Machine) -> None:
    """Remove a machine."""
    shutil.rmtree(machine.work.parent)
