import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml.checks import ranges

DIGITS = st.text("0123456789", min_size=1, max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ODD_FLOATS = st.one_of(
    FLOATS,
    st.sampled_from([5e-324, -5e-324, 1.7976931348623157e308, -1e308, 1e-7, 0.1, -0.001, -0.0]),
    st.decimals(-2, 2, places=3).map(float),
)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A number as people write it: decimal, negative, with an exponent, huge or tiny."""
    sign = draw(st.sampled_from(["", "-", "+"]))
    plain = draw(
        st.one_of(
            DIGITS,
            st.tuples(DIGITS, DIGITS).map(".".join),
            DIGITS.map(lambda digits: f".{digits}"),
        )
    )
    exponents = st.integers(-400, 400).map(lambda power: f"e{power}")
    return sign + plain + draw(st.one_of(st.just(""), exponents, st.sampled_from(["E5", "e+07"])))


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("0.7", ["0.71", "1e300"], ["0.7", "0.69", "-1"]),
        ("0.7..", ["0.71", "1e300"], ["0.7", "0.69", "-1"]),
        ("5", ["5.0001"], ["5", "4"]),
        ("..0.5", ["0.49", "-7"], ["0.5", "0.51"]),
        ("0.0..0.5", ["0.1", "0.49999"], ["0", "0.5", "-0.1", "0.6"]),
        ("-1..-0.5", ["-0.75"], ["-1", "-0.5", "0", "-2"]),
        ("1e-3..", ["0.0011"], ["0.001", "0"]),
        ("-.5...5", ["0"], ["0.5", "-0.5"]),
        ("0.99..1.00", ["0.995"], ["0.99", "1"]),
    ],
)
def test_every_form_of_a_range_holds_what_lies_strictly_between_its_ends(
    text: str, inside: list[str], outside: list[str]
) -> None:
    found = ranges.parse(text)

    assert str(found) == text
    assert all(ranges.contains(found, Decimal(value)) for value in inside)
    assert not any(ranges.contains(found, Decimal(value)) for value in outside)


@given(numbers(), numbers(), numbers())
def test_a_range_agrees_with_fractions(low: str, high: str, value: str) -> None:
    left, right, number = Fraction(low), Fraction(high), Fraction(value)

    assert ranges.contains(ranges.parse(low), Decimal(value)) == (number > left)
    assert ranges.contains(ranges.parse(f"{low}.."), Decimal(value)) == (number > left)
    assert ranges.contains(ranges.parse(f"..{high}"), Decimal(value)) == (number < right)
    if left < right:
        both = ranges.parse(f"{low}..{high}")
        assert ranges.contains(both, Decimal(value)) == (left < number < right)
    else:
        with pytest.raises(ValueError, match="reversed" if left > right else "empty"):
            ranges.parse(f"{low}..{high}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        ".",
        "a",
        "0.7.",
        "0.7...",
        "1..2..3",
        "0.5-0.7",
        "0,5..",
        " 1..2",
        "1 .. 2",
        "nan",
        "inf..",
        "..-inf",
        "1_000",
        "\u0661..",
        "0x10",
        "1e99999..",
        "--1",
        ">0.7",
    ],
)
def test_what_is_no_range_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match=r"0\.7\.\. \(more than 0\.7\)"):
        ranges.parse(text)


def test_ranges_are_the_same_however_their_ends_are_written() -> None:
    assert ranges.parse("0.7") == ranges.parse("0.70..")
    assert ranges.parse("0.7") != ranges.parse("..0.7")


def test_the_value_of_the_screenshot_is_rounded_onto_the_end_and_fails() -> None:
    value = ranges.rounded(0.991100, precision=2, how="down")

    assert str(value) == "0.99"
    assert not ranges.contains(ranges.parse("0.99..1.00"), value)
    assert ranges.contains(ranges.parse("0.99..1.00"), ranges.exact(0.991100))


@pytest.mark.parametrize(
    ("value", "precision", "down", "up"),
    [
        (0.29, 2, "0.29", "0.29"),  # 0.29 * 100 is 28.999999999999996 in floats
        (1.005, 2, "1.00", "1.01"),
        (-0.001, 2, "-0.01", "0.00"),
        (-0.5, 0, "-1", "0"),
        (0.0, 2, "0.00", "0.00"),
        (-0.0, 1, "0.0", "0.0"),
        (5e-324, 2, "0.00", "0.01"),
        (1e22, 1, "10000000000000000000000.0", "10000000000000000000000.0"),
        (7, 2, "7", "7"),
        (10**400, 2, str(10**400), str(10**400)),
    ],
)
def test_down_is_toward_negative_and_up_toward_positive_infinity(
    value: float, precision: int, down: str, up: str
) -> None:
    assert str(ranges.rounded(value, precision=precision, how="down")) == down
    assert str(ranges.rounded(value, precision=precision, how="up")) == up


@given(ODD_FLOATS, st.integers(0, 100))
def test_rounding_agrees_with_fractions(value: float, precision: int) -> None:
    shifted = Fraction(repr(value)) * 10**precision

    down = ranges.rounded(value, precision=precision, how="down")
    up = ranges.rounded(value, precision=precision, how="up")

    assert Fraction(down) == Fraction(math.floor(shifted), 10**precision)
    assert Fraction(up) == Fraction(math.ceil(shifted), 10**precision)


@given(st.integers())
def test_a_whole_number_is_never_changed_by_rounding(value: int) -> None:
    assert ranges.rounded(value, precision=0, how="up") == value
    assert ranges.rounded(value, precision=3, how="down") == value
