"""YAML text -> keys, values and where they stand; knows no key."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cml import yaml_nodes
from cml.errors import UsageError
from cml.yaml_nodes import BOOL, NULL, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

T = TypeVar("T")

_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A key and its value in a file; `key` is empty for the whole document."""

    filename: str
    key: str
    label: Any
    node: Any

    @property
    def place(self) -> str:
        """Where the key stands: `file:line:column`."""
        return _place(self.filename, self.label)

    @property
    def where(self) -> str:
        """Where the value stands, with its key: `file:line:column: key`."""
        place = self.place if self.empty else _place(self.filename, self.node)
        return f"{place}: {self.key}" if self.key else place

    @property
    def empty(self) -> bool:
        """Whether nothing is written."""
        return self.node is None or self.node.tag == NULL


def document(text: str, filename: str) -> Entry:
    """Parse a file; nothing is constructed, so no tag can do harm.

    Raises:
        UsageError: it is not YAML.
    """
    node = _compose(text, filename)
    return Entry(filename=filename, key="", label=node, node=node)


def _compose(text: str, filename: str) -> Any:
    try:
        return yaml_nodes.compose(text)
    except yaml_nodes.MalformedError as error:
        raise UsageError(
            f"{filename}:{error}",
            hint="quote texts with special characters, such as 'accuracy: test'",
        ) from error


def _place(filename: str, node: Any) -> str:
    if node is None:
        return f"{filename}:1:1"
    return f"{filename}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def entries(parent: Entry) -> dict[str, Entry]:
    """Return what a mapping holds, by key; nothing for an empty document.

    Raises:
        UsageError: it is no mapping, or a key is given twice or is no text.
    """
    if parent.node is None or (parent.empty and not parent.key):
        return {}
    if parent.node.id != "mapping":
        raise UsageError(
            f"{parent.where}: keys with values are expected, not {_kind(parent.node)}",
            hint="write one `key: value` on each line, indented below",
        )
    found: dict[str, Entry] = {}
    for label, node in parent.node.value:
        name = label.value if isinstance(label.value, str) else "[...]"
        entry = Entry(filename=parent.filename, key=name, label=label, node=node)
        if name in found:
            first = found[name].label.start_mark.line + 1
            raise UsageError(
                f"{entry.place}: {name} is given twice, first in line {first}",
                hint="keep one of them",
            )
        found[name] = entry
    return found


def known(found: Mapping[str, Entry], keys: Collection[str]) -> None:
    """Refuse a key that nobody knows.

    Raises:
        UsageError: with the key that was probably meant.
    """
    for name, entry in found.items():
        if name not in keys:
            raise UsageError(f"{entry.place}: unknown key {name!r}", hint=advice(name, keys))


def advice(word: str, words: Collection[str]) -> str:
    """Return what was probably meant, or all that can be."""
    plain = word.lower().replace("_", "-")
    close = difflib.get_close_matches(plain, words, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(words)}"


def text(entry: Entry) -> str:
    """Return a text or number as it was written.

    Raises:
        UsageError: it is anything else, or empty.
    """
    return _scalar(entry, entry.node)


def texts(entry: Entry) -> tuple[str, ...]:
    """Return a list of texts, or a lone one."""
    if entry.node.id == "sequence":
        return tuple(_scalar(entry, item) for item in entry.node.value)
    return (text(entry),)


def flag(entry: Entry) -> bool:
    """Return a yes or no."""
    word = entry.node.value.lower() if entry.node.id == "scalar" else ""
    if word not in _WORDS or entry.node.tag not in {BOOL, *TEXT}:
        raise UsageError(f"{entry.where}: true or false is expected, not {_kind(entry.node)}")
    return _WORDS[word]


def parsed(entry: Entry, parse: Callable[[str], T]) -> T:
    """Parse a text, and say where it stands if that fails.

    Raises:
        UsageError: where `parse` raised ValueError.
    """
    try:
        return parse(text(entry))
    except ValueError as error:
        raise UsageError(f"{entry.where}: {error}") from error


def _scalar(entry: Entry, node: Any) -> str:
    if node.id == "scalar" and node.tag in TEXT and node.value:
        return str(node.value)
    raise UsageError(
        f"{entry.where}: a text or a number is expected, not {_kind(node)}",
        hint="quote it if it is meant as a text; leave the key out for the default",
    )


def _kind(node: Any) -> str:
    if node.id != "scalar":
        return f"a {node.id}"
    if node.tag in {BOOL, NULL, *TEXT}:
        return repr(node.value) if node.value else "nothing"
    return f"the tag {node.tag}"
