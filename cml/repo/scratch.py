"""A repository made from nothing, for demonstrations; touches none that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BRANCH = "main"


def create(folder: Path, origin: Path) -> None:
    """Make a repository in `folder`, with a bare remote at `origin`."""
    import git

    git.Repo.init(origin, bare=True, initial_branch=BRANCH).close()
    with git.Repo.init(folder, initial_branch=BRANCH) as repo:
        repo.create_remote("origin", origin.as_uri())


def commit(folder: Path, message: str, *, author: str, branch: str = BRANCH) -> None:
    """Commit all that is in `folder` to a branch, made if need be, and push it.

    `author` is a name; no identity needs to be configured.
    """
    import git

    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", author), ("EMAIL", "demo@localhost"))
    }
    with git.Repo(folder) as repo:
        if repo.active_branch.name != branch:
            repo.git.checkout("-b", branch)
        repo.git.add("--all")
        repo.git.commit("--quiet", "--no-gpg-sign", "-m", message, env=identity)
        repo.git.push("--quiet", "--set-upstream", "origin", branch)
