"""The README says what is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cml import config
from cml.checks import policy
from cml.errors import ExitCode

if TYPE_CHECKING:
    from lab import Lab

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_the_table_of_options_is_the_generated_one() -> None:
    written = README.partition("<!-- options -->\n")[2].partition("<!-- /options -->")[0]
    assert written.strip() == config.markdown_table().strip()


def test_the_exit_codes_are_all_there() -> None:
    rows = re.findall(r"^\| (\d+) \|", README.partition("## Exit codes")[2], re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in ExitCode]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs"])
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for file in path.glob("*.md") if path.is_dir() else [path]:
        for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", file.read_text(encoding="utf-8")):
            assert (file.parent / link).exists(), f"{file.name}: {link}"


def test_the_commands_shown_run(lab: Lab) -> None:
    (commands,) = blocks("bash")
    lab.run("bash", "-euc", commands)
    assert (lab.work / ".cml/record.json").exists()


@pytest.mark.parametrize("document", ["README.md", "docs/gate.md"])
def test_the_rules_that_are_shown_are_valid(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    shown = re.findall(r"^```yaml\n(checks:\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert shown
    for block in shown:
        assert config.settings({}, {}, block) == config.settings({}, {}, None)
        assert policy.read(block, document).checks
