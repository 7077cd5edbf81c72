"""Two groups of numbers, and many tests at once, against other ways to the same numbers."""

import itertools
import math
import random
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from cml.statistics import holm, welch

GROUPS = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)
CHANCES = st.lists(st.floats(0, 1), max_size=8)


@given(GROUPS, GROUPS)
def test_the_chance_and_the_interval_are_scipys(old: list[float], new: list[float]) -> None:
    assume(min(statistics.stdev(old), statistics.stdev(new)) > 1e-3)
    found = welch(old, new)

    less = stats.ttest_ind(new, old, equal_var=False, alternative="less")
    low, high = stats.ttest_ind(new, old, equal_var=False).confidence_interval(0.9)
    assert found.chance == pytest.approx(less.pvalue, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)


@given(GROUPS, GROUPS, st.floats(0, 10))
def test_the_chance_is_small_just_where_the_interval_lies_below_the_margin(
    old: list[float], new: list[float], margin: float
) -> None:
    found = welch(old, new, margin=margin)
    assume(abs(found.high + margin) > 1e-6)

    assert (found.chance <= 0.05) == (found.high < -margin)


def test_a_margin_moves_what_is_tested_by_itself() -> None:
    old, new = [0.9, 0.91, 0.92], [0.88, 0.9, 0.89]

    assert welch(old, new, margin=0.02).chance == pytest.approx(0.5)
    assert welch(old, [n + 0.02 for n in new]).chance == pytest.approx(0.5)


@pytest.mark.parametrize(("new", "chance"), [(0.9, 1), (0.89, 0), (0.91, 1)])
def test_where_nothing_varies_the_difference_is_the_truth(new: float, chance: int) -> None:
    found = welch([0.9] * 3, [new] * 3)

    assert found.chance == chance
    assert found.low == found.gain == found.high == pytest.approx(new - 0.9)


def test_so_many_more_runs_are_enough_and_one_less_is_not() -> None:
    old, new = [0.90, 0.92, 0.91], [0.905, 0.925, 0.9]
    found = welch(old, new, margin=0.01)
    assert found.low < -0.01
    assert found.more

    def low(extra: int) -> float:
        """The lower end for larger groups with the same means and spreads."""
        count, spread = 3 + extra, stats.tvar(old) + stats.tvar(new)
        shares = [stats.tvar(side) / spread for side in (old, new)]
        degrees = (count - 1) / sum(share * share for share in shares)
        return found.gain - stats.t.ppf(0.95, degrees) * math.sqrt(spread / count)

    assert low(found.more) >= -0.01 > low(found.more - 1)


def test_what_is_shown_takes_no_more_runs_and_what_is_nowhere_is_never_shown() -> None:
    assert welch([0.9, 0.91, 0.92], [0.8, 0.81, 0.82], margin=0.01).more == 0
    assert welch([0.25, 0.5], [0.25, 0.5]).more is None


def test_so_many_more_runs_show_a_loss_too() -> None:
    old, new = [0.90, 0.92, 0.91], [0.885, 0.905, 0.88]
    found = welch(old, new, margin=0.01)

    assert found.high > -0.01
    assert found.more == welch(new, old, margin=-0.01).more


@pytest.mark.parametrize("size", [1e308, 1e-310])
def test_the_largest_and_the_smallest_numbers_are_no_trouble(size: float) -> None:
    found = welch([size, 0.9 * size], [-size, -0.9 * size])

    assert 0 < found.chance < 0.05
    assert -math.inf < found.low <= found.gain <= found.high < 0


def test_a_change_that_changes_nothing_is_blocked_as_often_as_is_said() -> None:
    chance = random.Random(3)
    sides = [[chance.gauss(0.9, 0.01) for _ in range(5)] for _ in range(4000)]

    blocked = sum(
        welch(old, new).chance <= 0.05 for old, new in zip(sides[::2], sides[1::2], strict=True)
    )
    assert 0.035 < blocked / 2000 < 0.06


def test_holm_corrects_a_family_as_in_a_worked_example() -> None:
    """Times 4, 3, 2 and 1 from the smallest on, and never less than the one before."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@given(CHANCES, st.floats(0.001, 0.5))
def test_holm_rejects_what_stepping_down_rejects(chances: list[float], level: float) -> None:
    ordered = sorted(chances)
    steps = itertools.takewhile(
        lambda step: step[1] * (len(ordered) - step[0]) <= level, enumerate(ordered)
    )
    assert sum(each <= level for each in holm(chances)) == len([*steps])
