"""Real git repositories for the tests of cml.repo: a bare remote, and clones by file:// URL."""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cml import repo

# No configuration of the machine, and no identity: cml.repo must do without.
ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_TEMPLATE_DIR": "",
}
_SECONDS = itertools.count(1_700_000_000, 60)


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    email: str


ADA = Person(name="Ada", email="ada@example.org")
BOT = Person(name="Bot", email="bot@example.org")


def git(folder: Path, *args: str, stdin: str | None = None, check: bool = True, **env: str) -> str:
    """Run git as a user would, one minute after the time before."""
    date = f"{next(_SECONDS)} +0000"
    people = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "User"), ("EMAIL", "user@example.org"), ("DATE", date))
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**kept, **ISOLATED, **people, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, f"git {args}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def commit(folder: Path, message: str = "change", **files: str) -> str:
    """Commit files, `a__b_txt` being `a/b.txt`; return the sha."""
    for name, text in files.items():
        write(folder, name.replace("__", "/").replace("_", "."), text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def grow(folder: Path, count: int, branch: str = "main") -> None:
    """Add many empty commits to a branch, one minute apart."""
    start = git(folder, "rev-parse", "--verify", "--quiet", branch, check=False)
    lines = []
    for number in range(count):
        lines += [f"commit refs/heads/{branch}", f"committer User <u@e> {next(_SECONDS)} +0000"]
        lines += ["data 1", "x"]
        lines += [f"from {start}"] if start and not number else []
    git(folder, "fast-import", "--quiet", "--force", stdin="\n".join([*lines, ""]))


def opened(folder: Path, **env: str) -> repo.Checkout:
    return repo.find(folder, {**ISOLATED, **env})


@functools.cache
def _template() -> Path:
    """Make the world that all begin with, once."""
    kept = tempfile.TemporaryDirectory(prefix="cml-world-")
    atexit.register(kept.cleanup)
    root = Path(kept.name)
    git(root, "init", "--quiet", "--bare", "-b", "main", "origin.git")
    git(root, "init", "--quiet", "-b", "main", "work")
    git(root / "work", "remote", "add", "origin", "../origin.git")
    commit(root / "work", "first", params_yaml="rate: 1\n", metrics_json="{}\n", notes_txt="n\n")
    git(root / "work", "push", "--quiet", "-u", "origin", "main")
    return root


@dataclass
class World:
    """`origin.git`, and `work`: a clone of it with one pushed commit on main."""

    root: Path
    made: bool = False
    work: Path = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.root / "work"
        if not self.made:
            shutil.copytree(_template(), self.root, dirs_exist_ok=True)
            git(self.work, "remote", "set-url", "origin", f"file://{self.origin}")

    @property
    def origin(self) -> Path:
        return self.root / "origin.git"

    @property
    def checkout(self) -> repo.Checkout:
        return opened(self.work)

    def push(self, *refs: str, folder: Path | None = None) -> None:
        git(folder or self.work, "push", "--quiet", "origin", *(refs or ("HEAD",)))

    def clone(self, name: str, *options: str) -> Path:
        git(self.root, "clone", "--quiet", *options, f"file://{self.origin}", name)
        return self.root / name

    def pulled(self, sha: str, name: str = "ci") -> Path:
        """Check out one commit alone, detached, as CI does; no branch is known there."""
        folder = self.root / name
        git(self.root, "init", "--quiet", "-b", "nothing", name)
        git(folder, "remote", "add", "origin", f"file://{self.origin}")
        git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", sha)
        git(folder, "checkout", "--quiet", "--detach", sha)
        return folder

    def refs(self) -> dict[str, str]:
        """What the remote has."""
        lines = git(self.origin, "for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {name: sha for sha, name in map(str.split, lines)}


def plan(source: str, *paths: str, tag: str | None = "exp-1", branch: str = "main") -> repo.Commit:
    """Plan a commit of results."""
    return repo.Commit(
        source=source,
        branch=branch,
        paths=paths or ("metrics.json",),
        message=f"cml-run: results of {source[:7]} [ci skip]\n\nCml-Source: {source}\n",
        tag=tag,
        author=ADA,
        committer=BOT,
    )


def always(_: set[str]) -> bool:
    return True


def never(_: set[str]) -> bool:
    return False


def run(folder: Path, metrics: str = '{"a": 1}\n') -> repo.Commit:
    """Let a run leave its results in a work tree; return the plan to save them."""
    write(folder, "metrics.json", metrics)
    return plan(git(folder, "rev-parse", "HEAD"))


def newcomer(world: World, name: str = "mate", branch: str = "main", **files: str) -> str:
    """Let somebody else push to the branch."""
    folder = world.root / name
    if not folder.exists():
        world.clone(name, "-b", branch)
    sha = commit(folder, f"by {name}", **(files or {f"{name}_txt": "x"}))
    world.push(f"HEAD:{branch}", folder=folder)
    return sha


def content(world: World, revision: str, path: str = "metrics.json") -> str:
    return git(world.origin, "show", f"{revision}:{path}")


def paths(world: World, revision: str) -> set[str]:
    """The paths that one commit on the remote changes."""
    return {*git(world.origin, "diff", "--name-only", f"{revision}^", revision).splitlines()}


def start(code: str, *args: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def race(racers: list[subprocess.Popen[str]]) -> set[str]:
    """Let all begin once each is ready; return what they print, when all have ended well."""
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    printed = {racer.communicate()[0].strip() for racer in racers}
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    return printed


def known(folder: Path) -> int:
    """Count the commits that a clone has."""
    objects = git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    return objects.split().count("commit")


def fork(world: World, name: str = "topic") -> str:
    """Push a branch with one commit of its own; return the sha."""
    git(world.work, "checkout", "--quiet", "-b", name)
    sha = commit(world.work, f"on {name}", **{f"{name}_txt": "1"})
    world.push()
    return sha
