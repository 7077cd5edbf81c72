"""GitHub's runner program: a folder with run.sh; knows no API.

What it reads and how it ends: https://github.com/actions/runner, src/Runner.Listener and
src/Misc/layoutroot.
"""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cml.errors import UsageError
from cml.runners import asking, process
from cml.runners.base import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.runners.base import Announced

_LISTENER = "Runner.Listener"
_WORKER = "Runner.Worker"  # there is one for each job, for as long as that runs
_INPUT = "ACTIONS_RUNNER_INPUT_"  # an option can be given as a variable, which jobs do not see
_ROOT = "RUNNER_ALLOW_RUNASROOT"
_CREDENTIALS = (".credentials", ".credentials_rsaparams", ".runner")
_CONFIGURING_SECONDS = 300


class GitHubProgram:
    """See `base` for what its methods promise."""

    # An interrupt cancels the job, so it is only for a runner that the forge has let go.
    drains = False
    stays_listed = False
    archive = True
    name = "GitHub's runner"

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self._home = home
        self._environ = dict(environ)

    def candidates(self, given: Path | None) -> list[Path]:
        """Return folders with a run.sh."""
        if given:
            return [given.parent if given.name == "run.sh" else given]
        found = shutil.which(_LISTENER, path=self._environ.get("PATH"))
        places = [Path(found).resolve().parent.parent] if found else []
        return [
            place
            for place in (*places, self._home / "program")
            if (place / "bin" / _LISTENER).exists()
        ]

    def version(self, path: Path) -> str:
        """Ask for its version."""
        return asking.version([str(path / "bin" / _LISTENER), "--version"], self._environ)

    def lacks(self, path: Path, *, persistent: bool) -> str:  # noqa: ARG002 (the promise's signature)
        """Lack nothing: each that is new enough can do all."""
        return ""

    def configure(
        self, path: Path, announced: Announced, labels: tuple[str, ...], *, persistent: bool
    ) -> None:
        """Have a persistent runner register itself; one of one job needs nothing."""
        self._refuse_root()
        self._refuse_another(path)
        self.forget(path)
        if not persistent:
            return
        given = {
            "TOKEN": announced.credential,
            "URL": announced.url,
            "NAME": announced.name,
            "LABELS": ",".join(labels),
            "WORK": "_work",
            "UNATTENDED": "true",  # which also refuses a name that another machine has
        }
        environ = {**self._environ, **{_INPUT + name: value for name, value in given.items()}}
        said = asking.run([str(path / "config.sh")], environ, path, _CONFIGURING_SECONDS)
        if said.returncode:
            text = _without(announced.credential, said.stdout)
            raise UsageError(f"{self.name} could not be registered: {text}")

    def is_configured(self, path: Path) -> bool:
        """Tell whether it has credentials in files."""
        return all((path / name).exists() for name in (".runner", ".credentials"))

    def command(self, path: Path, announced: Announced, *, persistent: bool) -> Command:
        """Start it by run.sh, which also starts it again after an update of itself."""
        self._refuse_root()
        secret = {} if persistent else {f"{_INPUT}JITCONFIG": announced.credential}
        argv = (str(path.resolve() / "run.sh"),)
        return Command(argv=argv, environ={**self._environ, **secret}, cwd=path)

    def stop(self, pid: int) -> None:
        """Interrupt it, with the scripts around it, which would start it again."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGINT)

    def works(self, pid: int) -> bool | None:
        """Tell by its worker."""
        return _WORKER in process.names_below(pid)

    def forget(self, path: Path) -> None:
        """Remove what it was configured with."""
        for name in _CREDENTIALS:
            (path / name).unlink(missing_ok=True)

    def _refuse_another(self, path: Path) -> None:
        """Leave alone a runner that somebody has set up by hand."""
        if path != self._home / "program" and (path / ".runner").exists():
            raise UsageError(
                f"{path} is set up as a runner already",
                hint="unpack the program once more for this one, or leave --program out",
            )

    def _refuse_root(self) -> None:
        if os.geteuid() == 0 and not self._environ.get(_ROOT):
            raise UsageError(
                f"{self.name} refuses to run jobs as root",
                hint=f"run this as another user; in a container of its own, set {_ROOT}=1",
            )


def _without(secret: str, said: bytes) -> str:
    text = said.decode(errors="replace").replace(secret, "***").strip()
    return text[-asking.MOST :] or "it did not say why"
