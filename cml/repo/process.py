"""Runs git: its environment, and its failures in our words; knows no commit, branch or remote."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.repo import credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from git.cmd import Git as Program

Config = tuple[tuple[str, str], ...]

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # Every path is data: no `*` and no `:(magic)` in a name may select other files.
    "GIT_LITERAL_PATHSPECS": "1",
    # A commit is what its sha says: a stage can write `refs/replace` and make the rules others.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_CONFIG: Config = (
    # Hooks may come from the work tree itself (core.hooksPath), and would see our credentials.
    ("core.hooksPath", os.devnull),
    ("i18n.commitEncoding", "utf-8"),
)
_COMPLAINT_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a git process said; `complaint` is the end of its stderr, without secrets."""

    status: int
    output: bytes
    complaint: str


class Git:
    """Git in one work tree.

    The folders are named to git instead of being searched by it: the search refuses a work tree
    of another owner, and git before 2.38 heeds `safe.directory` only in files.
    """

    def __init__(self, work_tree: Path, environ: Mapping[str, str]) -> None:
        self.work_tree = work_tree
        self.environ = environ
        self.credentials: credentials.Credentials | None = None

    def attempt(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        config: Config = (),
    ) -> Completed:
        """Run `git args`, whatever its exit status will be.

        Raises:
            UsageError: git is not installed, or an argument holds a NUL character.
        """
        if any("\0" in arg for arg in args):
            raise UsageError(f"git {args[0]}: a name holds a NUL character")
        with tempfile.TemporaryFile() as file:
            file.write(stdin)
            file.seek(0)
            status, output, complaint = _program(self.work_tree).execute(
                ["git", *args],
                istream=file,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env=self._environment(env or {}, config),
            )
        lines = credentials.redact(complaint, self.credentials).strip().splitlines()
        return Completed(
            status=status,
            output=output if isinstance(output, bytes) else b"",
            complaint="\n".join(lines[-_COMPLAINT_LINES:]),
        )

    def call(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run `git args` and return its stdout.

        Raises:
            UsageError: git failed.
        """
        done = self.attempt(*args, stdin=stdin, env=env)
        if done.status:
            raise failure(self, args[0], done)
        return done.output

    def text(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run `git args` and return its stdout as text, without the last newline."""
        return decode(self.call(*args, stdin=stdin, env=env)).removesuffix("\n")

    def names(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> list[str]:
        """Run `git args` and return the fields of its stdout, each of which ends with NUL."""
        return decode(self.call(*args, stdin=stdin, env=env)).split("\0")[:-1]

    def _environment(self, env: Mapping[str, str], config: Config) -> dict[str, str]:
        folders = {
            "GIT_DIR": str(self.work_tree / ".git"),
            "GIT_WORK_TREE": str(self.work_tree),
        }
        return {**configured(self.environ, (*_CONFIG, *config)), **_ENVIRONMENT, **folders, **env}


def failure(git: Git, command: str, done: Completed) -> UsageError:
    """Put a failed git process into words."""
    return UsageError(
        f"git {command} failed in {git.work_tree}: {done.complaint or f'status {done.status}'}"
    )


def configured(environ: Mapping[str, str], entries: Config) -> dict[str, str]:
    """Return a copy of `environ` with git configuration added behind what is there already.

    Format: https://git-scm.com/docs/git-config#ENVIRONMENT

    Raises:
        UsageError: `GIT_CONFIG_COUNT` is there and is no number.
    """
    given = environ.get("GIT_CONFIG_COUNT") or "0"
    if not given.isdecimal():
        raise UsageError(f"GIT_CONFIG_COUNT is no number: {given!r}", hint="Unset it.")
    result = {**environ, "GIT_CONFIG_COUNT": str(int(given) + len(entries))}
    for number, (key, value) in enumerate(entries, start=int(given)):
        result[f"GIT_CONFIG_KEY_{number}"] = key
        result[f"GIT_CONFIG_VALUE_{number}"] = value
    return result


def decode(text: bytes) -> str:
    """Decode a name from git; bytes that are not UTF-8 survive the way back to git."""
    return text.decode("utf-8", "surrogateescape")


def nul_separated(names: Iterable[str]) -> bytes:
    """Encode names for a git process that reads them from stdin."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _program(work_tree: Path) -> Program:
    try:
        from git.cmd import Git as Program
    except ImportError as error:  # GitPython looks for git when it is imported
        raise UsageError("git cannot be run", hint="Install git 2.31 or newer.") from error
    return Program(work_tree)
