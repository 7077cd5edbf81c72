"""Rounding the way numeral.js and JavaScript do it; knows nothing of patterns."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal

# JavaScript writes numbers outside of this range with an exponent, which numeral.js cannot round.
SMALLEST = 1e-6
LARGEST = 1e21
# Up to this many steps of the last decimal, a float is much closer to its decimal than to the next.
CERTAIN = 10**15

_EXACT = Context(prec=200)


def nearest_float(number: float) -> float:
    """Return the float next to an integer of any size; infinity where there is none."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def significant(number: float) -> str:
    """Return the six most significant digits; never zero for what is not zero."""
    if isinstance(number, float):
        return f"{number:.6g}"
    return str(Context(prec=6).create_decimal(number).normalize()).lower()


def shortest(number: float) -> tuple[str, int]:
    """Return the mantissa and power of ten of the shortest decimal that reads back the same."""
    mantissa, _, exponent = repr(float(number)).partition("e")
    return mantissa, int(exponent or 0)


def plain(number: float) -> str:
    """Return the shortest decimal without an exponent, as JavaScript writes it below 1e21."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def half_up(number: float) -> int:
    """Round to the nearest integer, halves toward positive infinity: ECMAScript's Math.round."""
    floor = math.floor(number)
    return floor + (number - floor >= 0.5)  # noqa: PLR2004 - a half is a half


def fixed(number: float, *, least: int, most: int) -> str | None:
    """Return the number with `least` to `most` decimals; None where numeral.js gives NaN.

    It is the shortest decimal that is shifted and rounded, not the binary value, so that 1.005
    becomes 1.01; the shift back is in binary, and shows in numbers of more than 15 digits.
    """
    if number and not SMALLEST <= abs(number) < LARGEST:
        return None
    if isinstance(number, int):
        return f"{number}.{'0' * least}".removesuffix(".")
    mantissa, exponent = shortest(number)
    decimals = 0 if number.is_integer() else len(mantissa.partition(".")[2]) - exponent
    precision = min(max(decimals, least), most)
    text = _shifted_back(half_up(float(f"{mantissa}e{exponent + precision}")), precision)
    kept = len(text) - (precision - least)
    return (text[:kept] + text[kept:].rstrip("0")).removesuffix(".")


def _shifted_back(whole: int, decimals: int) -> str:
    """Divide by a power of ten as a float, and show that as ECMAScript's toFixed does."""
    number = whole / 10.0**decimals
    if abs(whole) < CERTAIN:
        return f"{number:.{decimals}f}"
    # Here the binary value may lie half way between two decimals: away from zero then.
    step = Decimal(1).scaleb(-decimals, _EXACT)
    return f"{Decimal(number).quantize(step, ROUND_HALF_UP, _EXACT):f}"
