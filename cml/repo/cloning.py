"""Another work tree for one commit, in a folder of its own; this repository is only read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cml.repo.process import Config, Git, failure

if TYPE_CHECKING:
    from pathlib import Path

    from cml.repo.worktree import WorkTree

# Both would write into this repository.
_CONFIG: Config = (("core.fsmonitor", "false"), ("core.splitIndex", "false"))
_NEW = {"GIT_DEFAULT_REF_FORMAT": "files"}


def clone(checkout: WorkTree, revision: str, folder: Path) -> None:
    """Make a repository in an empty folder, with a commit of this one checked out.

    Nothing is fetched or copied, the objects stay where they are, and hooks neither run nor come
    along. `git clone` would do less: it refuses the repository of another owner, and knows neither
    the filters of this one's configuration nor objects that are still to come (a partial clone).

    Raises:
        UsageError: git knows no such commit, or could not check it out.
    """
    sha = checkout.commit(revision).sha
    kind = checkout.git.text("rev-parse", "--show-object-format")
    made = Git(folder, checkout.git.environ)
    made.call("init", "--quiet", "--template=", f"--object-format={kind}", env=_NEW)
    known = folder / ".git/objects/info/alternates"
    known.parent.mkdir(exist_ok=True)
    known.write_bytes(os.fsencode(checkout.common_dir / "objects") + b"\n")
    if checkout.is_shallow:
        shutil.copyfile(checkout.common_dir / "shallow", folder / ".git/shallow")
    made.call("update-ref", "--no-deref", "HEAD", sha)
    _check_out(checkout, sha, folder)


def _check_out(checkout: WorkTree, sha: str, folder: Path) -> None:
    places = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(folder / ".git/index")}
    command = ("read-tree", "--reset", "-u", "--no-recurse-submodules", sha)
    done = checkout.git.attempt(*command, env=places, config=_CONFIG)
    if done.status:
        raise failure(checkout.git, f"checkout of {sha[:7]}", done)
