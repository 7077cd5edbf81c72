"""What every runner program promises, in the words of the house; no vendor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Announced(Protocol):
    """What the forge said when the runner was registered; `credential` is secret."""

    @property
    def name(self) -> str:
        """The runner's name."""

    @property
    def url(self) -> str:
        """What the program is told to connect to."""

    @property
    def credential(self) -> str:
        """What it connects with."""

    @property
    def kind(self) -> str:
        """Which kind of credential that is."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """How a program is started; secrets are in the environment or in files, never in `argv`."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    cwd: Path


class RunnerProgram(Protocol):
    """One runner program on this machine."""

    drains: bool
    """Whether its gentle stop waits for the job that runs; of others a gentle stop cancels it."""

    stays_listed: bool
    """Whether a runner of one job stays on the forge's list after that job."""

    name: str
    """What people call the program."""

    archive: bool
    """Whether it is fetched as an archive, or is a single file."""

    def candidates(self, given: Path | None) -> list[Path]:
        """Return where it may be, the best place first: `given`, or the PATH and our own folder."""

    def version(self, path: Path) -> str:
        """Ask the program there for its version.

        Raises:
            UsageError: it cannot be run, or says none.
        """

    def lacks(self, path: Path, *, persistent: bool) -> str:
        """Say what the program there cannot do that it would have to; empty where it can."""

    def configure(
        self, path: Path, announced: Announced, labels: tuple[str, ...], *, persistent: bool
    ) -> None:
        """Write down what it needs before its first start.

        Raises:
            UsageError: it refuses.
        """

    def is_configured(self, path: Path) -> bool:
        """Tell whether it has credentials in files."""

    def command(self, path: Path, announced: Announced, *, persistent: bool) -> Command:
        """Return how it is started."""

    def stop(self, pid: int) -> None:
        """Ask it to stop gently."""

    def works(self, pid: int) -> bool | None:
        """Tell by its processes whether a job runs; None where they do not tell."""

    def forget(self, path: Path) -> None:
        """Remove the credentials that it keeps in files."""
