"""Repositories in the formats of DVC 0.94 and 1.0, written by hand, and DVC 3 to look at them."""

from __future__ import annotations

import atexit
import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import lab
from ruamel.yaml import YAML

from cml import legacy

NOT_IN_0_X = {"locked", "metric", "persist", "tags"}
NOT_IN_1_X = {"locked", "frozen", "metric", "persist"}


def md5(content: bytes) -> str:
    """The md5 of DVC before 3.0: text files count as if their lines ended in a line feed."""
    text = b"\0" not in content
    return hashlib.md5(content.replace(b"\r\n", b"\n") if text else content).hexdigest()


def own_md5(stage: dict[str, Any], ignored: set[str]) -> str:
    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [without(item) for item in value]
        if isinstance(value, dict):
            return {k: without(v) for k, v in value.items() if k not in ignored}
        return value

    stage = {k: v for k, v in stage.items() if k != "meta" and (k, v) != ("wdir", ".")}
    return hashlib.md5(json.dumps(without(stage), sort_keys=True).encode()).hexdigest()


@dataclass
class OldRepository:
    """A git repository whose `.dvc` files are those of DVC 0.94, their data in its cache."""

    root: Path

    def initialise(self) -> OldRepository:
        self.root.mkdir(parents=True)
        self.run("git", "init", "-q", "-b", "main")
        self.write(
            ".dvc/config",
            "[core]\n    analytics = false\n    remote = storage\n"
            "['remote \"storage\"']\n    url = ../../storage\n",
        )
        self.write(".dvc/.gitignore", "/cache\n/tmp\n/config.local\n")
        return self

    @property
    def log(self) -> list[str]:
        """What the stages' commands said that they ran."""
        file = self.root.parent / "runs.log"
        return file.read_text().split() if file.exists() else []

    def environment(self) -> dict[str, str]:
        home = self.root.parent / "home"
        home.mkdir(exist_ok=True)
        log = str(self.root.parent / "runs.log")
        return lab.environment(home, RUNS_LOG=log) | lab.AUTHOR

    def run(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, path: str, content: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def read(self, path: str) -> Any:
        return YAML(typ="safe").load((self.root / path).read_text())

    def hash(self, file: Path, *, cache: bool = True) -> str:
        """Hash a file or folder as DVC 0.94 did, and put it in the cache where DVC 0.94 did."""
        if file.is_dir():
            files = sorted(path for path in file.rglob("*") if path.is_file())
            listing = [
                {"md5": self.hash(path, cache=cache), "relpath": path.relative_to(file).as_posix()}
                for path in files
            ]
            listing.sort(key=lambda entry: entry["relpath"])
            content = json.dumps(listing, sort_keys=True).encode()
            return self.keep(content, md5(content) + ".dir", cache=cache)
        return self.keep(file.read_bytes(), md5(file.read_bytes()), cache=cache)

    def keep(self, content: bytes, name: str, *, cache: bool) -> str:
        if cache:
            for store in (self.root / ".dvc/cache", self.root.parent / "storage"):
                file = store / name[:2] / name[2:]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return name

    def ignore(self, file: Path) -> None:
        ignores = file.parent / ".gitignore"
        known = ignores.read_text() if ignores.exists() else ""
        ignores.write_text(f"{known}/{file.name}\n")

    def save(self, file: str, stage: dict[str, Any], ignored: set[str] | None = None) -> None:
        """Write a stage file with its own md5."""
        own = own_md5(stage, NOT_IN_0_X if ignored is None else ignored)
        stream = io.StringIO()
        YAML().dump({"md5": own, **stage}, stream)
        self.write(file, stream.getvalue())

    def out(self, workdir: Path, path: str, **options: Any) -> dict[str, Any]:
        said = {"cache": True, "metric": False, "persist": False, **options}
        if said["cache"]:
            self.ignore(workdir / path)
        found = self.hash(workdir / path, cache=said["cache"])
        return {"md5": found, "path": path, **said}

    def data(self, path: str, file: str | None = None, **options: Any) -> None:
        """`dvc add`, and `dvc metrics add` where `metric` is given."""
        place = self.root / path
        stage = {"wdir": ".", "outs": [self.out(place.parent, place.name, **options)]}
        self.save(file or f"{path}.dvc", stage)

    def stage(
        self,
        file: str,
        cmd: str,
        deps: list[Any],
        outs: list[Any],
        *,
        wdir: str = ".",
        **more: Any,
    ) -> None:
        """`dvc run`: a dependency is a path or its record, an output a path or (path, options)."""
        workdir = (self.root / file).parent / wdir
        self.run("bash", "-c", cmd, cwd=workdir)
        recorded = [
            dep if isinstance(dep, dict) else {"md5": self.hash(workdir / dep), "path": dep}
            for dep in deps
        ]
        pairs = [(out, {}) if isinstance(out, str) else out for out in outs]
        made = [self.out(workdir, path, **options) for path, options in pairs]
        parts = {"cmd": cmd, "wdir": wdir, "deps": recorded, "outs": made, **more}
        self.save(file, {key: value for key, value in parts.items() if value})

    def commit(self, message: str = "As it was") -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "-q", "-m", message)
        (self.root.parent / "runs.log").unlink(missing_ok=True)

    def tracked(self) -> list[str]:
        return self.run("git", "ls-files", "-z", "-co", "--exclude-standard").split("\0")[:-1]

    def find(self) -> list[str]:
        return [path.as_posix() for path in legacy.find(self.root, self.tracked())]

    def convert(self) -> list[legacy.Change]:
        return legacy.convert(self.root, legacy.find(self.root, self.tracked()))

    def migrate(self) -> list[legacy.Change]:
        """Convert everything; there must be something, and nothing left to do after it."""
        changes = self.convert()
        assert changes
        legacy.write(self.root, changes)
        assert self.find() == []
        return changes

    def notes(self, changes: list[legacy.Change]) -> list[str]:
        return [note for change in changes for note in change.notes]

    def look(self, *how: str, cwd: Path | None = None) -> dict[str, Any]:
        """Ask DVC 3 for its status, then have it reproduce; `pull` first, `missing` data allowed.

        It runs in this process, which spares half a second each time, and as if in one of its own.
        """
        from dvc.repo import Repo

        here = Path.cwd()
        os.chdir(cwd or self.root)
        try:
            with mock.patch.dict(os.environ, self.environment(), clear=True), Repo() as repo:
                if "pull" in how:
                    repo.pull()
                status = repo.status()
                ran = repo.reproduce(allow_missing="missing" in how, all_pipelines=True)
                return {"status": status, "ran": [stage.addressing for stage in ran]}
        finally:
            os.chdir(here)

    def clone(self) -> Path:
        """A clean clone of what is committed, with no data at all."""
        self.run("git", "clone", "-q", str(self.root), "clone", cwd=self.root.parent)
        return self.root.parent / "clone"

    def copy(self, folder: Path) -> OldRepository:
        """A repository of its own in a folder, with the DVC remote beside it."""
        for name in (self.root.name, "storage"):
            shutil.copytree(self.root.parent / name, folder / name, symlinks=True)
        return OldRepository(folder / self.root.name)

    def tree(self) -> dict[str, str]:
        """Every file outside .git and .dvc/cache, with its text."""
        files = [Path(folder) / name for folder, _, names in os.walk(self.root) for name in names]
        kept = [f for f in files if ".git" not in f.parts and "cache" not in f.parts]
        return {f.relative_to(self.root).as_posix(): f.read_text(errors="replace") for f in kept}


def small(folder: Path) -> OldRepository:
    """Return a repository of its own: one data file, and one stage that copies it."""
    return _template("small").copy(folder)


def pipeline(folder: Path) -> OldRepository:
    """Return a repository of its own with all that a pipeline of early 2020 had."""
    return _template("pipeline").copy(folder)


@functools.cache
def _template(name: str) -> OldRepository:
    folder = tempfile.mkdtemp(prefix="old-dvc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    old = OldRepository(Path(folder) / "work").initialise()
    {"small": _fill_small, "pipeline": _fill_pipeline}[name](old)
    old.commit()
    return old


def _fill_small(old: OldRepository) -> None:
    old.write("raw.txt", "1\n")
    old.data("raw.txt")
    old.stage("train.dvc", "echo train >> $RUNS_LOG; cp raw.txt model", ["raw.txt"], ["model"])


def _fill_pipeline(old: OldRepository) -> None:
    old.write("data/crlf.csv", "a,b\r\n1,2\r\n")
    old.data("data/crlf.csv")
    old.write("raw/1.txt", "1\n")
    old.write("raw/in/2.txt", "x\r\ny\r\n")
    old.write("raw/3.bin", b"\0\r\n")
    old.data("raw")
    old.write("prepare.py", "# reads raw\r\n")
    old.write("params.yaml", "rate: 1e-3\nshuffle: yes\ntrain:\n  sizes: [1, 2]\nunused: 1\n")
    old.stage(
        "prepare.dvc",
        "echo prepare >> ${RUNS_LOG}\nmkdir -p clean\ncat raw/1.txt data/crlf.csv > clean/all\n",
        ["data/crlf.csv", "raw", "prepare.py"],
        ["clean"],
        meta={"owner": "Ada"},
    )
    old.stage(
        "train.dvc",
        "echo train >> $RUNS_LOG; cat clean/all > model; echo m >> kept; printf 'x\\r\\n' > log",
        [
            "clean",
            {
                "path": "params.yaml",
                "params": {"rate": "1e-3", "shuffle": True, "train.sizes": [1, 2]},
            },
        ],
        ["model", ("kept", {"persist": True}), ("log", {"cache": False})],
    )
    old.stage(
        "Dvcfile",
        "echo evaluate >> $RUNS_LOG; echo '{\"auc\": 0.9}' | tee scores.json all.json; "
        "echo a,b > curve.csv",
        ["model"],
        [
            ("scores.json", {"cache": False, "metric": {"type": "json", "xpath": "auc"}}),
            ("all.json", {"metric": True}),
            ("curve.csv", {"plot": {"x": "a", "template": "linear"}}),
        ],
    )
    old.write("sub/own.txt", "own\n")
    old.stage(
        "sub/in.dvc",
        "echo in >> $RUNS_LOG; cat own.txt ../model > out.txt",
        ["own.txt", "../model"],
        ["out.txt"],
    )
    old.stage(
        "from.outside.dvc",
        "echo outside >> $RUNS_LOG; cp own.txt copy.txt",
        ["own.txt"],
        ["copy.txt"],
        wdir="sub",
        locked=True,
    )
