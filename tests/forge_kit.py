"""What the end-to-end tests with a forge share: a job in its CI, and our comments there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from main_kit import change, checked_out

from cml.forges.base import marker

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from forge_github import GitHub
    from forge_gitlab import GitLab
    from lab import Lab

    Fake = GitHub | GitLab

NAME = "cml-run"
EVENTS = {"GitHub": "pull_request", "GitLab": "merge_request_event"}


def job(
    lab: Lab, forge: Fake, event: str, sha: str, *args: str, cwd: Path, **more: Any
) -> subprocess.CompletedProcess[str]:
    """Run cml-run in a job, and see that no token is written or said anywhere."""
    folder = lab.root / f"job{len(forge.log)}"
    folder.mkdir()
    extra = more.pop("environ", {})
    environ = {**forge.environ(event, folder=folder, sha=sha, **more), **extra}
    done = lab.cml(*args, cwd=cwd, **environ)
    seen = [done.stdout.encode(), done.stderr.encode()]
    seen += [
        path.read_bytes() for top in (cwd, folder) for path in top.rglob("*") if path.is_file()
    ]
    for name in ("GITHUB_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"):
        if token := environ.get(name):
            assert not any(token.encode() in text for text in seen), name
    return done


def closed(lab: Lab, forge: GitHub, sha: str, number: int) -> subprocess.CompletedProcess[str]:
    """Run cml-run in the job of a pull request that has just been closed, in `last`."""
    folder = lab.root / "closed"
    folder.mkdir()
    environ = forge.environ("pull_request", folder=folder, sha=sha, number=number)
    event = json.loads((folder / "event.json").read_text())
    (folder / "event.json").write_text(json.dumps({**event, "action": "closed"}))
    return lab.cml(cwd=checked_out(lab, "last", sha), **environ)


def proposed(lab: Lab, forge: Fake, **more: Any) -> tuple[str, int]:
    lab.git("checkout", "-q", "-b", "better")
    sha = change(lab)
    return sha, forge.add_pull(head="better", sha=sha, base="main", **more)


def bodies(forge: Fake, number: int) -> list[str]:
    found = (comment["body"] for comment in forge.comments[number])
    return [body for body in found if body.startswith(marker(NAME))]


def on_commit(forge: Fake, sha: str) -> list[dict[str, Any]]:
    """Return the comments on a commit itself."""
    if callable(forge.commit_comments):
        return forge.commit_comments(sha)
    return forge.commit_comments.get(sha, [])
