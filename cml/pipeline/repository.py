"""DVC's repository, asking each revision's files only once."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dvc.config import Config
from dvc.repo import Repo
from dvc.scm import resolve_rev

from cml.pipeline.traffic import WORKSPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Repository(Repo):  # type: ignore[misc]  # DVC ships no types
    """Reads dvc.yaml, dvc.lock and .dvc files once for each revision, not once for each question.

    DVC forgets them whenever it looks elsewhere. But a commit never changes, and while we hold
    DVC's lock the work tree's files change only by what we do ourselves, and then `refresh`.
    """

    def __init__(self, root: str) -> None:
        self._indexes: dict[str, Any] = {}
        super().__init__(root, _wait_for_lock=True)

    @contextmanager
    def switch(self, rev: str) -> Iterator[str]:
        """Look at a revision instead of the work tree; `WORKSPACE` goes on looking at that.

        Raises:
            dvc.exceptions.NotDvcRepoError: the revision holds no DVC project.
            dvc.scm.RevError: git does not know the revision.
        """
        if rev == WORKSPACE:
            yield rev
            return
        sha, here = resolve_rev(self.scm, rev), self.__dict__.get("index")
        try:
            with super().switch(sha):
                self._put(self._indexes.get(sha))
                yield sha
                self._indexes[sha] = self.__dict__.get("index")
        finally:
            self._put(here)

    def refresh(self) -> None:
        """Forget what the work tree's dvc.yaml, dvc.lock and .dvc files said."""
        self._reset()

    def _put(self, index: Any) -> None:
        if index is not None:
            self.__dict__["index"] = index


class _Given(Config):  # type: ignore[misc]  # DVC ships no types
    """A configuration that does not read the project's own files."""

    LEVELS = Config.SYSTEM_LEVELS


class Copy(Repository):
    """Another work tree, configured like a given repository whatever its own files say.

    What DVC notes of it lies in it, and goes with it.
    """

    def __init__(self, root: str, config: Mapping[str, Any]) -> None:
        self._given = config
        super().__init__(root)

    @functools.cached_property
    def config(self) -> Any:
        """DVC's configuration; held in memory alone, for there may be passwords in it."""
        return _Given(self.dvc_dir, config=self._given)

    @functools.cached_property
    def site_cache_dir(self) -> str:
        """DVC's folder for notes on what it has seen."""
        return f"{self.tmp_dir}/site"
