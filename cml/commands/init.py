"""The story of a beginning: a commented cml.yaml, and the workflow of the forge at hand."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from cml import config, repo
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping
    from pathlib import Path

Forge = Literal["github", "gitlab"]
SETTINGS = "cml.yaml"
FORCE = "--force overwrites it"
NO_FORGE = "next: name your forge for a workflow: `cml-run init --forge github`, or gitlab"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A CI file of a forge: where it belongs in the repository, and what is left to people."""

    path: str
    template: str
    next_step: str


WORKFLOWS: Mapping[Forge, Workflow] = {
    "github": Workflow(
        path=".github/workflows/cml.yaml",
        template="github.yml",
        next_step="commit it, and add what your DVC remote asks for as secrets of the repository, "
        "under Settings > Secrets and variables > Actions; GITHUB_TOKEN is there already",
    ),
    "gitlab": Workflow(
        path=".gitlab-ci.yml",
        template="gitlab.yml",
        next_step="commit it, and add masked variables under Settings > CI/CD > Variables: "
        "repo_token, a project access token with the scopes api and write_repository, and what "
        "your DVC remote asks for",
    ),
}


def write(
    start: Path, environ: MutableMapping[str, str], *, forge: Forge | None, force: bool
) -> Iterator[str]:
    """Write the settings to `start` and the workflow to the top of its repository.

    Args:
        start: the folder to begin in; without a forge it may lie in no repository.
        environ: tells git where things are, and the forge that runs us, if any.
        forge: None for the one at hand: the host of `origin`.
        force: overwrite what is there; otherwise it is kept, and said.

    Yields:
        What was done, in sentences, as it happens.

    Raises:
        UsageError: everything is there already, or there is no repository for the workflow.
    """
    checkout = _checkout(start, environ, needed=forge is not None)
    forge = forge or (_at_hand(checkout.remote_url, environ) if checkout else None)
    texts = {start / SETTINGS: config.template()}
    workflow = WORKFLOWS[forge] if forge else None
    if workflow and checkout:
        texts[checkout.root / workflow.path] = text(workflow)
    kept = [path for path in texts if path.exists() and not force]
    if len(kept) == len(texts):
        raise UsageError(f"{_named(kept, start)} already there", hint=FORCE)
    for path, content in texts.items():
        name = _relative(path, start)
        if path in kept:
            yield f"kept {name}: {FORCE}"
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        yield f"wrote {name}"
    yield f"next: {workflow.next_step}" if workflow else NO_FORGE


def text(workflow: Workflow) -> str:
    """Return the text of a workflow, as the README shows it."""
    folder = resources.files("cml.commands") / "workflows"
    return (folder / workflow.template).read_text(encoding="utf-8")


def _checkout(
    start: Path, environ: MutableMapping[str, str], *, needed: bool
) -> repo.Checkout | None:
    try:
        return repo.find(start, environ)
    except UsageError:
        if needed:
            raise
        return None


def _at_hand(url: str | None, environ: Mapping[str, str]) -> Forge | None:
    """Tell the forge by the host of `origin`; a host of one's own is told by a job's variables."""
    host = _host(url or "")
    if not host:
        return None
    if host in {"github.com", _host(environ.get("GITHUB_SERVER_URL", ""))}:
        return "github"
    if "gitlab" in host or host == _host(environ.get("CI_SERVER_URL", "")):
        return "gitlab"
    return None


def _host(url: str) -> str:
    """Return the host of a URL, or of what ssh takes: `git@host:path`."""
    if "://" not in url:
        url = f"ssh://{url.replace(':', '/', 1)}" if ":" in url else ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _named(paths: list[Path], start: Path) -> str:
    names = " and ".join(_relative(path, start) for path in paths)
    return f"{names} {'is' if len(paths) == 1 else 'are'}"


def _relative(path: Path, start: Path) -> str:
    return str(path.relative_to(start) if path.is_relative_to(start) else path)
