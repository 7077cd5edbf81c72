"""The key `history` of a check, and what it says of a value."""

from typing import Any

import pytest

from cml.checks import judging, policy
from cml.checks.model import Expected, Values
from cml.errors import UsageError
from cml.record import CheckResult


def judged(rules: str, value: Any, expected: Expected, **values: Any) -> CheckResult:
    (check,) = policy.read(f"checks:\n  metrics:acc: {{{rules}}}\n", "cml.yaml").checks
    return judging.judge(check, Values(now={"acc": value}, expected=expected, **values))


def test_the_key_is_read() -> None:
    text = "checks:\n  metrics:acc: {direction: higher, history: 10, target: 0.5..}\n"
    (check,) = policy.read(text, "cml.yaml").checks

    assert (check.history, str(check.target)) == (10, "0.5..")


@pytest.mark.parametrize(
    ("body", "says", "hint"),
    [
        ("metrics:a: {history: 5}", "2:15: history needs a direction", "direction: higher"),
        ("metrics:a: {target: 1, history: 5}", "2:26: history needs a direction", "lower"),
        (
            "metrics:a: {direction: lower, history: 5, max-drop: 0}",
            "2:33: history and max-drop are two answers",
            "take max-drop away",
        ),
        (
            "metrics:a: {direction: lower, max-drop-percent: 0, history: 5}",
            "2:54: history and max-drop-percent are two answers",
            "take max-drop-percent away",
        ),
        (
            "metrics:a: {direction: lower, history: 5, slices: a_*}",
            "2:33: history is for one metric",
            "a check of its own",
        ),
        (
            "metrics:a: {direction: lower, history: 2}",
            "2:42: history: a whole number from 3 to 100 is expected, not '2'",
            None,
        ),
        ("metrics:a: {direction: lower, history: 101}", "2:42: history: a whole number", None),
        ("metrics:a: {direction: lower, histroy: 5}", "2:33: unknown key 'histroy'", "'history'"),
        (
            "custom:a: {aggregate: /a, direction: lower, history: 5}",
            "2:47: history is for checks of metrics, not of custom",
            None,
        ),
        ("defaults: {history: 5}", "2:14: unknown key 'history'", None),
    ],
)
def test_a_mistake_is_named_with_its_place(body: str, says: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        policy.read(f"checks:\n  {body}\n", "f.yaml")

    assert caught.value.message.startswith(f"f.yaml:{says}")
    assert (hint is None) or (hint in str(caught.value.hint))


@pytest.mark.parametrize(
    ("direction", "value", "status"),
    [
        ("higher", 0.9, "pass"),
        ("higher", 0.8999999999999999, "fail"),
        ("higher", 10**4000, "pass"),
        ("lower", 0.9, "pass"),
        ("lower", 0.9000000000000001, "fail"),
        ("lower", -1, "pass"),
    ],
)
def test_the_end_of_the_interval_is_within_it(direction: str, value: float, status: str) -> None:
    expected = Expected(results=5, bound=0.9)

    result = judged(f"direction: {direction}, history: 5", value, expected, before={"acc": 7})

    assert result.status == status
    assert ("within" if status == "pass" else "worse than") in result.message


@pytest.mark.parametrize(
    ("value", "values"),
    [(None, {}), (float("nan"), {}), (1, {"problems_before": {"acc": "is NaN"}})],
)
def test_what_is_no_number_is_invalid_however_few_results_there_are(
    value: Any, values: dict[str, Any]
) -> None:
    expected = Expected(results=0, missing=3)

    assert judged("direction: higher, history: 5", value, expected, **values).status == "invalid"
    assert judged("direction: higher, history: 5", 1, expected).status == "inconclusive"


def test_a_broken_target_is_a_failure_although_the_history_is_too_short_to_tell() -> None:
    expected = Expected(results=1, missing=2)

    result = judged("direction: higher, history: 5, target: 0.9..", 0.5, expected)

    assert result.status == "fail"
    assert "it takes 2 more" in result.message
