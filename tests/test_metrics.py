"""Two sets of metrics -> changes, and what may be judged."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml import checks, metrics
from cml.metrics import Reading

if TYPE_CHECKING:
    from cml.record import Value


def reading(**values: Value) -> Reading:
    return Reading(values={"metrics.json": values})


def test_unchanged_metrics_are_kept_for_the_gate() -> None:
    (change,) = metrics.diff(reading(acc=0.9), reading(acc=0.9))
    assert (change.old, change.new, change.diff, change.problem) == (0.9, 0.9, 0, None)


def test_what_is_missing_is_none_and_never_zero() -> None:
    first, second = metrics.diff(reading(gone=0.5), reading(came=0.7))
    assert (first.name, first.old, first.new, first.diff) == ("came", None, 0.7, None)
    assert (second.name, second.old, second.new, second.diff) == ("gone", 0.5, None, None)


@pytest.mark.parametrize(
    ("was", "now", "problem"),
    [
        (0.5, None, "is missing"),
        (0.5, "high", 'is not a number but "high"'),
        (0.5, True, "is not a number but true"),
        (0.5, math.nan, "is NaN"),
        (None, math.nan, "is NaN"),
        ("high", math.inf, "is infinite"),
        (0.5, -math.inf, "is infinite"),
        (0.5, 0, None),
        ("resnet", "vit", None),
        (None, 1, None),
        ("resnet", 0.5, None),
        (None, None, None),
        (math.nan, 0.5, None),
    ],
)
def test_a_number_that_is_no_longer_one_cannot_be_judged(
    was: Value, now: Value, problem: str | None
) -> None:
    (change,) = metrics.diff(reading(acc=was), reading(acc=now))
    assert change.problem == problem
    assert change.new is None or change.new == now


def test_a_number_in_a_file_that_cannot_be_read_is_a_problem() -> None:
    now = Reading(errors={"metrics.json": "broken"})
    (change,) = metrics.diff(reading(acc=0.5), now)
    assert change.problem == "cannot be read"
    found = checks.problems(now.errors, [change], unreadable_before={})
    assert found == ["metrics.json cannot be read: broken"]
    assert checks.verdict(found, []) == "invalid"


def test_many_broken_metrics_are_counted_rather_than_listed() -> None:
    old = reading(**{f"m{n}": 1 for n in range(50)})
    found = checks.problems({}, metrics.diff(old, Reading()), unreadable_before={})
    assert len(found) == checks.SHOWN + 1
    assert found[-1] == "30 more metrics cannot be judged"


def test_nothing_wrong_passes() -> None:
    changes = metrics.diff(reading(acc=0.5, kind="a"), reading(acc=0.6, kind="b"))
    assert checks.verdict(checks.problems({}, changes, unreadable_before={}), []) == "pass"


def test_nested_names_are_joined_and_lists_become_text() -> None:
    flat = metrics.flatten({"val": {"acc": 1, "f1": {"macro": 0.5}}, "sizes": [1, 2], "x": None})
    assert flat == {"val.acc": 1, "val.f1.macro": 0.5, "sizes": "[1, 2]", "x": None}


def test_a_file_that_holds_a_lone_number_has_the_empty_name() -> None:
    assert metrics.flatten(0.5) == {"": 0.5}


def test_params_list_only_what_differs() -> None:
    changes = metrics.diff_params(reading(lr=0.1, seed=1, on=1), reading(lr=0.2, seed=1, on=True))
    assert [(c.name, c.old, c.new) for c in changes] == [("lr", 0.1, 0.2), ("on", 1, True)]


@given(
    st.dictionaries(st.text(max_size=5), st.floats() | st.integers() | st.text() | st.none()),
    st.dictionaries(st.text(max_size=5), st.floats() | st.integers() | st.text() | st.none()),
)
def test_no_change_ever_holds_a_number_that_is_not_finite(
    old: dict[str, Value], new: dict[str, Value]
) -> None:
    for change in metrics.diff(Reading(values={"m": old}), Reading(values={"m": new})):
        for value in (change.old, change.new, change.diff):
            assert not isinstance(value, float) or math.isfinite(value)
        was, now = old.get(change.name), new.get(change.name)
        if isinstance(was, (int, float)) and not isinstance(now, (int, float)):
            assert change.problem


@pytest.mark.parametrize(
    ("said", "made", "tolerance", "differing"),
    [
        (0.5, 0.5, "0", 0),
        (0.5, 0.50001, "0", 1),
        (100, 101, "0.01", 0),
        (100, 102, "0.01", 1),
        (-100, -101, "0.01", 0),
        (1, -1, "0.5", 1),
        (0, 1e-300, "0.01", 1),
        (10**400, 10**400 + 1, "0.01", 0),
        (1, 1.0, "0", 0),
        (1, True, "0.5", 1),
        (math.nan, math.nan, "0", 0),
        (math.nan, 0.5, "0.5", 1),
        (0.5, None, "0.5", 1),
        (None, 0.5, "0.5", 1),
        ("resnet", "resnet", "0", 0),
        ("resnet", "vit", "0.5", 1),
    ],
)
def test_recorded_and_computed_metrics_agree_within_the_tolerance(
    said: Value, made: Value, tolerance: str, differing: int
) -> None:
    found = metrics.disagreements(reading(acc=said), reading(acc=made), Decimal(tolerance))
    assert len(found) == differing


def test_a_recorded_file_that_cannot_be_read_agrees_with_nothing() -> None:
    broken = Reading(errors={"metrics.json": "no JSON"})
    found = metrics.disagreements(broken, reading(acc=1), Decimal(0))
    assert found == ["metrics.json, as committed, cannot be read: no JSON"]
