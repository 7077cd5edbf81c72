"""Narration: text from outside may be read, and may not act."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from cml import console

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def test_a_workflow_command_in_a_message_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.setup()
    console.log.warning("stage %s\n  ::error::gotcha\r::set-env", "::add-mask::x\x1b[2J")
    out, err = capsys.readouterr()
    assert out == ""
    assert all(line.startswith("cml-run: ") for line in err.splitlines())
    assert "\x1b" not in err
    assert "\r" not in err


def test_stage_output_is_fenced_off_on_github(capsys: pytest.CaptureFixture[str]) -> None:
    with console.section("Reproduce", "github"):
        console.echo("::error::from a stage\n")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "::group::Reproduce"
    key = lines[1].removeprefix("::stop-commands::")
    assert len(key) == 32
    assert lines[2:] == ["::error::from a stage", f"::{key}::", "::endgroup::"]


def test_gitlab_gets_a_section_that_folds(capsys: pytest.CaptureFixture[str]) -> None:
    with console.section("Reproduce the pipeline", "gitlab"):
        console.echo("hello\n")
    text = capsys.readouterr().err
    assert "section_start:" in text
    assert ":cml_reproduce_the_pipeline[collapsed=true]\r" in text
    assert text.rindex("section_end:") > text.index("hello")


def test_a_plain_terminal_gets_no_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    with console.section("Reproduce", "terminal"):
        console.echo("hello\n")
    assert capsys.readouterr().err == "hello\n"
