"""What can be read in a work tree; changes nothing, and asks no remote."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from cml.errors import UsageError
from cml.repo.process import Git, decode, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from pathlib import Path

Found = TypeVar("Found")

_AT_A_TIME = 500


@dataclass(frozen=True, kw_only=True)
class CommitObject:
    """A commit as it was written: `parents` are named even where a shallow clone lacks them."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str


class WorkTree:
    """A git work tree.

    A revision is anything that git understands; a path is relative to the work tree's top, with
    `/`, and compares equal to what git calls it. A revision that git does not know is a
    `UsageError`, except where None is promised.

    Attributes:
        root: the top of the work tree: absolute, without symbolic links.
        git_dir: git's own folder for this work tree.
        common_dir: the one that all work trees of the repository share.
        git: the way to run git, for this room alone.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.git_dir = _git_dir(root)
        self.common_dir = _common_dir(self.git_dir)
        self.git = Git(root, environ)

    @property
    def head(self) -> str:
        """Return the sha of the commit that is checked out.

        Raises:
            UsageError: there is no commit yet.
        """
        sha = self.resolve("HEAD")
        if sha is None:
            raise UsageError(f"{self.root} has no commit yet", hint="Commit something first.")
        return sha

    @property
    def branch(self) -> str | None:
        """Return the branch that is checked out; None where HEAD is detached."""
        done = self.git.attempt("symbolic-ref", "--quiet", "HEAD")
        return _branch(decode(done.output).strip())

    @property
    def place(self) -> tuple[str, str | None]:
        """Return the sha and the branch that are checked out, asking git once for both.

        Raises:
            UsageError: there is no commit yet.
        """
        done = self.git.attempt("rev-parse", "HEAD^{commit}", "--symbolic-full-name", "HEAD")
        if done.status:
            return self.head, self.branch
        sha, *names = decode(done.output).splitlines()  # a detached HEAD has no name
        return sha, next((_branch(name) for name in names), None)

    @property
    def git_version(self) -> tuple[int, ...]:
        """The version of the git program, as numbers."""
        found = re.search(r"\d+(?:\.\d+)+", self.git.text("version"))
        return tuple(map(int, found[0].split("."))) if found else ()

    def resolve(self, revision: str) -> str | None:
        """Return the sha of the commit that a revision names here; None where it names none."""
        return self._object(f"{revision}^{{commit}}")

    def named(self, *refs: str) -> dict[str, str]:
        """Return the commits of the refs with exactly these full names, as far as they are here.

        `resolve` would also take the tag `refs/tags/refs/heads/main` for `refs/heads/main`.
        """
        lines = self.git.text("for-each-ref", "--format=%(objectname) %(refname)", *refs)
        listed = [line.partition(" ") for line in lines.splitlines()]
        found = {ref: self.resolve(sha) for sha, _, ref in listed if ref in refs}
        return {ref: sha for ref, sha in found.items() if sha}

    def tree(self, revision: str) -> str:
        """Return the sha of a revision's tree."""
        return _known(self._object(f"{revision}^{{tree}}"), revision)

    def short(self, revision: str) -> str:
        """Return an abbreviated sha of at least seven digits that is unique here."""
        sha = _known(self.resolve(revision), revision)
        return self.git.text("rev-parse", "--short=7", sha)

    def commits(self, *revisions: str) -> list[CommitObject | None]:
        """Read commits as they were written, in one process; None for each that is not here."""
        asked = [revision if "\n" not in revision else "" for revision in revisions]
        lines = "".join(f"{revision}^{{commit}}\n" for revision in asked)
        rest = self.git.call("cat-file", "--batch", stdin=os.fsencode(lines))
        found: list[CommitObject | None] = []
        for _ in revisions:
            header, _, rest = rest.partition(b"\n")
            if header.endswith((b" missing", b" ambiguous")):
                found.append(None)
                continue
            sha, _, size = header.split()
            found.append(_parse(sha.decode(), rest[: int(size)]))
            rest = rest[int(size) + 1 :]
        return found

    def commit(self, revision: str) -> CommitObject:
        """Read one commit as it was written."""
        (found,) = self.commits(revision)
        return _known(found, revision)

    def message(self, revision: str) -> str:
        """Return a commit's whole message."""
        return self.commit(revision).message

    def committed_on(self, revision: str) -> date:
        """Return the day, in UTC, on which a commit was made."""
        sha = _known(self.resolve(revision), revision)
        seconds = int(self.git.text("show", "--no-patch", "--format=%ct", sha))
        return datetime.fromtimestamp(seconds, timezone.utc).date()

    def parent(self, revision: str) -> str | None:
        """Return the sha of a commit's first parent, which a shallow clone may lack."""
        return next(iter(self.commit(revision).parents), None)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether a commit is in the known history of another, or is the other."""
        done = self.git.attempt(
            "merge-base", "--is-ancestor", "--end-of-options", ancestor, descendant
        )
        if done.status > 1:
            raise failure(self.git, "merge-base", done)
        return done.status == 0

    @property
    def is_shallow(self) -> bool:
        """Tell whether history was cut off when the repository was cloned."""
        return bool(self.shallow_commits())

    def shallow_commits(self) -> set[str]:
        """Return the commits whose parents were cut off."""
        file = self.common_dir / "shallow"
        return {*file.read_text().split()} if file.is_file() else set()

    def show(self, revision: str, path: str) -> bytes | None:
        """Return a file's bytes as committed, unfiltered; None where the revision has no such file.

        A symbolic link gives the path that it points to.
        """
        sha = _known(self.resolve(revision), revision)
        done = self.git.attempt("cat-file", "blob", f"{sha}:{path}")
        if done.status == 0:
            return done.output
        listed = self.git.names("ls-tree", "-z", "--full-tree", sha, "--", path)
        if any(" blob " in entry.partition("\t")[0] for entry in listed):
            raise failure(self.git, "cat-file", done)
        return None

    def changed_paths(self, old: str, new: str) -> set[str]:
        """Return the paths that differ between two revisions; a rename gives both names."""
        trees = self.tree(old), self.tree(new)
        return {*self.git.names("diff-tree", "-r", "-z", "--name-only", *trees)}

    def dirty(self) -> set[str]:
        """Return the tracked paths whose index or work tree differs from HEAD."""
        entries = self.git.names(
            *("status", "--porcelain=v1", "-z", "--untracked-files=no"),
            *("--no-renames", "--ignore-submodules=untracked"),
        )
        return {entry[3:] for entry in entries}

    def tracked(self) -> list[str]:
        """Return the paths that git tracks."""
        return self.git.names("ls-files", "-z")

    def untracked(self, paths: Iterable[Path]) -> list[str]:
        """Return the files that git neither tracks nor ignores, at or under some absolute paths."""
        names = [self.relative(path) for path in paths]
        # As many at a time as surely fit on a command line.
        parts = (names[start : start + _AT_A_TIME] for start in range(0, len(names), _AT_A_TIME))
        command = ("ls-files", "-z", "--others", "--exclude-standard", "--")
        return sorted({name for part in parts for name in self.git.names(*command, *part)})

    def relative(self, path: Path) -> str:
        """Return the name that git gives to a file.

        Raises:
            UsageError: the file is not in this work tree.
        """
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError as error:
            raise UsageError(f"{path} is not in the work tree {self.root}") from error

    def _object(self, name: str) -> str | None:
        done = self.git.attempt("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return done.output.decode().strip() if done.status == 0 else None


def _git_dir(root: Path) -> Path:
    """Follow the `.git` file of a submodule or a linked work tree."""
    entry = root / ".git"
    if not entry.is_file():
        return entry
    target = decode(entry.read_bytes()).strip().removeprefix("gitdir:").strip()
    return (root / target).resolve()


def _common_dir(git_dir: Path) -> Path:
    file = git_dir / "commondir"
    return (git_dir / file.read_text().strip()).resolve() if file.is_file() else git_dir


def _known(value: Found | None, revision: str) -> Found:
    if value is None:
        raise UsageError(f"git knows no revision {revision!r}")
    return value


def _branch(ref: str) -> str | None:
    return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None


def _parse(sha: str, raw: bytes) -> CommitObject:
    """Read a commit object (https://git-scm.com/docs/git-cat-file)."""
    head, _, body = raw.partition(b"\n\n")
    fields = [line.split(b" ", 1) for line in head.split(b"\n")]
    values = [(field[0], field[-1].decode("ascii", "replace")) for field in fields]
    encoding = next((value for key, value in values if key == b"encoding"), "utf-8")
    try:
        message = body.decode(encoding, "replace")
    except LookupError:
        message = body.decode("utf-8", "replace")
    return CommitObject(
        sha=sha,
        tree=next(value for key, value in values if key == b"tree"),
        parents=tuple(value for key, value in values if key == b"parent"),
        message=message,
    )
