"""The repositories of examples/, as users have them after a copy: with remotes of their own.

    lab = examples_kit.repository("github-basic", tmp_path)     # one commit, pushed; nothing ran
    sha = examples_kit.edit(lab, "params.yaml", "degree: 1", "degree: 2")
    examples_kit.pull_whole(lab, "main")                        # what a colleague gets

What stands for a bucket in their files is the laboratory's storage; nothing else is changed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lab import Lab

EXAMPLES = Path(__file__).parent.parent / "examples"
BUCKET = re.compile(r"(?:s3|https)://your-bucket[\w./-]*")
MADE = shutil.ignore_patterns(".cml", "__pycache__", "cache", "tmp", "config.local")


def repository(name: str, folder: Path, branch: str = "main") -> Lab:
    """Make a repository of an example, its only commit pushed."""
    lab = Lab(folder / "lab")
    lab.root.mkdir()
    lab.storage.mkdir()
    shutil.copytree(EXAMPLES / name, lab.work, ignore=MADE)
    for file in lab.work.rglob("*"):
        if file.suffix in {".yml", ".yaml"} or file.name == "config":
            file.write_text(BUCKET.sub(str(lab.storage), file.read_text()))
    lab.git("init", "-q", "--bare", "-b", branch, "origin.git", cwd=lab.root)
    lab.git("init", "-q", "-b", branch)
    lab.git("remote", "add", "origin", f"file://{lab.origin}")
    lab.commit("Begin")
    return lab


def edit(lab: Lab, path: str, old: str, new: str, *, branch: str | None = None) -> str:
    """Commit and push another text in place of one that is there; return the sha.

    With a branch, that is made first, of what the remote's default branch holds now.
    """
    if branch:
        default = lab.git("symbolic-ref", "--short", "HEAD", cwd=lab.origin)
        lab.git("fetch", "-q", "origin")
        lab.git("checkout", "-q", "--no-track", "-b", branch, f"origin/{default}")
    text = (lab.work / path).read_text(encoding="utf-8")
    assert old in text
    lab.write(path, text.replace(old, new))
    return lab.commit(f"{new} in {path}")


def pull_whole(lab: Lab, branch: str, project: str = ".") -> None:
    """Clone a branch as a colleague does; fail unless its data are there, and up to date."""
    folder = lab.clone(f"colleague-{branch}-{project}", "--branch", branch) / project
    lab.dvc("pull", "-q", cwd=folder)
    assert lab.dvc("status", cwd=folder) == "Data and pipelines are up to date."
