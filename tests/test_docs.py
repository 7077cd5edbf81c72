"""What the documents say about the project is what the project does."""

import re
from pathlib import Path

import click
import pytest
import tomlkit
from packaging.requirements import Requirement

from cml.cli.main import command

ROOT = Path(__file__).parent.parent
PROJECT = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
SECTIONS = {
    "What cml-run needs": PROJECT["project"]["dependencies"],
    "What lint needs": PROJECT["dependency-groups"]["lint"],
    "What the tests need": PROJECT["dependency-groups"]["test"],
}


def explained(section: str) -> list[str]:
    """Return the packages in a section's table that come with a reason."""
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    table = text.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (.+?) \|$", table, re.MULTILINE)
    return [name for names, reason in rows if reason for name in re.findall(r"`(.+?)`", names)]


@pytest.mark.parametrize("section", SECTIONS)
def test_each_dependency_has_its_reason_and_no_other_is_named(section: str) -> None:
    declared = [Requirement(item).name for item in SECTIONS[section]]

    assert declared
    assert sorted(explained(section)) == sorted(declared)


def test_the_targets_that_contributors_are_told_of_exist() -> None:
    told = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text()))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert told >= {"test", "lint", "demo", "bench", "lock", "schema"}
    assert told <= targets


def test_changes_that_are_not_released_have_their_place() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", changes, re.MULTILINE)[0] == "Unreleased"


ROOMS = {path.stem for path in (ROOT / "cml").glob("[a-z]*")} - {"demo", "record.schema"}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_plan_of_the_house_shows_each_room(room: str) -> None:
    plan = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert re.search(rf"^\| \d \|.*`{room}/?`", plan, re.MULTILINE), room


def flags() -> set[str]:
    """Return every option of every command."""
    assert isinstance(command, click.Group)
    context = click.Context(command)
    known = [command.get_command(context, name) for name in command.list_commands(context)]
    params = [param for one in (command, *known) if one for param in one.params]
    return {flag for param in params for flag in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("name", ["README.md", "docs/forges.md"])
def test_options_that_users_are_told_of_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))

    assert told <= flags()


def test_commands_that_users_are_told_of_exist() -> None:
    text = (ROOT / "docs" / "forges.md").read_text(encoding="utf-8")
    told = set(re.findall(r"cml-run ([a-z]+)", text))
    assert isinstance(command, click.Group)

    assert told == {"init", "comment", "post", "pr"}
    assert told <= {*command.list_commands(click.Context(command))}
