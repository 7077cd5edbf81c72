"""The text of cml.yaml -> texts and where they stand; knows the keys, not what they mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cml import yaml_nodes
from cml.config.options import OPTIONS, Option
from cml.errors import UsageError
from cml.yaml_nodes import BOOL, NULL, TEXT

Raw = str | tuple[str, ...]
_KEYS = {option.key: option for option in OPTIONS if option.key}
# What stands in the same file and is read elsewhere.
_SECTIONS = {"checks", "verify", "verify-tolerance", "waivers", "waivers-by"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """A value as somebody wrote it, and where: `--flag`, `VARIABLE` or `file:line:column: key`."""

    raw: Raw
    where: str


def read(text: str, filename: str) -> dict[str, Given]:
    """Read cml.yaml; keys without a value are left out.

    Args:
        text: the file's text; it may be empty.
        filename: what to call the file in messages.

    Returns:
        What is given for each option, by the option's name.

    Raises:
        UsageError: not YAML, or an unknown key, a key given twice or a value that is neither one
            value nor a list of them.
    """
    given = {}
    for option, node in _entries(_compose(text, filename), filename):
        where = f"{_place(filename, node)}: {option.key}"
        raw = _raw(node, bools=option.kind == "bool", where=where)
        if raw is not None:
            given[option.name] = Given(raw=raw, where=where)
    return given


def _compose(text: str, filename: str) -> Any:
    try:
        return yaml_nodes.compose(text)
    except yaml_nodes.MalformedError as error:
        raise UsageError(
            f"{filename}:{error}",
            hint="write one `key: value` on each line, and quote special characters, as in '-'",
        ) from error


def _entries(root: Any, filename: str) -> Iterator[tuple[Option, Any]]:
    """The keys' options and their values, each key known and given once."""
    if root is None or root.tag == NULL:
        return
    if root.id != "mapping":
        raise UsageError(
            f"{_place(filename, root)}: keys with values are expected",
            hint="write one `key: value` on each line",
        )
    lines: dict[str, int] = {}
    for key, node in root.value:
        name = key.value if isinstance(key.value, str) else "[...]"
        if name in _SECTIONS:
            continue
        if name not in _KEYS:
            raise UsageError(f"{_place(filename, key)}: unknown key {name!r}", hint=_advice(name))
        if name in lines:
            raise UsageError(
                f"{_place(filename, key)}: {name} is given twice, first in line {lines[name]}",
                hint="keep one of them",
            )
        lines[name] = key.start_mark.line + 1
        yield _KEYS[name], node


def _place(filename: str, node: Any) -> str:
    return f"{filename}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _advice(key: str) -> str:
    import difflib

    plain = key.lower().replace("-", "_")
    if plain.endswith("token"):
        return "a token comes from the environment only; revoke it if it was committed"
    elsewhere = next((option for option in OPTIONS if option.name == plain), None)
    if elsewhere and not elsewhere.key:
        return f"it can be given as {elsewhere.flag} or as {elsewhere.env} only"
    close = difflib.get_close_matches(plain, _KEYS, n=1)
    return f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(_KEYS)}"


def _raw(node: Any, *, bools: bool, where: str) -> Raw | None:
    if node.tag == NULL:
        return None
    if node.id == "sequence":
        return tuple(_scalar(item, bools=False, where=where) for item in node.value)
    return _scalar(node, bools=bools, where=where)


def _scalar(node: Any, *, bools: bool, where: str) -> str:
    if node.id == "scalar" and (node.tag in TEXT or (bools and node.tag == BOOL)):
        return str(node.value)
    if node.id != "scalar":
        kind = f"a {node.id}"
    elif node.tag in {BOOL, NULL}:
        kind = node.value or "nothing"
    else:
        kind = f"the tag {node.tag}"
    raise UsageError(
        f"{where}: a text, a number or a list of texts is expected, not {kind}",
        hint="quote it if it is meant as a text; leave the key out for the default",
    )
