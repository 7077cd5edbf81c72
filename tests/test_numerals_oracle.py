import json
import math
import os
import random
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml import numerals

DEFAULT = "0[.][0000000]"
PATTERNS = [
    *("0", "0.0", "0.00", "0,0", "0,0.00", "0,000.00", "0.00000", ".00", "(.00)"),
    *("0[.]00", "0[.]00[0]", DEFAULT, "0.0[000]", "0.00[0]", "0.[0]", "0.[00]"),
    *("0.0[00000000000000]", "0." + "0" * 25, "0.[" + "0" * 40 + "]"),
    *("(0,0)", "(0.00)", "+0,0", "0,0+", "-0,0", "0,0-", "0,0.0+", "0,0.0-"),
    *("00.0", "000.[00]", "00000", "000,0", "0000000,0"),
    *("0a", "0.0a", "0,0a", "0.0[00]a", "(0.0a)", "+0.0a", "0a+", "0ak", "0,0am", "0.0ab"),
    *("0.000at", "0 a", "0.0 a", "0,0 a", "0.00[00] a", "(0.0 a)", "0,0 ak", "0.0[0] ak", "0,0 at"),
    *("0%", "0.00%", "0[.]0[00]%", "+0.0%", "(0.00[0]%)", "-0%", "0 %", "0.00 %", "(0.00 %)"),
    *("0BPS", "(0BPS)", "0 BPS", "0.0[00] BPS"),
    *("0e+0", "0.0e-0", "0.00e+0", "0.0[000]e+0", "+0.0e+0", "00.0e+0"),
    *("0b", "0ib", "0.0b", "0,0.00ib", "(0.0b)", "0 b", "0 ib", "0.[0] ib", "+0.0 ib"),
    *("0o", "0 o", "0,0o", "0.0o", "+0o", "00:00:00", "0:00:00"),
    *("$0.00", "$0,0.00", "$0.0a", "$ 0.00", "$ 0,0[.]00", "$ 0,0.[00]", "-$0,0", "-$ 0,0.0"),
    *("$-0,0", "$ -0,0", "$+0,0", "($0,0)", "($ 0,0)", "$(0,0)", "$ (0,0.00)", "($0.00 a)"),
    *("0,0.00 $", "0,0[.]00 $", "(0,0$)", "(0,0 $)", "(0,0)$", "(0,0) $", "-0,0$", "+0,0.0 $"),
    *("0,0$-", "0,0-$", "0,0+$", "0,0$+", "0.0a$", "0.0 a $", "0 a $"),
]
UNITS = {"": 1.0, "%": 1e-2, "BPS": 1e-4, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
UNITS |= {unit + "B": 1000.0**power for power, unit in enumerate(["", *"KMGTPEZY"])}
UNITS |= {unit + "iB": 1024.0**power for power, unit in enumerate("KMGTPEZY", 1)}

finite = st.floats(allow_nan=False, allow_infinity=False)
near_one = st.floats(-1e4, 1e4)
decimals = st.builds(lambda digits, power: digits / 10**power, st.integers(), st.integers(0, 9))
numbers = st.one_of(finite, near_one, decimals, st.integers(), st.integers(-(10**30), 10**30))


@given(numbers | st.sampled_from([10**400, -(10**400)]), st.sampled_from(PATTERNS))
def test_a_text_is_never_nan_and_zero_only_for_zero(value: float, pattern: str) -> None:
    text = numerals.format(value, pattern)
    assert not re.search("nan|inf|undefined", text, re.IGNORECASE)
    mantissa = re.sub(r"e[+-]\d+", "", text)
    assert bool(re.search("[1-9]", mantissa)) == bool(value)


@given(
    numbers,
    st.sampled_from(
        [
            ("0", 0),
            ("0.00", 2),
            ("0,0.00", 2),
            ("0.0[000]", 4),
            (DEFAULT, 7),
            ("+0,0.0", 1),
            ("0,0.00-", 2),
            ("(0,0.000)", 3),
            ("0.00%", 2),
            ("0[.]0[00] %", 3),
            ("(0 BPS)", 0),
            ("0.0ak", 1),
            ("0.000 at", 3),
            ("0.00a", 2),
            ("0.00 ib", 2),
            ("0,0.0b", 1),
            ("$0,0.00", 2),
            ("(0.0 $)", 1),
        ]
    ),
)
def test_a_text_reads_back_within_its_precision(value: float, case: tuple[str, int]) -> None:
    pattern, shown = case
    text = numerals.format(value, pattern)
    parts = re.fullmatch(r"[(+-]?\$?([\d.,]+(?:e[+-]\d+)?) ?(\w*|%) ?\$?([)-]?)", text)
    assert parts, text
    unit = UNITS[parts[2]]
    read = float(parts[1].replace(",", "")) * unit * (-1 if "-" in text[:1] + parts[3] else 1)
    read = -read if "(" in text else read
    last_place = 0.5 * 10.0**-shown * unit
    few = abs(value) < 0.9999 * last_place or not 1e-6 <= abs(value) / unit < 1e21
    allowed = 5.0001e-6 * abs(value) if few else last_place * 1.0001 + 1e-14 * abs(value)
    assert math.isclose(read, value, rel_tol=0, abs_tol=allowed), text


def samples(chance: random.Random, count: int) -> Iterator[float]:
    """Yield numbers of every size, among them the ones that round badly."""
    awkward = [
        0,
        1,
        0.5,
        1.5,
        2.5,
        0.05,
        1.005,
        9.99,
        11,
        12,
        101,
        111,
        59.7,
        3599.9,
        999.5,
        999.95,
    ]
    awkward += [999949, 999950, 999999, 999999999, 1e12, 1e15, 1.5e15, 1e21, 1e24, 1e27, 1e-6, 1e-7]
    for _ in range(count):
        value = chance.choice(
            [
                chance.random(),
                round(chance.uniform(0, 10 ** chance.randrange(8)), chance.randrange(9)),
                chance.randrange(10 ** chance.randrange(1, 16)),
                10 ** chance.uniform(-9, 24),
                chance.choice(awkward),
                (chance.randrange(10**6) + 0.5) / 10 ** chance.randrange(8),
                chance.randrange(1, 4000) / 1000,
                float(f"{chance.randrange(1, 10**5)}e{chance.randrange(-10, 22)}"),
                float(2 ** chance.randrange(62)),
                struct.unpack("d", struct.pack("Q", chance.getrandbits(62)))[0],
            ]
        )
        yield chance.choice([1, 1, -1]) * value


@pytest.fixture
def node_modules() -> Path:
    folder = os.environ.get("CML_TEST_NODE_MODULES")
    if not folder:
        pytest.skip("CML_TEST_NODE_MODULES does not name a node_modules folder")
    if not (Path(folder) / "numeral").is_dir():
        pytest.skip(f"no package numeral in {folder}: npm install numeral@2.0.6")
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    return Path(folder).resolve()


ORACLE = """
const numeral = require("numeral");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const texts = cases.map(([value, pattern]) => numeral(value).format(pattern));
process.stdout.write(JSON.stringify({ version: numeral.version, texts }));
"""
UNIT = "|".join(filter(None, [*UNITS, "st", "nd", "rd", "th"]))
DIGITS = r"(\d{1,3}(,\d{3})*|\d*)(\.\d+)?(e[+-]\d+)?"
NUMBER = re.compile(rf"[(+-]?(\$ ?)?[(+-]?{DIGITS} ?({UNIT})?[)+-]?( ?\$)?[)+-]?|-?\d+:\d\d:\d\d")


@pytest.mark.node
def test_the_texts_are_those_of_numeral_js(node_modules: Path) -> None:
    chance = random.Random(206)
    cases = [(value, pattern) for pattern in PATTERNS for value in samples(chance, 150)]
    answer = subprocess.run(
        ["node", "-e", ORACLE],
        env={**os.environ, "NODE_PATH": str(node_modules)},
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    oracle = json.loads(answer.stdout)
    assert oracle["version"] == "2.0.6"
    compared, differing = 0, []
    for (value, pattern), text in zip(cases, oracle["texts"], strict=True):
        zeroed = value and not re.search("[1-9]", re.sub(r"e[+-]\d+", "", text))
        if zeroed or not NUMBER.fullmatch(text):
            continue
        compared += 1
        ours = numerals.format(value, pattern)
        if ours != text:
            differing.append((value, pattern, text, ours))
    assert not differing[:10], f"{len(differing)} of {compared} differ"
    assert compared > len(cases) / 2
