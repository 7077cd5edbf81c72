"""What is in git: nothing of the machine it was made on, and locks that hold what is declared."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home/(?!runner\b)\w[\w.-]*)/[\w.]")
REGISTRY = re.compile(
    r"\b(?:pypi\.org|(?:files\.)?pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org"
    r"|proxy\.golang\.org|crates\.io)\b".replace(r"\.", r"[.]")
)
PIN = re.compile(r"^([\w.-]+)(?:\[[^]]+\])?==(\S+)(?: ; (?P<marker>[^\\]+))?")
LOCKS = [ROOT / "requirements" / name for name in ("run.txt", "checks.txt", "all.txt", "dev.txt")]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("needs a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def found(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if hit := pattern.search(line):
            yield f"{number}: {hit[0]}"


def found_in_git(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{hit}"
        for path in tracked()
        for hit in found(pattern, path.read_bytes().decode("utf-8", errors="replace"))
    ]


def declared() -> dict[str, set[str]]:
    """Return the names that pyproject.toml declares: `run`, and each dependency group."""
    project = tomlkit.parse((ROOT / "pyproject.toml").read_text()).unwrap()
    groups = {**project["dependency-groups"], "run": project["project"]["dependencies"]}
    return {
        group: {canonicalize_name(Requirement(item).name) for item in items if type(item) is str}
        for group, items in groups.items()
    }


def pins(lock: Path) -> dict[str, list[str]]:
    """Return the locked names, each with its block of lines."""
    blocks = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    found: dict[str, list[str]] = {}
    for block in filter(None, blocks):
        pin = PIN.match(block)
        assert pin, block
        found.setdefault(canonicalize_name(pin[1]), []).append(block)
    return found


def test_no_file_names_a_path_of_the_machine_it_was_made_on() -> None:
    assert found_in_git(MACHINE_PATH) == []


def test_no_file_names_a_package_registry() -> None:
    assert found_in_git(REGISTRY) == []


@pytest.mark.parametrize(
    "text", ["cd /{}/main", "open('/{}/x')", "path=/{}/.cache", "file:///{}/a"], ids=str
)
@pytest.mark.parametrize("top", ["work", "root", "home/ada"])
def test_a_path_of_a_machine_is_recognised(text: str, top: str) -> None:
    assert list(found(MACHINE_PATH, text.format(top)))


@pytest.mark.parametrize(
    "text", ["../{}/x", "~/{}/x", "a/{}/x", "example.org/{}/x", "/home/runner/{}/x"], ids=str
)
def test_a_path_of_no_machine_is_let_be(text: str) -> None:
    assert not list(found(MACHINE_PATH, text.format("work")))


def test_a_registry_is_recognised() -> None:
    assert list(found(REGISTRY, "see https://py" + "pi.org/project/dvc"))
    assert not list(found(REGISTRY, "the module pypi_organiser"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_hashes_and_comes_from_wherever_the_user_says(lock: Path) -> None:
    for name, blocks in pins(lock).items():
        assert all("--hash=sha256:" in block for block in blocks), name
    assert not re.search(r"^--|^-[a-z]|://| @ ", lock.read_text(), re.MULTILINE)


def test_the_locks_hold_what_pyproject_declares() -> None:
    run, *_, dev = (pins(lock) for lock in LOCKS)
    names = declared()

    assert names["run"] >= {"click", "dvc", "gitpython"}
    assert names["run"] <= run.keys(), "make lock"
    assert set().union(*names.values()) <= dev.keys(), "make lock"


@pytest.mark.parametrize(
    ("smaller", "larger"), list(itertools.pairwise(LOCKS)), ids=lambda lock: lock.name
)
def test_tests_run_with_the_versions_that_users_get(smaller: Path, larger: Path) -> None:
    # Without markers and extras: tests may need on all systems what users do on one.
    few, many = (
        {
            name: sorted(pin[2] for block in blocks if (pin := PIN.match(block)))
            for name, blocks in pins(lock).items()
        }
        for lock in (smaller, larger)
    )

    assert {name: many.get(name) for name in few} == few, "make lock"
