"""What the unit of a pattern does to a number: percent, bytes, thousands, hours; no layout."""

import math
import re
from decimal import Decimal

from cml.numerals import rounding
from cml.numerals.pattern import Pattern

ABBREVIATIONS = {"t": 1e12, "b": 1e9, "m": 1e6, "k": 1e3}
CARRIED = {"k": "m", "m": "b", "b": "t"}
BYTES = {
    "b": (1000, ("B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")),
    "ib": (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")),
}


def scale(number: float, pattern: Pattern) -> tuple[float, str]:
    """Return the number to show and the unit to show after it, with the space that parts them.

    The pattern has a unit or an abbreviation.
    """
    value = rounding.nearest_float(number)
    if not math.isfinite(value):
        return value, ""
    if pattern.unit == "e":
        return _exponent(value)
    if pattern.abbreviation:
        scaled, unit = _abbreviated(value, pattern.abbreviation)
    elif pattern.unit in BYTES:
        scaled, unit = _bytes(value, pattern.unit)
    elif pattern.unit == "o":
        scaled, unit = number, _ordinal(number)
    else:
        scaled, unit = value * {"%": 100, "BPS": 10_000}[pattern.unit], pattern.unit
    return scaled, pattern.space + unit


def carry(whole: str, unit: str) -> tuple[str, str]:
    """Turn the 1000k that 999,999 is rounded to into 1m.

    numeral.js divides by 1000 but does not know its own unit after a space: there 999,999 is
    `1 k`, and 1e15 is `1 t`. It is its text that is promised, so it is kept.
    """
    if unit in {"", "t"} or int(whole) < 1000:  # noqa: PLR2004 - a thousand is a thousand
        return whole, unit
    return rounding.plain(int(whole) / 1000), CARRIED.get(unit, unit)


def clock(seconds: float) -> str | None:
    """Return hours:minutes:seconds; None where they would be no time, or zero for what is not.

    The sums are numeral.js's: the hours are rounded down, so that -25 is `-1:59:35`, shown here
    without its sign; the seconds are rounded last, so that 59.7 is `0:00:60`.
    """
    if not math.isfinite(seconds):
        return None
    hours = float(math.floor(seconds / 60 / 60))
    minutes = math.floor((seconds - hours * 60 * 60) / 60)
    rest = rounding.half_up(seconds - hours * 60 * 60 - minutes * 60)
    text = f"{rounding.plain(abs(hours))}:{minutes:02}:{rest:02}"
    told = re.fullmatch(r"\d{1,21}:\d\d:\d\d", text) and (not seconds or text.strip("0:"))
    return text if told else None


def _abbreviated(value: float, wanted: str) -> tuple[float, str]:
    if wanted != "a":
        return value / ABBREVIATIONS[wanted], wanted
    for unit, size in ABBREVIATIONS.items():
        if abs(value) >= size:
            return value / size, unit
    return value, ""


def _bytes(value: float, unit: str) -> tuple[float, str]:
    """Return the value in the largest unit that leaves at least 1; none for less than a byte."""
    base, suffixes = BYTES[unit]
    if value == 0:
        return value, suffixes[0]
    for power in reversed(range(len(suffixes))):
        size = float(base**power)
        if value >= size:
            return value / size, suffixes[power]
    return value, ""


def _exponent(value: float) -> tuple[float, str]:
    decimal = Decimal(repr(value))
    power = decimal.adjusted() if value else 0
    return float(decimal.scaleb(-power)), f"e{power:+d}"


def _ordinal(number: float) -> str:
    """Return the English ending; numeral.js gives `th` to what is negative or not whole."""
    if number < 0 or int(number % 100 / 10) == 1:
        return "th"
    endings: dict[float, str] = {1: "st", 2: "nd", 3: "rd"}
    return endings.get(number % 10, "th")
