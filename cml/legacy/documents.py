"""dvc.yaml, dvc.lock and .dvc files as YAML whose comments and order stay; reads, never writes."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from cml.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ruamel.yaml import YAML

_WIDTH = 4096
_SKIPPED = r"[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*"
# The first key below another, and the first list that is indented below its key.
_NESTED = re.compile(rf"^[^\s#-][^\n]*:{_SKIPPED}( +)[^\s#-]", re.MULTILINE)
_LISTED = re.compile(rf"^( *)[^\s#-][^\n]*:{_SKIPPED}\1( +)- ", re.MULTILINE)


def load(root: Path, path: Path) -> tuple[Any, str]:
    """Return a file's mapping, which can be changed in place, and its text; both empty without it.

    Raises:
        UsageError: the file cannot be read, or is not a YAML mapping.
    """
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    hint = "correct it, or restore it from git"
    try:
        text = (root / path).read_text(encoding="utf-8")
        data = _yaml(text).load(text)
    except FileNotFoundError:
        return CommentedMap(), ""
    except (OSError, ValueError, YAMLError, RecursionError) as error:
        raise UsageError(f"{path.as_posix()} cannot be read: {error}", hint=hint) from error
    data = CommentedMap() if data is None else data
    if not isinstance(data, CommentedMap):
        raise UsageError(f"{path.as_posix()} is not a mapping of keys to values", hint=hint)
    return data, text


def dump(data: Any, like: str = "") -> str:
    """Return a mapping as YAML text, indented as the text that it came from."""
    stream = io.StringIO()
    _yaml(like).dump(data, stream)
    return stream.getvalue()


def block(text: str) -> str:
    """Return a text that a dump shows as a block of lines, if it has lines and stays the same."""
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.scalarstring import LiteralScalarString

    if "\n" not in text:
        return text
    shown = LiteralScalarString(text)
    try:
        again = _yaml("").load(dump({"stages": {"name": {"cmd": shown, "deps": []}}}))
    except YAMLError:
        return text
    return shown if again["stages"]["name"]["cmd"] == text else text


def _yaml(like: str) -> YAML:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = _WIDTH
    yaml.preserve_quotes = True
    yaml.default_flow_style = False
    nested, listed = _NESTED.search(like), _LISTED.search(like)
    offset = len(listed[2]) if listed else 0
    yaml.indent(mapping=len(nested[1]) if nested else 2, sequence=offset + 2, offset=offset)
    return yaml
