"""numeral.js number formats: a value and a pattern to the text for people; no reading back.

The texts are those of numeral.js 2.0.6 with its English locale (http://numeraljs.com), wherever
those are numbers. Where it shows NaN, or shows zero for a value that is not zero, the digits are
the six most significant ones instead, with the sign, currency and unit of the pattern.
"""

import math

from cml.numerals import pattern as patterns
from cml.numerals import rounding, scaling


def check(pattern: str) -> None:
    """Refuse a format that is not one.

    Raises:
        errors.UsageError: it has no digit placeholder, or a character that does not belong.
    """
    patterns.parse(pattern)


def format(value: float, pattern: str) -> str:  # noqa: A001 - read as `numerals.format`
    """Return the text of a finite number in a numeral.js format such as `0,0.00` or `0.0[00]%`.

    Integers that a float cannot hold keep their digits, up to 1e21.

    Raises:
        errors.UsageError: the format is invalid.
        ValueError: the value is not finite, or is a bool.
    """
    parsed = patterns.parse(pattern)
    number = _number(value)
    before, after = parsed.negative if number < 0 else parsed.positive
    return f"{before}{_body(number, parsed)}{after}"


def _number(value: float) -> float:
    """Return a float wherever it holds the value exactly, as numeral.js knows no other number."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"not a finite number: {value!r}")
    if isinstance(value, float):
        return value
    number = rounding.nearest_float(value)
    return number if number == value else value


def _body(number: float, parsed: patterns.Pattern) -> str:
    """Return the text between what stands before and after the number: digits and unit."""
    if not parsed.unit and not parsed.abbreviation:
        return _digits(number, "", parsed) or rounding.significant(abs(number))
    if parsed.unit == ":":
        return scaling.clock(rounding.nearest_float(number)) or rounding.significant(abs(number))
    scaled, unit = scaling.scale(number, parsed)
    if not math.isfinite(rounding.nearest_float(scaled)) or (number and not scaled):
        return rounding.significant(abs(number))
    return _digits(scaled, unit, parsed) or rounding.significant(abs(scaled)) + unit


def _digits(scaled: float, unit: str, parsed: patterns.Pattern) -> str | None:
    """Return digits as the pattern lays them out, and the unit; None where they tell nothing."""
    text = rounding.fixed(scaled, least=parsed.fixed, most=parsed.fixed + parsed.optional)
    if text is None:
        return None
    whole, _, fraction = text.removeprefix("-").partition(".")
    if parsed.droppable and not fraction.strip("0"):
        fraction = ""
    if parsed.abbreviation == "a" and scaled > 0:
        whole, unit = scaling.carry(whole, unit)
    whole = patterns.lay_out(whole, parsed)
    if scaled and not (whole + fraction).strip("0.,"):
        return None
    if "." in whole and fraction:
        return None
    return f"{whole}.{fraction}{unit}" if fraction else whole + unit
