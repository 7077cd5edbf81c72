"""Fixtures of the fake forges: what breaks their documents fails the test at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from forge_github import GitHub
from forge_gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forge_base import Forge


def stop(forges: list[Forge]) -> None:
    """Stop forges; fail with what their clients did that no document allows."""
    for forge in forges:
        forge.__exit__()
    problems = [problem for forge in forges for problem in forge.problems]
    assert not problems, "\n".join(problems)


@pytest.fixture
def serving() -> Iterator[Callable[[Forge], Forge]]:
    """Start a forge that a test makes itself; `serving(GitLab(prefix="/git"))`."""
    started: list[Forge] = []

    def start(forge: Forge) -> Forge:
        started.append(forge.__enter__())
        return forge

    yield start
    stop(started)


@pytest.fixture
def github_forge(serving: Callable[[Forge], Forge]) -> GitHub:
    forge = GitHub()
    serving(forge)
    return forge


@pytest.fixture
def gitlab_forge(serving: Callable[[Forge], Forge]) -> GitLab:
    forge = GitLab()
    serving(forge)
    return forge
