from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml import checks
from cml.checks import judging, policy
from cml.checks.judging import Values
from cml.checks.model import Check
from cml.record import CheckResult, Verdict

BROKEN = [
    (None, "is missing"),
    ("0.9", 'is not a number but "0.9"'),
    (True, "is not a number but true"),
    (float("nan"), "is NaN"),
    (float("-inf"), "is infinite"),
]


def check(rules: str, name: str = "metrics:acc") -> Check:
    return policy.read(f"checks:\n  {name}: {{{rules}}}\n", "cml.yaml").checks[0]


def judged(rules: str, now: Any, before: Any = None) -> CheckResult:
    old = None if before is None else {"acc": before}
    return judging.judge(check(rules), Values(now={"acc": now}, before=old))


def gradient(rules: str, **values: Any) -> CheckResult:
    text = f"version: 0\nchecks:\n  tensorflow:loss: {{{rules}}}\n"
    (found,) = policy.read_gradient(text, "config.yaml").checks
    return judging.judge(found, Values(**values), gradient=True)


@pytest.mark.parametrize(
    ("rules", "value", "status", "message"),
    [
        ("target: 0.9..", 0.95, "pass", "metrics:acc is in range 0.9..: it is 0.95."),
        ("target: 0.9", 0.9, "fail", "metrics:acc is not in range 0.9: it is 0.9."),
        (
            "target: 0.99..1.00, precision: 2",
            0.9911,
            "fail",
            "metrics:acc is not in range 0.99..1.00: it is 0.9911, rounded down to 0.99.",
        ),
        (
            "target: 0.99..1.00, precision: 2, round: up",
            0.9811,
            "fail",
            "metrics:acc is not in range 0.99..1.00: it is 0.9811, rounded up to 0.99.",
        ),
        ("target: ..1e6", 10**30, "fail", f"metrics:acc is not in range ..1e6: it is {10**30}."),
        ("target: 1", 10**4000, "pass", "metrics:acc is in range 1: it is 1e+4000."),
    ],
)
def test_a_target_is_compared_after_rounding_and_all_numbers_are_told(
    rules: str, value: float, status: str, message: str
) -> None:
    result = judged(rules, value)

    assert (result.status, result.message, result.value) == (status, message, value)
    assert result.target == rules.partition(",")[0].removeprefix("target: ")


@pytest.mark.parametrize(("value", "reason"), BROKEN)
@pytest.mark.parametrize("rules", ["target: -1e300..", "direction: lower, max-drop: 9e99"])
def test_what_is_no_finite_number_is_invalid(value: Any, reason: str, rules: str) -> None:
    result = judged(rules, value, before=1)

    assert (result.status, result.value) == ("invalid", None)
    assert result.message == f"metrics:acc {reason}."


def test_a_missing_value_passes_only_where_the_check_says_so() -> None:
    rules = "target: 1.., if-not-found: success"

    assert judged(rules, None).status == "pass"
    assert judged(rules, float("nan")).status == "invalid"
    unread = Values(problems={"acc": "m.json cannot be read: not JSON"})
    result = judging.judge(check(rules), unread)
    assert (result.status, result.message) == (
        "invalid",
        "metrics:acc: m.json cannot be read: not JSON.",
    )


@pytest.mark.parametrize(
    ("rules", "old", "new", "status"),
    [
        ("direction: higher", 0.9, 0.9, "pass"),
        ("direction: higher", 0.9, 0.8999, "fail"),
        ("direction: lower", 0.9, 0.8999, "pass"),
        ("direction: lower", 0.9, 0.9001, "fail"),
        ("direction: higher, max-drop: 0.02", 0.9, 0.88, "pass"),  # 0.020000000000000018 in floats
        ("direction: higher, max-drop: 0.02", 0.9, 0.8799, "fail"),
        ("direction: higher, max-drop: 0.02", -0.5, -0.51, "pass"),
        ("direction: higher, max-drop: 0.02", -0.5, -0.53, "fail"),
        ("direction: lower, max-drop: 0.02", -0.5, -0.47, "fail"),
        ("direction: lower, max-drop: 0.02", -0.5, -0.7, "pass"),
        ("direction: higher, max-drop-percent: 10", -1, -1.1, "pass"),
        ("direction: higher, max-drop-percent: 10", -1, -1.11, "fail"),
        ("direction: lower, max-drop-percent: 10", 200, 220, "pass"),
        ("direction: lower, max-drop-percent: 10", 200, 221, "fail"),
        ("direction: lower, max-drop-percent: 10", 0, 1, "invalid"),
        ("direction: lower, max-drop-percent: 10", 0, 0, "pass"),
        ("direction: higher, max-drop-percent: 10", 0, 5, "pass"),
        ("direction: higher, max-drop: 5, max-drop-percent: 10", 10, 8, "fail"),
        ("direction: higher, max-drop: 1, max-drop-percent: 90", 10, 8, "fail"),
        ("direction: higher, max-drop: 0", 1e308, 1e308, "pass"),
        ("direction: higher, max-drop: 1", 10**4000, -(10**4000), "fail"),
    ],
)
def test_a_drop_is_counted_in_the_direction_of_worse(
    rules: str, old: float, new: float, status: str
) -> None:
    assert judged(rules, new, before=old).status == status


def test_a_drop_is_told_with_both_values_and_the_limit() -> None:
    result = judged("direction: higher, max-drop: 0.01", 0.9, before=0.92)

    assert result.message == (
        "metrics:acc fell from 0.92 to 0.9: worse by 0.02 (2.17391 %), more than max-drop 0.01."
    )
    assert result.target == "max-drop 0.01"


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_better_and_worse_change_places_with_the_direction(old: float, new: float) -> None:
    higher = judged("direction: higher", new, before=old).status
    lower = judged("direction: lower", new, before=old).status

    assert {higher, lower} == ({"pass"} if old == new else {"pass", "fail"})
    assert (higher == "pass") == (new >= old)


def test_a_new_metric_has_nothing_to_be_worse_than() -> None:
    for before in (None, {}, {"acc": None}):
        result = judging.judge(check("direction: higher"), Values(now={"acc": 1}, before=before))
        assert (result.status, result.message) == (
            "pass",
            "There is nothing to compare metrics:acc with yet.",
        )


@pytest.mark.parametrize(("value", "reason"), BROKEN[1:])
def test_a_baseline_that_is_no_number_is_invalid(value: Any, reason: str) -> None:
    result = judged("direction: higher, max-drop: 1", 1, before=value)

    assert (result.status, result.message) == ("invalid", f"The baseline's metrics:acc {reason}.")


def test_a_baseline_that_cannot_be_read_is_invalid_for_relative_rules_only() -> None:
    values = Values(now={"acc": 1}, before={}, problems_before={"acc": "not JSON"})

    assert judging.judge(check("direction: higher"), values).status == "invalid"
    assert judging.judge(check("target: 0.."), values).status == "pass"


def test_all_rules_of_a_check_hold_together() -> None:
    rules = "target: 0.5.., direction: higher, max-drop: 0.1"

    assert judged(rules, 0.6, before=0.6).status == "pass"
    assert judged(rules, 0.6, before=0.9).status == "fail"
    assert judged(rules, 0.4, before=0.4).status == "fail"
    assert judged(rules, 0.6, before="x").status == "invalid"


@pytest.mark.parametrize(
    ("aggregate", "value"),
    [
        ("mean", 0.25),
        ("stddev", 0.1118033988749895),
        ("var", 0.0125),
        ("max", 0.4),
        ("min", 0.1),
        ("median", 0.25),
    ],
)
def test_aggregates_run_over_all_values_or_the_last(aggregate: str, value: float) -> None:
    series = {"loss": [0.1, 0.4, 0.3, 0.2]}
    every = gradient(f"target: 9, aggregate: {aggregate}", series=series)
    last = gradient(f"target: 9, aggregate: {aggregate}, over: last", series=series)

    assert every.value == pytest.approx(value, rel=1e-15)
    assert last.value == (0 if aggregate in {"stddev", "var"} else 0.2)


def test_a_series_that_overflows_is_infinite() -> None:
    assert gradient("target: 0, aggregate: var", series={"loss": [1e308, -1e308]}).status == "fail"
    assert gradient("target: 0, aggregate: mean", series={"loss": [1e308] * 3}).value == 1e308


def test_gradientci_is_told_in_its_words() -> None:
    def said(**values: Any) -> tuple[Verdict, str]:
        result = gradient("target: 0.00..1.00, aggregate: max", **values)
        return result.status, result.message

    outside = ("fail", "Metric tensorflow:loss/max is not in range 0.00..1.00.")
    assert said(series={"loss": [0.2, 0.5]}) == (
        "pass",
        "Metric tensorflow:loss/max is in range 0.00..1.00.",
    )
    assert said(series={"loss": [0.2, 1.5]}) == outside
    assert said(series={"loss": [0.2, float("nan")]}) == outside
    assert said(series={"loss": [0.2, float("inf")]}) == outside
    assert said(series={"Loss": [0.2]}) == ("fail", "tensorflow:loss/max is missing.")
    assert said(problems={"loss": "a is corrupt"})[0] == "invalid"
    missing = "target: 1, aggregate: max, if-not-found: success"
    assert gradient(missing).status == "pass"
    assert gradient(missing, series={"loss": [float("nan")]}).status == "fail"


def test_a_metric_of_one_file_is_found_by_its_name_there() -> None:
    one = check("target: 0.5..", "metrics:a/m.json:acc")

    assert judging.judge(one, Values(now={"acc": 1}, name="acc")).status == "pass"
    assert judging.judge(one, Values(now={"acc": 1})).status == "invalid"


@pytest.mark.parametrize(
    ("rules", "pull_request", "branch", "counts"),
    [
        ("only-pulls: true", True, "x", True),
        ("only-pulls: true", False, "x", False),
        ("branches: [main, 'release/*']", False, "release/1", True),
        ("branches: [main, 'release/*']", False, "Main", False),
        ("branches: [main]", True, None, False),
        ("branches: []", True, None, True),
        ("level: off", True, "main", False),
        ("level: warn", False, None, True),
    ],
)
def test_a_check_applies_where_it_says(
    rules: str, *, pull_request: bool, branch: str | None, counts: bool
) -> None:
    found = check(f"target: 1, {rules}")

    assert judging.applies(found, pull_request=pull_request, branch=branch) is counts


def test_the_verdict_is_the_worst_of_what_can_block() -> None:
    order: list[Verdict] = ["pass", "inconclusive", "fail", "invalid"]
    results = [CheckResult(name=status, status=status) for status in order]

    for count, status in enumerate(order, 1):
        assert checks.verdict([], results[:count]) == status
    warned = [CheckResult(name="w", status=status, level="warn") for status in order]
    assert checks.verdict([], warned) == "pass"
    assert checks.verdict([], []) == "pass"
    assert checks.verdict(["m.json cannot be read"], []) == "invalid"
