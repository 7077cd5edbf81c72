import math

import pytest

from cml import errors, numerals

DEFAULT = "0[.][0000000]"

DOCUMENTED = [
    (0, "0.00", "0.00"),
    (100.78, "0", "101"),
    (10000, "0,0.0000", "10,000.0000"),
    (-10000, "0,0.0", "-10,000.0"),
    (1.005, "0.00", "1.01"),
    # optional decimals
    (10000, "0[.]00", "10000"),
    (10000.001, "0[.]00", "10000"),
    (10000.456, "0[.]00[0]", "10000.456"),
    (3162.63, "0.0[00000000000000]", "3162.63"),
    (1.99, "0.[0]", "2"),
    (1.0501, "0.00[0]", "1.05"),
    (0.8125, DEFAULT, "0.8125"),
    (2 / 3, DEFAULT, "0.6666667"),
    # signs and parentheses
    (1230, "+0,0", "+1,230"),
    (-12300, "+0,0.0000", "-12,300.0000"),
    (0, "+0", "+0"),
    (1230, "-0,0", "1,230"),
    (-1230, "-0,0", "-1,230"),
    (1230.4, "0,0.0+", "1,230.4+"),
    (-1230.4, "0,0.0+", "1,230.4-"),
    (1230.4, "0,0.0-", "1,230.4"),
    (-1230.4, "0,0.0-", "1,230.4-"),
    (-10000, "(0,0.0000)", "(10,000.0000)"),
    # no digit before the point, leading zeros
    (-0.23, ".00", "-.23"),
    (-0.23, "(.00)", "(.23)"),
    (0, "00.0", "00.0"),
    (0.23, "000.[00]", "000.23"),
    (4, "000", "004"),
    (1000, "000,0", "1,000"),
    (1000, "0000000,0", "0,001,000"),
    # abbreviations
    (2_000_000_000, "0.0a", "2.0b"),
    (1_230_974, "0.0a", "1.2m"),
    (1460, "0a", "1k"),
    (-104_000, "0 a", "-104 k"),
    (999_950, "0.0a", "1.0m"),
    (999_999_999, "0a", "1b"),
    (-5_444_333_222_111, "0,0 ak", "-5,444,333,222 k"),
    (5_444_333_222_111, "0,0 am", "5,444,333 m"),
    (-5_444_333_222_111, "0,0 ab", "-5,444 b"),
    (5_444_333_222_111, "0,0 at", "5 t"),
    (150, "0.0 ak", "0.2 k"),
    (1500, "0ak", "2k"),
    # percent and basis points
    (0, "0%", "0%"),
    (0.974878234, "0.000%", "97.488%"),
    (-0.43, "0 %", "-43 %"),
    (0.43, "(0.00[0]%)", "43.00%"),
    (-0.43, "(0.00[0]%)", "(43.00%)"),
    (0.0001, "0 BPS", "1 BPS"),
    (0.25, "0BPS", "2500BPS"),
    (0.000001, "0.00 BPS", "0.01 BPS"),
    # exponents
    (0, "0e+0", "0e+0"),
    (77.1234, "0.0e+0", "7.7e+1"),
    (0.000000771234, "0.0e-0", "7.7e-7"),
    (-1000830298, "0.0[000]e+0", "-1.0008e+9"),
    # bytes
    (0, "0b", "0B"),
    (2000, "0 b", "2 KB"),
    (2048, "0 ib", "2 KiB"),
    (3467479682787.328, "0.000ib", "3.154TiB"),
    (7884486213.632, "0.[0] ib", "7.3 GiB"),
    (1e24, "0b", "1YB"),
    # ordinals
    (1, "0o", "1st"),
    (52, "0 o", "52 nd"),
    (23, "0o", "23rd"),
    (111, "0o", "111th"),
    (1234, "0,0o", "1,234th"),
    # currency
    (1000.234, "$0,0.00", "$1,000.23"),
    (1000.2, "0,0[.]00 $", "1,000.20 $"),
    (1001, "$ 0,0[.]00", "$ 1,001"),
    (-1000.234, "(0,0 $)", "(1,000 $)"),
    (-1000.234, "$ (0,0.00)", "$ (1,000.23)"),
    (1000.234, "$ (0,0.00)", "$ 1,000.23"),
    (-1000.234, "$ 0.00", "-$ 1000.23"),
    (-1000.234, "$ -0,0", "$ -1,000"),
    (1_230_974, "($0.00 a)", "$1.23 m"),
    # time
    (238, "00:00:00", "0:03:58"),
    (63846, "00:00:00", "17:44:06"),
]


@pytest.mark.parametrize(("value", "pattern", "text"), DOCUMENTED)
def test_a_documented_format_gives_the_documented_text(
    value: float, pattern: str, text: str
) -> None:
    numerals.check(pattern)
    assert numerals.format(value, pattern) == text


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (2.5, "0", "3"),
        (-2.5, "0", "-2"),
        (0.49999999999999994, "0.[0]", "0.5"),
        (-1.005, "0.00", "-1.00"),
        (9.99, "0.0e+0", "10.0e+0"),
        (-999_999, "0a", "-1000k"),
        (999.6, "0a", "1000"),
        (999_999, "0 a", "1 k"),
        (1e15, "0 a", "1 t"),
        (1.5e15, "0 a", "1.5 t"),
        (150, "0 a", "150 "),
        (-2048, "0ib", "-2048"),
        (-1, "0o", "-1th"),
        (1.5, "0o", "2th"),
        (1.5, ".00", ".50"),
        (59.7, "00:00:00", "0:00:60"),
        (-25, "00:00:00", "-1:59:35"),
    ],
)
def test_the_quirks_of_numeral_js_are_kept(value: float, pattern: str, text: str) -> None:
    assert numerals.format(value, pattern) == text


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (1e-8, DEFAULT, "1e-08"),
        (0.0000000123, DEFAULT, "1.23e-08"),
        (0.0000005, DEFAULT, "5e-07"),
        (-0.4, "0", "-0.4"),
        (-0.001, "0.00", "-0.001"),
        (0.001, "+0.00", "+0.001"),
        (-0.001, "(0.00)", "(0.001)"),
        (2.0, ".00", "2"),
        (0.00001, "0.00%", "0.001%"),
        (-0.00001, "(0 %)", "(0.001 %)"),
        (0.00000001, "0 BPS", "0.0001 BPS"),
        (-0.001, "0.00 $", "-0.001 $"),
        (1, "0.0ak", "0.001k"),
        (0.1, "0b", "0.1"),
        (0.4, "00:00:00", "0.4"),
        (5e-324, "0.00", "4.94066e-324"),
        (5e-324, "0at", "4.94066e-324"),
        (1e22, "0", "1e+22"),
        (-1e22, "0,0.00", "-1e+22"),
        (1e22, "0.0a", "10000000000.0t"),
        (1e40, "0.0a", "1e+28t"),
        (1.5e15, "0.0 a", "1500 t"),
        (1.7e308, "0%", "1.7e+308"),
        (1e27, "0 b", "1000 YB"),
        (1e25, "00:00:00", "1e+25"),
        (10**400, "0o", "1e+400"),
        (-(10**400), "0", "-1e+400"),
        (10**400, "0%", "1e+400"),
        (10**400, "00:00:00", "1e+400"),
    ],
)
def test_what_numeral_js_cannot_show_gets_significant_digits(
    value: float, pattern: str, text: str
) -> None:
    assert numerals.format(value, pattern) == text


def test_a_sign_that_numeral_js_puts_among_the_digits_stands_before_or_after_them() -> None:
    assert numerals.format(-1000, "+$0,0") == "-$1,000"
    assert numerals.format(-1000, "$0,0-") == "$1,000-"
    assert numerals.format(-1000, "$0,0+") == "$1,000-"


@pytest.mark.parametrize("value", [2**53 + 1, 12345678901234567891, -(10**20) - 1])
def test_an_integer_that_a_float_cannot_hold_keeps_its_digits(value: int) -> None:
    assert numerals.format(value, "0") == str(value)
    assert numerals.format(value, "0,0.00") == f"{value:,}.00"
    assert numerals.format(abs(value) // 10 * 10 + 3, "0o") == f"{abs(value) // 10}3rd"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, False])
def test_what_is_not_a_finite_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        numerals.format(value, "0.00")


def test_a_negative_zero_is_a_zero() -> None:
    assert numerals.format(-0.0, "0.00") == "0.00"
    assert numerals.format(-0.0, "(0%)") == "0%"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", "no digit placeholder 0"),
        ("%", "no digit placeholder 0"),
        ("hello", "cannot read 'hello' at character 1"),
        ("0.00x", "cannot read 'x' at character 5"),
        (".2f", "cannot read '2f' at character 2"),
        ("{:.2f}", "cannot read '{:.2f}' at character 1"),
        (" 0", "cannot read ' 0' at character 1"),
        ("0.00 ", "cannot read ' ' at character 5"),
        ("0.00\n", r"cannot read '\n' at character 5"),
        ("0.0[00", "cannot read '[00' at character 4"),
        ("0.0[]", "cannot read '[]' at character 4"),
        ("0.0[0][0]", "cannot read '[0]' at character 7"),
        ("0.0.0", "cannot read '.0' at character 4"),
        ("0,", "cannot read ',' at character 2"),
        ("0.[0]b", "cannot read 'b' at character 6"),
        ("0bb", "cannot read 'b' at character 3"),
        ("0e+00", "cannot read '0' at character 5"),
        ("00:00", "cannot read ':00' at character 3"),
        ("0.", "no 0 after '.'"),
        ("0[.]", "no 0 after '[.]'"),
        (".[00]", "no 0 before '.'"),
        ("[.]00", "no 0 before '[.]'"),
        (".0e+0", "no 0 before '.'"),
        ("(0.00", "'(' without its partner"),
        ("0.00)", "')' without its partner"),
        ("+0+", "'+' and '+' do not go together"),
        ("(+0)", "'(' and '+' and ')' do not go together"),
        ("$0$", "more than one '$'"),
        ("$0%", "'$' and '%' do not go together"),
        ("(0o)", "'(' and 'o' do not go together"),
        ("(0e+0)", "'(' and 'e+0' do not go together"),
        ("0%+", "'+' after '%'"),
        ("0" * 101, "longer than 100 characters"),
    ],
)
def test_an_invalid_format_is_refused_naming_the_place(pattern: str, problem: str) -> None:
    for use in (numerals.check, lambda bad: numerals.format(1.5, bad)):
        with pytest.raises(errors.UsageError) as caught:
            use(pattern)
        assert problem in caught.value.message
        assert repr(pattern) in caught.value.message
        assert "0,0.00" in (caught.value.hint or "")


def test_every_example_in_the_hint_is_a_format() -> None:
    with pytest.raises(errors.UsageError) as caught:
        numerals.check("")
    examples = (caught.value.hint or "").partition("for example ")[2].split(", ")
    assert len(examples) > 10
    for example in examples:
        numerals.check(example)
