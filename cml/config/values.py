"""Texts that people wrote -> typed values; a parser raises ValueError saying what it expected."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cml.record import Forge, Verdict

Way = Literal["push", "pull-request"]
Images = Literal["auto", "inline", "none"]

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_SEPARATORS = re.compile(r"[, \t\r\n]+")
_NAME_LIMIT = 100
# A ref is a file in a clone, whose name has 255 bytes at most; a sha comes after the prefix.
_PREFIX_LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What to work on: `names` where `kind` is `named`, else empty.

    `default` leaves the choice to the run (each option says what that is), `none` skips the work
    (written `-`), and `all` takes everything (written `all`, and known to `dvc_pull` only).
    """

    kind: Literal["default", "none", "all", "named"] = "default"
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who git says made a commit."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


def split(text: str) -> tuple[str, ...]:
    """Split on commas and white space, dropping what is empty."""
    return tuple(name for name in _SEPARATORS.split(text) if name)


def targets(names: tuple[str, ...]) -> Targets:
    """Parse stages or files, where `-` alone stands for none."""
    return _targets(names, words={"-": Targets(kind="none")})


def pull_targets(names: tuple[str, ...]) -> Targets:
    """Parse what to pull, where `-` alone stands for nothing and `all` alone for everything."""
    return _targets(names, words={"-": Targets(kind="none"), "all": Targets(kind="all")})


def files(names: tuple[str, ...]) -> tuple[str, ...]:
    """Parse files, where `-` alone stands for none."""
    return targets(names).names


def _targets(names: tuple[str, ...], *, words: dict[str, Targets]) -> Targets:
    if not names or not all(names):
        raise ValueError("a name is missing; `-` stands for none")
    if len(names) == 1 and names[0] in words:
        return words[names[0]]
    for name in names:
        if name in words:
            raise ValueError(f"`{name}` stands alone, without other names")
        line(name)
    return Targets(kind="named", names=tuple(dict.fromkeys(names)))


def boolean(text: str) -> bool:
    """Parse a yes or a no, in any capitalisation."""
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"true or false is expected, not {text!r}")
    return word in _TRUE


def forge(text: str) -> str:
    """Parse the name of a forge."""
    return _one_of(get_args(Forge), text)


def verdicts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Parse verdicts that block, where `-` alone stands for none."""
    known = tuple(word for word in get_args(Verdict) if word != "pass")
    return tuple(_one_of(known, name) for name in targets(names).names)


def way(text: str) -> str:
    """Parse how results reach their branch."""
    return _one_of(get_args(Way), text)


def images(text: str) -> str:
    """Parse what happens to pictures."""
    return _one_of(get_args(Images), text)


def _one_of(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(f"one of {', '.join(words)} is expected, not {text!r}")
    return text


def count(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not re.fullmatch(r"0*[1-9][0-9]{0,17}", text):
        raise ValueError(f"a whole number of at least 1 is expected, not {text!r}")
    return int(text)


def line(text: str) -> str:
    """Parse one line of text, without control characters."""
    if not text:
        raise ValueError("a text is expected, and it is empty")
    if _CONTROL.search(text):
        raise ValueError(f"one line without control characters is expected, not {text!r}")
    return text


def revision(text: str) -> str:
    """Parse a git revision, as far as can be told without the repository."""
    if text.startswith("-"):
        raise ValueError(f"a revision does not begin with `-`: {text!r}")
    return line(text)


def folder(text: str) -> Path:
    """Parse a folder that nothing else lives in."""
    path = Path(line(text))
    if path.name in {"", ".."}:
        raise ValueError(f"a folder of its own is expected, not {text!r}")
    return path


def name(text: str) -> str:
    """Parse the name of a comment and a status.

    It goes into an HTML comment, which `<` and `>` could end, and into a commit status.
    """
    if not text.isprintable() or not 0 < len(text) <= _NAME_LIMIT or set(text) & {"<", ">"}:
        raise ValueError(
            f"one line of 1 to {_NAME_LIMIT} printable characters without < and > is expected, "
            f"not {text[: _NAME_LIMIT + 1]!r}"
        )
    return text


def tag_prefix(text: str) -> str | None:
    """Parse what stands before the short sha in a tag's name; empty for no tags.

    The rules are those of git-check-ref-format, and of git-tag for a `-` in front.
    """
    if not text:
        return None
    line(text)
    forbidden = re.search(r"^[-/]|//|\.\.|(?:^|/)\.|\.lock/|@\{|[ ~^:?*\[\\]", text)
    if forbidden:
        raise ValueError(f"git allows no {forbidden[0]!r} there in a tag's name: {text!r}")
    if len(text.encode()) > _PREFIX_LIMIT:
        raise ValueError(f"at most {_PREFIX_LIMIT} bytes are expected, not {len(text.encode())}")
    return text


def person(text: str) -> Person:
    """Parse `Name <mail>`; git drops punctuation around both, so something else must be there."""
    found = re.fullmatch(r"([^<>]+)<([^<>\s@]+@[^<>\s@]+)>", line(text))
    if not found or not any(character.isalnum() for character in found[1]):
        raise ValueError(f"`Name <mail@host>` is expected, not {text!r}")
    return Person(name=found[1].strip(), email=found[2])
