"""The keys `verify` and `verify-tolerance`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cml.checks import policy
from cml.errors import UsageError


def test_stages_and_tolerance_are_read() -> None:
    found = policy.read("verify: [train, evaluate]\nverify-tolerance: 0.01\n", "f").verify
    assert (found.stages, found.tolerance) == (("train", "evaluate"), Decimal("0.01"))
    assert found.where == "f:1:1"
    assert policy.read("verify: evaluate\n", "f").verify.stages == ("evaluate",)
    assert policy.read("checks:\nverify:\n", "f").verify.stages == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("verify: {train: 1}", "f:1:9: verify: a text or a number is expected"),
        ("verify: [[train]]", "f:1:9: verify: a text or a number is expected"),
        ("verify-tolerance: -1", "f:1:19: verify-tolerance: a number of at least 0 and below 1"),
        ("verify-tolerance: 1", "f:1:19: verify-tolerance: a number of at least 0 and below 1"),
        ("verify-tolerance: much", "f:1:19: verify-tolerance: a number of"),
        ("verify-tolerance:", "f:1:1: verify-tolerance: a text or a number is expected"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy.read(text, "f")
    assert caught.value.message.startswith(says)


def test_a_change_is_told() -> None:
    old = policy.read("verify: [train, evaluate]\n", "f")
    new = policy.read("verify: evaluate\nverify-tolerance: 0.1\n", "f")
    assert policy.differences(old, new) == [
        "verify changes: from train evaluate to evaluate.",
        "verify-tolerance changes: from 0 to 0.1.",
    ]
    assert policy.differences(old, old) == []
