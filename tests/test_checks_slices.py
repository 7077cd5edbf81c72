from typing import Any

import pytest

from cml.checks import judging, policy
from cml.checks.judging import Values
from cml.checks.model import Check
from cml.record import CheckResult

SLICED = "direction: higher, max-drop: 0.05, slices: acc_*, size: n_*, min-size: 50"
BEFORE = {"acc": 0.9, "acc_de": 0.9, "acc_fr": 0.9, "acc_nl": 0.9, "n_nl": 12}


def check(rules: str) -> Check:
    return policy.read(f"checks:\n  metrics:acc: {{{rules}}}\n", "cml.yaml").checks[0]


def sliced(now: dict[str, Any], rules: str = SLICED, **more: Any) -> CheckResult:
    return judging.judge(check(rules), Values(now=now, before=BEFORE, **more))


def test_the_worst_slice_counts_and_small_ones_are_named() -> None:
    now = {"acc": 0.95, "acc_de": 0.87, "acc_fr": 0.8, "acc_nl": 0.1, "n_nl": 12, "n_fr": 900}
    result = sliced(now)

    assert (result.status, result.value) == ("fail", 0.8)
    assert result.message.startswith("Worst of 3: acc_fr fell from 0.9 to 0.8:")
    assert result.message.endswith("Left out, since smaller than 50: acc_nl.")
    passed = sliced({**now, "acc_fr": 0.9})
    assert (passed.status, passed.value) == ("pass", 0.87)


def test_the_whole_counts_beside_its_slices() -> None:
    assert sliced({"acc": 0.1, "acc_de": 0.9, "acc_fr": 0.9, "n_nl": 1}).status == "fail"


@pytest.mark.parametrize("value", [None, "0.9", True, float("nan"), float("inf")])
def test_a_slice_that_disappears_or_breaks_is_invalid(value: Any) -> None:
    now = {"acc": 0.9, "acc_de": 0.9, "acc_fr": value, "n_nl": 1}

    assert sliced(now).status == "invalid"
    assert sliced({name: v for name, v in now.items() if name != "acc_fr"}).status == "invalid"
    assert sliced(now | {"acc_fr": 1}, problems={"acc_fr": "is NaN"}).status == "invalid"


def test_a_slice_that_nobody_could_read_is_invalid() -> None:
    now = {"acc": 0.9, "acc_de": 0.9, "acc_fr": 0.9, "n_nl": 1}

    assert sliced(now, problems={"acc_es": "is in several files"}).status == "invalid"
    assert sliced(now, problems_before={"acc_es": "is in several files"}).status == "invalid"
    assert sliced(now, problems={"f1_es": "is in several files"}).status == "pass"


def test_a_small_slice_may_disappear_with_its_size() -> None:
    result = sliced({"acc": 0.9, "acc_de": 0.9, "acc_fr": 0.9})

    assert result.status == "pass"
    assert result.message.endswith("Left out, since smaller than 50: acc_nl.")


def test_in_a_range_the_worst_slice_is_the_one_next_to_an_end() -> None:
    now = {"acc": 0.5, "f1_a": 0.5, "f1_b": 0.91, "f1_c": 0.2}
    result = sliced(now, "target: 0.1..1, slices: f1_*")

    assert (result.status, result.value) == ("pass", 0.91)


def test_a_slice_of_unknown_size_counts() -> None:
    now = {"acc": 0.9, "acc_de": 0.1, "acc_fr": 0.9, "acc_nl": 0.9}

    assert sliced(now).status == "fail"
    assert sliced(now | {"n_de": "few"}).status == "fail"
    # It was there, and nobody knows how large.
    assert sliced(now | {"n_de": 49.5}).status == "fail"


@pytest.mark.parametrize(
    ("before", "now", "status"), [(49, 49.5, "pass"), (50, 49, "fail"), (49, 50, "fail")]
)
def test_a_slice_is_small_only_where_it_always_was(before: float, now: float, status: str) -> None:
    old, new = {"acc_de": 0.9, "n_de": before}, {"acc_de": 0.1, "n_de": now, "acc": 0.9}

    result = judging.judge(check(SLICED), Values(now=new, before=old))

    assert result.status == status
    # Without a baseline, and where the slice is new, there is only one size.
    for values in (Values(now=new), Values(now=new, before={"acc_de": None, "n_de": None})):
        small = judging.judge(check(SLICED), values)
        assert ("Left out" in small.message) == (now < 50)


def test_without_any_slice_nothing_can_be_said() -> None:
    rules = "target: 0.5.., slices: f1_*, size: n_*, min-size: 50"
    values = Values(now={"f1_de": 0.1, "n_de": 3})

    result = judging.judge(check(rules), values)

    assert (result.status, result.message) == (
        "invalid",
        "No slice that counts matches f1_*. Left out, since smaller than 50: f1_de.",
    )
    assert judging.judge(check(rules), Values()).status == "invalid"


def test_a_new_slice_hides_no_worse_one() -> None:
    result = sliced({"acc": 0.9, "acc_de": 0.88, "acc_fr": 0.9, "acc_es": 0.1, "n_nl": 1})

    assert (result.status, result.value) == ("pass", 0.88)
