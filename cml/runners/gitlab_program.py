"""GitLab's runner program: one file, with a config.toml of our own; knows no API.

Commands, signals, configuration: https://docs.gitlab.com/runner/commands/ and
https://docs.gitlab.com/runner/configuration/advanced-configuration/
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cml.runners import asking, home
from cml.runners.base import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.runners.base import Announced

_FILE = "gitlab-runner"


@dataclass(frozen=True, kw_only=True)
class Executor:
    """How jobs are run: in containers of `image`, which see the machine's GPUs, or right here.

    A runner of one job ends by itself when none came for `wait` seconds; None for never.
    """

    kind: Literal["docker", "shell"] = "docker"
    image: str = "python:3.12"
    gpus: bool = False
    wait: int | None = None


class GitLabProgram:
    """See `base` for what its methods promise."""

    drains = True
    stays_listed = True
    archive = False
    name = "GitLab's runner"

    def __init__(self, folder: Path, environ: Mapping[str, str], executor: Executor) -> None:
        self._home = folder
        self._environ = dict(environ)
        self._executor = executor

    def candidates(self, given: Path | None) -> list[Path]:
        """Return files that can be run."""
        if given:
            return [given]
        found = shutil.which(_FILE, path=self._environ.get("PATH"))
        places = [Path(found)] if found else []
        return [path for path in (*places, self._home / "program") if path.is_file()]

    def version(self, path: Path) -> str:
        """Ask for its version."""
        return asking.version([str(path), "--version"], self._environ)

    def lacks(self, path: Path, *, persistent: bool) -> str:
        """Say if it takes single jobs only with its secret in arguments or in jobs' environment."""
        if persistent:
            return ""
        said = asking.run([str(path), "run-single", "--help"], self._environ).stdout
        return "" if b"--config" in said else "its run-single reads no config.toml"

    def configure(
        self,
        path: Path,  # noqa: ARG002 (the promise's signature)
        announced: Announced,
        labels: tuple[str, ...],  # noqa: ARG002 (GitLab has been told them)
        *,
        persistent: bool,  # noqa: ARG002 (it is the command that differs)
    ) -> None:
        """Write its config.toml, with the runner's token."""
        home.put(self._config, toml(announced, self._executor, self._home))

    def is_configured(self, path: Path) -> bool:  # noqa: ARG002 (the promise's signature)
        """Tell whether there is a config.toml."""
        return self._config.exists()

    def command(self, path: Path, announced: Announced, *, persistent: bool) -> Command:
        """Start it for one job, or until it is stopped."""
        config = f"--config={self._config}"
        kind: tuple[str, ...] = ("run", config, f"--working-directory={self._home}")
        if not persistent:
            wait = self._executor.wait
            limit = () if wait is None else (f"--wait-timeout={wait}",)
            kind = ("run-single", config, f"--runner={announced.name}", "--max-builds=1", *limit)
        argv = (str(path.resolve()), *kind)
        return Command(argv=argv, environ=self._environ, cwd=self._home)

    def stop(self, pid: int) -> None:
        """Have it take no further job, and end after the one that runs."""
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGQUIT)

    def works(self, pid: int) -> bool | None:  # noqa: ARG002 (the promise's signature)
        """Its processes do not tell: a container is no child of it."""
        return None

    def forget(self, path: Path) -> None:  # noqa: ARG002 (the promise's signature)
        """Remove its config.toml."""
        self._config.unlink(missing_ok=True)

    @property
    def _config(self) -> Path:
        return self._home.resolve() / "config.toml"


def toml(announced: Announced, executor: Executor, folder: Path) -> str:
    """Return a config.toml for one runner that runs one job at a time."""
    folder = folder.resolve()
    lines = [
        "concurrent = 1",
        "check_interval = 3",
        "",
        "[[runners]]",
        f"name = {_quoted(announced.name)}",
        f"url = {_quoted(announced.url)}",
        f"token = {_quoted(announced.credential)}",
        f"executor = {_quoted(executor.kind)}",
    ]
    if executor.kind == "shell":
        lines += [
            f"builds_dir = {_quoted(str(folder / 'builds'))}",
            f"cache_dir = {_quoted(str(folder / 'cache'))}",
        ]
        return "\n".join([*lines, ""])
    lines += ["", "[runners.docker]", f"image = {_quoted(executor.image)}"]
    lines += ['gpus = "all"'] if executor.gpus else []
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """Return a basic string of TOML: JSON's, but for DEL, which must not stand as it is.

    https://toml.io/en/v1.0.0#string
    """
    known = text.encode("utf-8", "replace").decode()
    return json.dumps(known, ensure_ascii=False).replace("\x7f", "\\u007f")
