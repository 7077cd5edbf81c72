"""Reading a numeral.js format into its parts, strictly; formats no number."""

import re
from dataclasses import dataclass
from functools import lru_cache

from cml import errors

LONGEST = 100  # JavaScript's toFixed takes no more decimals
HINT = (
    "formats follow numeral.js, for example 0.000, 0,0.00, 0[.][0000000], +0.0[000], (0,0), "
    "0.00%, 0.0a, 0.0 ak, 0.00e+0, 0.0 ib, 0o, $0,0.00, 00:00:00, 0 BPS"
)

# Every part may be absent, so that the match always ends where the first foreign character stands.
_SHAPE = re.compile(
    r"""
    (?P<prefix> [(+-]? (?:\$\ ?)? [(+-]? )
    (?P<whole> (?:0+(?:,0+)*)? )
    (?: (?P<point> \. | \[\.\] ) (?P<fixed> 0* ) (?: \[ (?P<optional> 0+ ) \] )? )?
    (?:
        (?P<gap> \ ? ) (?P<abbreviation> a[kmbt]? )
      | (?P<space> \ ? ) (?P<unit> % | BPS | o | (?<=[0\ ]) i?b )
      | (?P<exponent> e[+-]0 )
    )?
    (?P<suffix> [)+-]? (?:\ ?\$)? [)+-]? )
    """,
    re.VERBOSE,
)
_CLOCK = re.compile(r"0{1,2}:00:00")
_GROUP = re.compile(r"(?<=\d)(?=(?:\d{3})+(?:\.|$))")


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A format in its parts.

    `positive` and `negative` are what stands before and after a number of that sign; `fixed` and
    `optional` count decimals, `width` digits before them. `unit` is one of `%`, `BPS`, `o`, `b`,
    `ib`, `e`, `:` or empty; `abbreviation` is `a`, one of `k`, `m`, `b`, `t`, or empty.
    """

    positive: tuple[str, str] = ("", "")
    negative: tuple[str, str] = ("-", "")
    width: int = 0
    grouped: bool = False
    fixed: int = 0
    optional: int = 0
    droppable: bool = False
    abbreviation: str = ""
    space: str = ""
    unit: str = ""


@lru_cache(maxsize=64)
def parse(text: str) -> Pattern:
    """Return the parts of a numeral.js format.

    Raises:
        errors.UsageError: it is not one; the message names the place.
    """
    if len(text) > LONGEST:
        raise _refusal(text, f"it is longer than {LONGEST} characters")
    if _CLOCK.fullmatch(text):
        return Pattern(unit=":")
    shape = next(_SHAPE.finditer(text))
    if shape.end() < len(text):
        rest = text[shape.end() :]
        raise _refusal(text, f"cannot read {rest!r} at character {shape.end() + 1}")
    parts = shape.groupdict(default="")
    problem = _missing_digits(parts) or _unbalanced(parts) or _clash(parts)
    if problem:
        raise _refusal(text, problem)
    return _pattern(parts)


def lay_out(digits: str, pattern: Pattern) -> str:
    """Pad the digits before the decimal point with zeros, and group them in thousands."""
    if not pattern.width:
        return ""
    padded = digits.rjust(pattern.width, "0")
    return _GROUP.sub(",", padded) if pattern.grouped else padded


def _refusal(text: str, problem: str) -> errors.UsageError:
    return errors.UsageError(f"{text!r} is not a number format: {problem}", hint=HINT)


def _missing_digits(parts: dict[str, str]) -> str | None:
    if parts["point"] and not parts["fixed"] + parts["optional"]:
        return f"no 0 after {parts['point']!r}"
    if parts["whole"]:
        return None
    if not parts["point"]:
        return "no digit placeholder 0"
    # Without a digit before the point and one that is always shown after it, a text could be empty.
    if parts["point"] == "[.]" or not parts["fixed"] or parts["exponent"]:
        return f"no 0 before {parts['point']!r}"
    return None


def _unbalanced(parts: dict[str, str]) -> str | None:
    marks = _marks(parts)
    if marks in {"", "+", "-", "()"}:
        return None
    if len(marks) == 1:
        return f"{marks!r} without its partner"
    return f"{' and '.join(map(repr, marks))} do not go together"


def _clash(parts: dict[str, str]) -> str | None:
    """Name two parts of which numeral.js would take one and garble the other."""
    unit = parts["unit"] or parts["exponent"]
    if not unit:
        both = parts["prefix"].count("$") + parts["suffix"].count("$")
        return "more than one '$'" if both > 1 else None
    if "$" in parts["prefix"] + parts["suffix"]:
        return f"'$' and {unit!r} do not go together"
    if unit[0] in "eo" and "(" in parts["prefix"]:
        return f"'(' and {unit!r} do not go together"
    if parts["suffix"] not in {"", ")"}:
        return f"{parts['suffix']!r} after {unit!r}: put the sign before the number"
    return None


def _marks(parts: dict[str, str]) -> str:
    return re.sub(r"[^()+-]", "", parts["prefix"] + parts["suffix"])


def _pattern(parts: dict[str, str]) -> Pattern:
    before, after = parts["prefix"], parts["suffix"]
    # A minus that the pattern does not place stands first of all, before a currency too.
    minus = "-" if "+" in before or not _marks(parts) else ""
    abbreviation = parts["abbreviation"]
    return Pattern(
        positive=(re.sub(r"[(-]", "", before), re.sub(r"[)-]", "", after)),
        negative=(minus + before.replace("+", ""), after.replace("+", "-")),
        width=parts["whole"].partition(",")[0].count("0"),
        grouped="," in parts["whole"],
        fixed=len(parts["fixed"]),
        optional=len(parts["optional"]),
        droppable=parts["point"] == "[.]",
        abbreviation=abbreviation[1:] or abbreviation,
        space=parts["gap"] or parts["space"],
        unit=parts["unit"] or parts["exponent"][:1],
    )
