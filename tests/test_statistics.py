"""Sums about chance, against other ways to the same numbers."""

import math
import random
import statistics as standard
import sys
from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cml.errors import UsageError
from cml.statistics import Side, prediction_bound, prediction_chance

FLOATS = st.floats(-1e9, 1e9, allow_subnormal=False)


def student_density(x: float, degrees: int) -> float:
    ratio = math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2)
    return ratio / math.sqrt(degrees * math.pi) * (1 + x * x / degrees) ** (-(degrees + 1) / 2)


def student_below(end: float, degrees: int, steps: int = 20_000) -> float:
    """Simpson's rule from 0, where one half lies below."""
    width = end / steps
    inner = sum((4 if i % 2 else 2) * student_density(i * width, degrees) for i in range(1, steps))
    ends = student_density(0, degrees) + student_density(end, degrees)
    return 0.5 + (ends + inner) * width / 3


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("values", [[1, 2, 4], [0.91, 0.9, 0.93, 0.92, 0.9], list(range(30))])
def test_the_bound_is_the_one_that_integrating_students_density_gives(
    values: list[float], confidence: float
) -> None:
    found = prediction_bound(values, confidence=confidence, side="upper")

    s = math.sqrt(standard.variance(values) * (1 + 1 / len(values)))
    t = (found.bound - standard.fmean(values)) / s
    assert student_below(t, len(values) - 1) == pytest.approx(confidence, abs=1e-8)
    assert not found.constant


def test_the_bound_is_that_of_a_table() -> None:
    """Quantile 2.132 of Student's distribution with four degrees of freedom, in any table."""
    found = prediction_bound([1, 2, 3, 4, 5], confidence=0.95, side="lower")

    assert found.bound == pytest.approx(3 - 2.132 * math.sqrt(2.5 * 1.2), abs=1e-3)


@pytest.mark.parametrize("count", [3, 10])
def test_a_new_value_of_the_same_kind_falls_outside_as_often_as_is_said(count: int) -> None:
    chance = random.Random(20)
    trials, outside = 4000, 0
    for _ in range(trials):
        *past, new = (chance.gauss(0.9, 0.01) for _ in range(count + 1))
        outside += new < prediction_bound(past, confidence=0.95, side="lower").bound

    assert 0.035 < outside / trials < 0.065


@given(st.lists(FLOATS, min_size=3, max_size=20))
def test_the_sides_mirror_each_other_around_the_mean(values: list[float]) -> None:
    low = prediction_bound(values, confidence=0.95, side="lower")
    high = prediction_bound([-value for value in values], confidence=0.95, side="upper")

    assert low.bound == -high.bound
    assert low.bound <= max(values)
    assert low.constant == high.constant == (len({*values}) == 1)


@given(FLOATS, st.integers(3, 100))
def test_equal_values_make_a_point_without_any_rounding(value: float, count: int) -> None:
    found = prediction_bound([value] * count, confidence=0.95, side="lower")

    assert (found.bound, found.constant) == (value, True)


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308, 0], [5e-324, 1e-323, 0]])
def test_the_largest_and_the_smallest_floats_are_no_trouble(values: list[float]) -> None:
    low, high = (prediction_bound(values, confidence=0.95, side=s) for s in get_args(Side))

    assert math.isfinite(low.bound)
    assert math.isfinite(high.bound)
    assert low.bound <= min(values)
    assert high.bound >= max(values)


@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=9), st.floats(-1e4, 1e4))
def test_a_value_beyond_the_bound_is_one_of_little_chance(
    values: list[float], value: float
) -> None:
    assume(max(values) - min(values) > 1e-3)
    bound = prediction_bound(values, confidence=0.95, side="lower").bound
    assume(abs(value - bound) > 1e-6)

    chance = prediction_chance(values, value, side="lower")
    assert (chance < 0.05) == (value < bound)
    mirrored = prediction_chance([-each for each in values], -value, side="upper")
    assert mirrored == pytest.approx(chance)


@pytest.mark.parametrize(("value", "chance"), [(0.9, 1), (0.91, 1), (0.89, 0)])
def test_beside_equal_values_there_is_no_chance(value: float, chance: int) -> None:
    assert prediction_chance([0.9] * 4, value, side="lower") == chance


def test_without_scipy_there_is_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)

    with pytest.raises(UsageError, match="SciPy is not installed"):
        prediction_bound([1, 2, 3], confidence=0.95, side="lower")
