"""What the tests of the action and of the component share: the options, and their documents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from cml import config

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "one-line.md"


def options() -> dict[str, config.Option]:
    """Return the options by the names of their inputs."""
    return {option.flag[2:]: option for option in config.OPTIONS if option.flag}


def table(inputs: Mapping[str, Any]) -> str:
    """Write the table of inputs for the document."""
    rows = [("input", "default", "meaning"), ("---",) * 3]
    for name, given in inputs.items():
        option = options().get(name)
        default = option.default if option else given.get("default")
        words = option.otherwise if option else None
        shown = words or (f"`{default}`" if default else "-")
        rows.append((f"`{name}`", shown, given["description"]))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def written(name: str) -> str:
    """Return the table that stands in the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]


def shown(first: str, document: Path = DOCUMENT) -> Any:
    """Return the YAML that a document shows, by how it begins."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (found,) = (block for block in blocks if block.startswith(first))
    return YAML(typ="safe").load(found)
