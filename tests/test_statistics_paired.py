"""Paired tests against other ways to the same numbers: sums, searches, draws."""

from __future__ import annotations

import math
import random
import sys
from fractions import Fraction
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from cml.errors import UsageError
from cml.statistics import Compared, bootstrap, mcnemar, paired_t

if TYPE_CHECKING:
    from collections.abc import Callable

Z = NormalDist().inv_cdf(0.95)
SCORES = st.floats(-100, 100, allow_subnormal=False)


def sum_of_coins(wins: int, losses: int) -> float:
    """Return how often so few of the coins fall on the new side."""
    coins = wins + losses
    return float(Fraction(sum(math.comb(coins, heads) for heads in range(wins + 1)), 2**coins))


def score(wins: int, losses: int, items: int, gain: float) -> float:
    """Tango's score with the likeliest proportions searched for, not computed."""
    ties = items - wins - losses

    def unlikely(lost: float) -> float:
        parts = (wins, lost + gain), (losses, lost), (ties, 1 - 2 * lost - gain)
        return -sum(count * math.log(max(chance, 1e-300)) for count, chance in parts if count)

    bounds = (max(0.0, -gain), (1 - gain) / 2)
    lost = optimize.minimize_scalar(
        unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}
    ).x
    variance = items * (2 * lost + gain - gain * gain)
    return float((wins - losses - items * gain) / math.sqrt(variance))


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (0, 5), (5, 0), (3, 9), (40, 61), (7, 7)])
def test_mcnemars_chance_is_a_sum_over_coins(wins: int, losses: int) -> None:
    found = mcnemar(wins, losses, 200)

    assert found.chance == pytest.approx(sum_of_coins(wins, losses), rel=1e-12)
    assert found.gain == (wins - losses) / 200


@pytest.mark.parametrize(
    ("wins", "losses", "items", "margin"),
    [(10, 30, 1000, 0.01), (3, 9, 50, 0.2), (0, 4, 40, 0.05), (6, 0, 30, 0.1), (40, 38, 99, 0.3)],
)
def test_tangos_chance_and_ends_are_those_of_the_searched_likelihood(
    wins: int, losses: int, items: int, margin: float
) -> None:
    found = mcnemar(wins, losses, items, margin=margin)

    expected = NormalDist().cdf(score(wins, losses, items, -margin))
    assert found.chance == pytest.approx(expected, abs=1e-5)
    for end, z in ((found.low, Z), (found.high, -Z)):
        assert score(wins, losses, items, end) == pytest.approx(z, abs=1e-3)


@settings(deadline=None)  # the first example may load a library
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60), st.floats(0.001, 0.999))
def test_the_score_tests_chance_and_its_interval_agree(
    wins: int, losses: int, ties: int, margin: float
) -> None:
    items = wins + losses + ties
    found = mcnemar(wins, losses, items, margin=margin)
    if found.missing:
        assert found.missing == 5 - items
        return

    assert -1 <= found.low <= found.gain <= found.high <= 1
    if abs(found.high + margin) > 1e-9:
        assert (found.chance <= 0.05) == (found.high < -margin)
    if found.more == 0:
        assert found.low >= -margin - 1e-9 or found.high <= -margin + 1e-9
    mirrored = mcnemar(losses, wins, items)
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


@pytest.mark.parametrize(("wins", "losses", "margin"), [(3, 5, 0.03), (0, 0, 0.005), (9, 4, 0.0)])
def test_so_many_more_items_bring_the_lower_end_to_the_margin(
    wins: int, losses: int, margin: float
) -> None:
    more = mcnemar(wins, losses, 100, margin=margin).more

    assert more
    times = math.ceil((100 + more) / 100)
    for k, reaches in ((times, True), (times - 1, False)):
        assert (mcnemar(wins * k, losses * k, 100 * k).low >= -margin) == reaches


def test_so_many_more_items_show_a_loss_too() -> None:
    more = mcnemar(4, 9, 100).more

    assert more == mcnemar(9, 4, 100).more
    assert mcnemar(4, 4, 100).more is None


@pytest.mark.parametrize(
    ("won", "lost", "margin"), [(0.05, 0.05, 0.0), (0.04, 0.06, 0.02), (0.1, 0.2, 0.1)]
)
def test_as_many_as_said_are_rejected_at_the_margin(won: float, lost: float, margin: float) -> None:
    chance, trials, items = random.Random(7), 600, 300
    rejected = missed = 0
    for _ in range(trials):
        draws = [chance.random() for _ in range(items)]
        wins, losses = sum(d < won for d in draws), sum(d > 1 - lost for d in draws)
        found = mcnemar(wins, losses, items, margin=margin)
        rejected += found.chance <= 0.05
        missed += not found.low <= won - lost <= found.high

    assert rejected / trials < 0.075
    assert 0.075 < missed / trials < 0.135


@settings(deadline=None)  # the first example may load a library
@given(st.lists(SCORES, min_size=2, max_size=30), st.floats(0, 10))
def test_without_groups_the_t_test_is_the_ordinary_one(values: list[float], margin: float) -> None:
    found = paired_t(values, margin=margin)
    if len({*values}) == 1 or stdev(values) < 1e-9:
        return

    known = stats.ttest_1samp(values, -margin, alternative="less")
    assert found.chance == pytest.approx(known.pvalue, rel=1e-6, abs=1e-12)
    ends = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), rel=1e-6, abs=1e-9)
    assert found.gain == pytest.approx(fmean(values), abs=1e-9)


def test_with_groups_the_t_test_is_the_one_done_by_hand() -> None:
    """Mean 1; group sums above it are 0 - 1, 3 - 2, 3 - 3: squares sum to 2; 3/2 * 2 / 36."""
    found = paired_t([0.0, 1.0, 2.0, 1.0, 0.0, 2.0], ["a", "b", "b", "c", "c", "c"])

    error = math.sqrt(1.5 * 2 / 36)
    assert found.gain == 1
    assert found.high - 1 == pytest.approx(2.919986 * error, rel=1e-6)  # 95 % at 2 degrees
    assert found.chance == pytest.approx(stats.t.cdf(1 / error, 2))


def test_items_that_come_in_groups_count_as_groups() -> None:
    """Ten copies of each item tell no more than one, to the t-test and to the bootstrap."""
    chance = random.Random(3)
    once = [chance.gauss(-0.1, 1) for _ in range(40)]
    groups = [str(number) for number in range(40) for _ in range(10)]
    often = [value for value in once for _ in range(10)]

    for test in (paired_t, bootstrap):
        alone, grouped = test(once), test(often, groups)
        assert (grouped.low, grouped.high, grouped.chance) == pytest.approx(
            (alone.low, alone.high, alone.chance)
        )
        assert test(often).high < grouped.high


def test_answers_that_go_together_block_no_more_often_than_is_said() -> None:
    """Twenty groups of ten; what a group shares makes single items seem surer than they are."""
    chance, trials = random.Random(13), 300
    groups = [str(item // 10) for item in range(200)]
    clustered = resampled = single = 0
    for trial in range(trials):
        shared = {group: chance.gauss(0, 1) for group in dict.fromkeys(groups)}
        values = [shared[group] + chance.gauss(0, 1) for group in groups]
        clustered += paired_t(values, groups).chance <= 0.05
        single += paired_t(values).chance <= 0.05
        resampled += trial % 5 == 0 and bootstrap(values, groups).chance <= 0.05

    assert 0.025 < clustered / trials < 0.085
    assert resampled / (trials / 5) <= 0.15
    assert single / trials > 0.15


def test_what_never_varies_is_taken_for_the_truth() -> None:
    for values in ([-0.1] * 7, [0.7 - 0.8] * 7, [0.3 - 0.4, 0.8 - 0.9, 0.1 - 0.2]):
        found = paired_t(values, margin=0.1)
        assert (found.chance, found.more) == (1, 0)
    groups = ["a", "b", "c", "a", "b", "c"]
    assert paired_t([0.1, 0.2, 0.3, 0.3, 0.2, 0.1], groups).chance == 1
    assert paired_t([-0.2] * 5, margin=0.1).chance == 0
    assert paired_t([-0.2] * 5, margin=0.1).more == 0
    assert bootstrap([0.0] * 5) == Compared(more=0)
    assert bootstrap([-0.1] * 5, margin=0.1).chance == 1


@pytest.mark.parametrize("test", [paired_t, bootstrap])
def test_more_units_of_the_same_kind_reach_the_margin(test: Callable[..., Compared]) -> None:
    chance = random.Random(11)
    values = [chance.gauss(0, 1) for _ in range(50)]
    found = test(values, margin=0.1)

    assert found.more
    again = math.ceil((50 + found.more) / 50)
    for times, reaches in ((again + 2, True), (again - 2, False)):
        grown = test(values * times, margin=0.1)
        assert (grown.low >= -0.1) == reaches
        assert (grown.more == 0) == reaches
    lost = test([-value for value in values], margin=-0.1)
    assert lost.more == pytest.approx(found.more, rel=0.05)


def test_the_bootstrap_is_the_same_each_time_and_near_to_the_t_test() -> None:
    chance = random.Random(5)
    values = [chance.gauss(-0.1, 1) for _ in range(400)]

    found, known = bootstrap(values, margin=0.05), paired_t(values, margin=0.05)

    assert found == bootstrap(values, margin=0.05)
    assert found.gain == pytest.approx(known.gain)
    assert found.low == pytest.approx(known.low, abs=0.006)
    assert found.high == pytest.approx(known.high, abs=0.006)
    assert found.chance == pytest.approx(known.chance, abs=0.02)


def test_the_bootstrap_of_many_items_in_parts_is_one_sample() -> None:
    """Forty thousand items do not fit into one part; their interval is as narrow as it should."""
    values = [float(number % 2) for number in range(40_000)]
    found = bootstrap(values)

    assert found.high - found.low == pytest.approx(2 * Z * 0.5 / 200, rel=0.05)


@settings(deadline=None)  # the first example may load a library
@given(st.lists(SCORES, min_size=5, max_size=12), st.floats(0, 50))
def test_the_bootstraps_chance_and_its_interval_agree(values: list[float], margin: float) -> None:
    found = bootstrap(values, margin=margin)

    assert found.low == pytest.approx(-bootstrap([-value for value in values]).high)
    assert found.low <= found.high
    assert 0 < found.chance <= 1
    if abs(found.high + margin) > 1e-9:
        assert (found.chance <= 0.05) == (found.high < -margin)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_units_tell_nothing(count: int) -> None:
    values = [-1.0] * count
    assert bootstrap(values).missing == mcnemar(0, count, count).missing == 5 - count
    assert paired_t(values).missing == max(0, 2 - count)
    assert bootstrap(values * 9, [str(n % count) for n in range(count * 9)]).missing == 5 - count
    assert mcnemar(0, 5, 5).chance <= 0.05


@pytest.mark.parametrize("values", [[1e308, -1e308, 1e308], [5e-324, 1e-323, 0, 5e-324, 0]])
def test_the_largest_and_the_smallest_floats_are_no_trouble(values: list[float]) -> None:
    for found in (paired_t(values), bootstrap(values * 2), paired_t(values, margin=1e308)):
        assert found.low <= found.gain <= found.high
        assert math.isfinite(found.high - found.low) or values[0] > 1
        assert 0 <= found.chance <= 1


def test_without_scipy_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)

    for compare in (lambda: mcnemar(1, 2, 30), lambda: paired_t([1, 2]), lambda: bootstrap([1, 2])):
        with pytest.raises(UsageError, match="SciPy is not installed"):
            compare()
