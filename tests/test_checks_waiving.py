"""Waivers: failures that a team accepts for a while."""

from __future__ import annotations

from datetime import date

import pytest

from cml.checks import policy, waiving
from cml.errors import UsageError
from cml.record import CheckResult

CHECKS = "checks:\n  metrics:a: {target: 1}\n  metrics:b: {target: 1}\n"
WAIVER = "{check: metrics:a, author: Ada, reason: new data, until: 2026-03-31}"
LAST, OVER = date(2026, 3, 31), date(2026, 4, 1)


def read(*waivers: str) -> policy.Policy:
    return policy.read(CHECKS + "waivers:\n" + "".join(f"  - {one}\n" for one in waivers), "f")


def test_a_waiver_makes_a_warning_of_a_failure_to_the_end_of_its_last_day() -> None:
    waivers = read(WAIVER).waivers
    failed = CheckResult(name="metrics:a", status="fail", message="Too low.")
    (result,) = waiving.waived([failed], waivers, LAST)
    assert (result.status, result.level) == ("fail", "warn")
    assert result.message == "Too low. Waived by Ada until 2026-03-31: new data"
    assert waiving.expired(waivers, LAST) == []
    assert waiving.waived([failed], waivers, OVER) == [failed]
    (over,) = waiving.expired(waivers, OVER)
    assert (over.name, over.status, over.level) == ("waiver:metrics:a", "fail", "error")
    assert "by Ada until 2026-03-31" in over.message


@pytest.mark.parametrize(
    ("result", "level"),
    [
        (CheckResult(name="metrics:a", status="inconclusive"), "warn"),
        (CheckResult(name="metrics:a", status="invalid"), "error"),
        (CheckResult(name="metrics:a", status="pass"), "error"),
        (CheckResult(name="metrics:b", status="fail"), "error"),
        (CheckResult(name="metrics:a", status="fail", family="ci/gradient"), "error"),
    ],
)
def test_nothing_else_is_waived(result: CheckResult, level: str) -> None:
    (found,) = waiving.waived([result], read(WAIVER).waivers, LAST)
    assert found.level == level


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("metrics:a", "metrics:c", "f:5:13: check: there is no check 'metrics:c'"),
        ("author: Ada, ", "", "f:5:5: the waiver has no author"),
        ("reason", "reasons", "f:5:37: unknown key 'reasons'"),
        ("2026-03-31", "2026-02-30", "f:5:62: until: "),
        ("2026-03-31", "tomorrow", "f:5:62: until: a day such as 2027-01-31"),
        ("2026-03-31", "20260331", "f:5:62: until: a day such as 2027-01-31"),
        (WAIVER, "metrics:a", "f:5:5: waivers: keys with values are expected"),
        (WAIVER, f"{WAIVER}\n  - {WAIVER}", "f:6:5: metrics:a is waived twice"),
        (f"\n  - {WAIVER}", " all", "f:4:10: waivers: a list is expected"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, says: str) -> None:
    text = f"{CHECKS}waivers:\n  - {WAIVER}\n"
    assert old in text
    head, tail = text.split("waivers:")
    with pytest.raises(UsageError) as caught:
        policy.read(f"{head}waivers:{tail.replace(old, new, 1)}", "f")
    assert caught.value.message.startswith(says)


def test_a_change_is_told() -> None:
    assert policy.differences(read(WAIVER), read(WAIVER.replace("03-31", "06-30"))) == [
        "The waiver of metrics:a is removed: by Ada until 2026-03-31: new data",
        "A waiver of metrics:a is added: by Ada until 2026-06-30: new data",
    ]
    assert policy.differences(read(WAIVER), read(WAIVER)) == []


def test_who_may_waive_is_read_and_a_change_of_it_is_told() -> None:
    old, new = (policy.read(f"waivers-by: {names}\n", "f") for names in ("ada", "[ada, grace]"))
    assert (old.waivers_by, new.waivers_by) == (("ada",), ("ada", "grace"))
    assert policy.differences(old, new) == ["waivers-by changes: from ada to ada grace."]
    assert policy.read("waivers-by:\n", "f").waivers_by == ()
    with pytest.raises(UsageError, match="f:1:13: waivers-by: a text or a number is expected"):
        policy.read("waivers-by: {ada: true}\n", "f")


def test_a_change_adds_waivers_only_of_who_may_and_only_where_there_is_none() -> None:
    (old,) = read(WAIVER).waivers
    new = read(WAIVER.replace("2026", "2999"), WAIVER.replace("metrics:a", "metrics:b")).waivers
    assert waiving.added([old], new, ["ADA"]) == [new[1]]
    assert waiving.added([], new, ["ada"]) == [*new]
    assert waiving.added([], new, ["grace"]) == []
