"""Checks that compare with what chance explains: verdicts, wording, and the keys."""

from typing import Any

import pytest

from cml.checks import judging, policy
from cml.checks.model import Comparison, Expected, Values
from cml.errors import UsageError
from cml.record import CheckResult

REPEAT = "direction: higher, repeat: 5, seed: train.seed"


def compared(**facts: Any) -> Comparison:
    given: dict[str, Any] = {"gain": -0.02, "low": -0.03, "high": -0.01, "chance": 0.003}
    names = {"what": "the mean over 5 runs of each side", "test": "Welch's test"}
    return Comparison(**{**given, **names, "units": "runs of each side", **facts})


def judged(rules: str, **values: Any) -> CheckResult:
    (check,) = policy.read(f"checks:\n  metrics:acc: {{{rules}}}\n", "cml.yaml").checks
    return judging.judge(check, Values(now={"acc": 0.9}, before={"acc": 0.92}, **values))


def test_what_is_shown_to_be_worse_fails_and_the_interval_is_shown() -> None:
    found = judged(REPEAT, comparison=compared())

    assert found.status == "fail"
    assert found.message == (
        "metrics:acc: the mean over 5 runs of each side changed by -0.02 (-0.03 to -0.01, 90 % "
        "interval): that is worse than chance explains (Welch's test, p = 0.003)."
    )


def test_what_chance_explains_passes_without_a_margin() -> None:
    found = judged(REPEAT, comparison=compared(high=0.01, chance=0.2))

    assert found.status == "pass"
    assert "chance explains that (Welch's test, p = 0.2)" in found.message


def test_where_less_is_better_the_change_is_told_with_its_own_sign() -> None:
    found = judged(REPEAT.replace("higher", "lower"), comparison=compared(low=-0.03, high=-0.005))

    assert found.status == "fail"
    assert "changed by 0.02 (0.005 to 0.03, 90 % interval)" in found.message


@pytest.mark.parametrize(
    ("facts", "status", "says"),
    [
        ({"low": -0.04}, "pass", "that is not worse by more than the margin of 0.04."),
        ({"low": -0.041, "chance": 0.2, "more": 3}, "inconclusive", "it takes about 3 more runs"),
        ({"low": -0.09, "chance": 0.4}, "inconclusive", "no number of runs of each side would"),
        ({"gain": -0.1, "low": -0.2, "high": -0.05}, "fail", "worse by more than the margin of"),
    ],
)
def test_with_a_margin_only_what_is_shown_to_lie_within_it_passes(
    facts: dict[str, Any], status: str, says: str
) -> None:
    chance = {"chance": 0.9} if status == "pass" else {}
    found = judged(f"{REPEAT}, margin: 0.04", comparison=compared(**chance, **facts))

    assert found.status == status
    assert says in found.message


def test_what_only_the_correction_leaves_open_is_said_to_be_that() -> None:
    facts = {"gain": -0.1, "low": -0.2, "high": -0.05, "chance": 0.03, "more": 0}
    found = judged(f"{REPEAT}, margin: 0.04", comparison=compared(**facts), family=2, adjusted=0.06)

    assert found.status == "inconclusive"
    assert "cannot be told: it is by itself, but p = 0.06 after Holm's correction" in found.message


def test_ends_are_told_with_four_digits() -> None:
    found = judged(REPEAT, comparison=compared(gain=-0.069489, low=-0.1, high=-0.0123456))
    assert "changed by -0.06949 (-0.1 to -0.01235, 90 % interval)" in found.message


def test_too_little_to_tell_anything_is_inconclusive() -> None:
    found = judged(REPEAT, comparison=compared(missing=2))

    assert found.status == "inconclusive"
    assert found.message == "metrics:acc: to tell anything it takes 2 more runs of each side."


def test_a_target_holds_besides() -> None:
    found = judged(f"target: 0.95.., {REPEAT}", comparison=compared(chance=0.5, high=0.1))

    assert found.status == "fail"
    assert "not in range 0.95.." in found.message


@pytest.mark.parametrize(("adjusted", "status"), [(0.05, "fail"), (0.051, "pass")])
def test_a_family_of_checks_is_judged_by_the_corrected_chance(adjusted: float, status: str) -> None:
    found = judged(REPEAT, comparison=compared(), family=3, adjusted=adjusted)

    assert found.status == status
    assert f"p = {adjusted} after Holm's correction for 3 checks" in found.message


@pytest.mark.parametrize(("adjusted", "status"), [(0.04, "fail"), (0.12, "pass")])
def test_a_history_is_corrected_too_and_says_why_it_passes(adjusted: float, status: str) -> None:
    expected = Expected(results=10, bound=0.905, chance=0.03)
    found = judged("direction: higher, history: 10", expected=expected, family=4, adjusted=adjusted)

    assert found.status == status
    assert "worse than what the last 10 results let expect" in found.message
    excuse = "But p = 0.12 after Holm's correction for 4 checks: chance explains that."
    assert (excuse in found.message) == (status == "pass")


def test_no_correction_excuses_more_than_the_value_itself() -> None:
    """Alone, the bound decides, whatever rounding says of the chance."""
    expected = Expected(results=10, bound=0.905, chance=0.0500001)
    found = judged(
        "direction: higher, history: 10", expected=expected, family=1, adjusted=0.0500001
    )

    assert found.status == "fail"


def test_tiny_chances_are_not_shown_as_nothing() -> None:
    assert "p < 0.0001" in judged(REPEAT, comparison=compared(chance=1e-30)).message


def test_the_keys_are_read() -> None:
    text = (
        "checks:\n  metrics:acc: {direction: higher, predictions: p.csv, test: t, margin: 0.01,"
        " columns: {id: image, group: patient}}\n"
    )
    (check,) = policy.read(text, "cml.yaml").checks

    assert (check.predictions, check.test, str(check.margin)) == ("p.csv", "t", "0.01")
    assert str(check.columns) == "id: image, label: label, prediction: prediction, group: patient"


@pytest.mark.parametrize(
    ("body", "says", "hint"),
    [
        ("repeat: 5, seed: s", "2:15: repeat needs a direction", "direction: higher"),
        ("direction: higher, repeat: 5", "2:34: repeat needs a seed", "seed: train.seed"),
        ("direction: higher, seed: s", "2:34: seed is for checks with repeat", "add repeat"),
        ("direction: higher, repeat: 1, seed: s", "2:42: repeat: a whole number from 2", ""),
        ("direction: higher, margin: 1", "2:34: margin is for checks with predictions", ""),
        ("direction: higher, columns: {id: a}", "2:34: columns is for checks with pred", ""),
        ("direction: higher, predictions: p, columns: {ids: a}", "2:60: unknown key 'ids'", "'id'"),
        ("direction: higher, predictions: p, test: u", "2:56: test: one of mcnemar, t, boot", ""),
        (
            "direction: higher, predictions: p, test: mcnemar, columns: {group: g}",
            "2:50: McNemar's test is for single items",
            "test: bootstrap",
        ),
        (
            "direction: higher, predictions: p, history: 5",
            "2:34: history and predictions are answers to the same question",
            "keep one",
        ),
        (
            "direction: higher, repeat: 5, seed: s, max-drop: 1",
            "2:34: repeat and max-drop are two answers",
            "take max-drop away",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(body: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy.read(f"checks:\n  metrics:a: {{{body}}}\n", "f.yaml")

    assert caught.value.message.startswith(f"f.yaml:{says}")
    assert hint in str(caught.value.hint)
