"""Checks and the values of a run -> results and the verdict; reads neither files nor rules."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cml.checks import findings, rules, slices
from cml.checks.model import Values
from cml.record import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cml.checks.model import Check
    from cml.record import Value, Verdict

__all__ = ["Values", "applies", "judge", "verdict"]


def applies(check: Check, *, pull_request: bool, branch: str | None) -> bool:
    """Return whether a check counts here.

    Args:
        check: the check.
        pull_request: whether the run belongs to one.
        branch: what the check's `branches` are matched with; None matches no pattern.
    """
    if check.level == "off" or (check.only_pulls and not pull_request):
        return False
    if not check.branches:
        return True
    return branch is not None and any(fnmatchcase(branch, each) for each in check.branches)


def judge(check: Check, values: Values, *, gradient: bool = False) -> CheckResult:
    """Judge one check.

    Args:
        check: the rules.
        values: what they are applied to.
        gradient: use GradientCI's wording, and fail where it did: there was no invalid.
    """
    if values.exempt is not None:
        return _result(check, "pass", values.exempt)
    names, small = slices.counted(check, values)
    left_out = slices.left_out(check, small)
    if not names:
        return _result(check, "invalid", f"No slice that counts matches {check.slices}.{left_out}")
    found = [findings.finding(check, name, values, gradient=gradient) for name in names]
    worst = min(found, key=lambda finding: finding.order)
    first = f"Worst of {len(found)}: " if check.slices else ""
    return _result(check, worst.status, f"{first}{worst.message}{left_out}", worst.value)


def verdict(problems: Sequence[str], results: Sequence[CheckResult]) -> Verdict:
    """Return the verdict on a run that reached its end; only checks of level error count."""
    counted = [result.status for result in results if result.level == "error"]
    return "invalid" if problems else findings.worst(counted)


def _result(check: Check, status: Verdict, message: str, value: Value = None) -> CheckResult:
    demands = [check.target.text] if check.target else []
    if check.max_drop is not None or check.max_drop_percent is not None:
        demands.append(rules.drops(check))
    elif check.history is not None:
        demands.append(f"as expected of the last {check.history} results")
    elif check.predictions is not None or check.repeat is not None:
        margin = check.margin
        demands.append("no worse than chance explains" if margin is None else f"margin {margin}")
    elif check.relative:
        demands.append("no worse")
    return CheckResult(
        name=check.name,
        status=status,
        level=check.level,
        value=value,
        target=", ".join(demands),
        message=message,
    )
