"""The DVC project that is open: found, locked, its leftovers cleared, its errors made ours."""

from __future__ import annotations

import getpass
import logging
import os
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cml.errors import CmlError, PipelineError, UsageError
from cml.pipeline import backends, rwlock
from cml.pipeline.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3
WAITING = "waiting for the DVC process that holds %s/lock; if there is none, remove that file"


class Project:
    """A connection to one DVC project, used by one thread of DVC's code at a time.

    Attributes:
        repo: DVC's own repository object.
        root: the folder that holds `.dvc`.
        secrets: names of environment variables that stages must not see.
        pulled: data that came from the DVC remote through this connection.
        pushed: data that went there.
        again: stages (addresses) that run whatever dvc.lock says, and the inputs for which the
            last commit claims results; None for no claim.
        claimed: those of them that ran again on these very inputs.
    """

    def __init__(self, repo: Any, secrets: Collection[str]) -> None:
        self.repo = repo
        self.root = Path(repo.root_dir)
        self.secrets = frozenset(secrets)
        self.pulled = Traffic()
        self.pushed = Traffic()
        self.again: dict[str, dict[str, Any] | None] = {}
        self.claimed: set[str] = set()
        self._turn = threading.RLock()
        self._depth = 0

    def close(self) -> None:
        """Let go of DVC's databases."""
        self.repo.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold DVC's repository lock; waits for other processes and for our other threads.

        What DVC has read of the project is kept as long as the outermost lock is held.

        Raises:
            PipelineError: this user cannot lock it.
        """
        from dvc.repo import lock_repo

        notice = threading.Timer(PATIENCE_SECONDS, log.warning, (WAITING, self.repo.tmp_dir))
        notice.daemon = True
        if not self._depth:
            notice.start()
        with self._turn, ExitStack() as held:
            held.callback(notice.cancel)
            with translated("cannot lock the project"):
                held.enter_context(lock_repo(self.repo))
            notice.cancel()
            if not self._depth:
                rwlock.clear_rwlock(self.repo.tmp_dir)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let others have the lock while a stage's command runs."""
        depths = self._depth, self.repo._lock_depth  # noqa: SLF001 (DVC's own counter)
        self._depth, self.repo._lock_depth = 0, 0  # noqa: SLF001
        self.repo.lock.unlock()
        for _ in range(depths[0]):
            self._turn.release()
        try:
            yield
        finally:
            for _ in range(depths[0]):
                self._turn.acquire()
            self.repo.lock.lock()
            self._depth, self.repo._lock_depth = depths  # noqa: SLF001

    def count_transfers(self) -> None:
        """Make DVC tell us of each object that it moves."""
        from cml.pipeline.cloud import CountingCloud

        self.repo.cloud = CountingCloud(self.repo, pulled=self.pulled, pushed=self.pushed)

    def relative(self, path: str | os.PathLike[str]) -> str:
        """Return a path as people write it: relative to the project, with forward slashes."""
        return Path(os.path.relpath(path, self.root)).as_posix()


@contextmanager
def open_project(start: Path, *, secrets: Collection[str] = ()) -> Iterator[Project]:
    """Open the DVC project that `start` lies in, and close it at the end.

    Raises:
        UsageError: there is none, or its configuration is broken.
    """
    root = find_root(start)
    if root is None:
        raise UsageError(
            f"no DVC project in {start} or above it",
            hint="run `dvc init` once, or run cml-run in the folder that holds `.dvc`",
        )
    _trust_other_owners()
    _name_user()
    from cml.pipeline.repository import Repository

    quieten()
    backends.choose()
    with translated("cannot open the DVC project"):
        project = Project(Repository(str(root)), secrets)
    try:
        project.count_transfers()
        yield project
    finally:
        project.close()


def find_root(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that holds `.dvc`; loads no DVC."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / ".dvc" / "config").is_file():
            return folder
        if (folder / ".git").exists():
            return None
    return None


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn DVC's exceptions into ours.

    Raises:
        UsageError: dvc.yaml, dvc.lock or a DVC configuration file is invalid, or a name in it
            is not known.
        PipelineError: anything else that DVC complains about, or the libraries of a remote.
    """
    try:
        yield
    except CmlError:
        raise
    except Exception as error:
        failure = backends.failure(what, error) or _failure(what, error)
        if failure is None:
            raise
        raise failure from error


def _failure(what: str, error: Exception) -> CmlError | None:
    from dvc.exceptions import DvcException

    if not isinstance(error, (DvcException, OSError)):
        return None
    kind = UsageError if _is_configuration(error) else PipelineError
    return kind(f"{what}: {backends.describe(error)}", hint=_hint(error))


def _is_configuration(error: BaseException) -> bool:
    from dvc import exceptions, parsing
    from dvc.config import ConfigError
    from dvc.stage import exceptions as stages
    from dvc.utils import serialize, strictyaml

    return isinstance(
        error,
        (
            ConfigError,
            exceptions.ArgumentDuplicationError,
            exceptions.CyclicGraphError,
            exceptions.NoOutputOrStageError,
            exceptions.OutputDuplicationError,
            exceptions.OutputNotFoundError,
            exceptions.OverlappingOutputPathsError,
            exceptions.PrettyDvcException,
            exceptions.StageNotFoundError,
            exceptions.StagePathAsOutputError,
            parsing.ContextError,
            parsing.ResolveError,
            serialize.ParseError,
            stages.InvalidStageName,
            stages.StageFileBadNameError,
            stages.StageFileDoesNotExistError,
            stages.StageFileIsNotDvcFileError,
            stages.StageNotFound,
            strictyaml.EncodingError,
        ),
    )


def _hint(error: BaseException) -> str | None:
    from dvc.config import NoRemoteError
    from dvc.exceptions import CheckoutError, DownloadError, UploadError

    if isinstance(error, (DownloadError, CheckoutError)):
        return "run `dvc push` where the data is; `cml-run doctor` looks further"
    if isinstance(error, UploadError):
        return (
            "check that the credentials may write to the DVC remote; `cml-run doctor` looks further"
        )
    if isinstance(error, PermissionError):
        return "run as a user who may write there; in a container, with --user"
    if isinstance(error, NoRemoteError):
        return "add one: `dvc remote add -d storage URL`, and commit .dvc/config"
    return None


def quieten() -> None:
    """Take away the handlers that importing DVC installs: one of them writes to stdout."""
    dvc = logging.getLogger("dvc")
    dvc.handlers.clear()
    dvc.setLevel(logging.WARNING)


def _trust_other_owners() -> None:
    """Let libgit2, in this process alone, read a checkout that another user owns (containers)."""
    import pygit2

    pygit2.settings.owner_validation = False


def _name_user() -> None:
    """Name a user whom the system does not know, as in a container: DVC insists on a name."""
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = str(os.getuid())
