"""The story of the gate: the rules in force, the values of this run, a verdict."""

from __future__ import annotations

import dataclasses
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml import checks, config, statistics
from cml.checks import judging, policy, waiving
from cml.commands import evidence
from cml.errors import UsageError
from cml.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cml.checks.model import Values
    from cml.commands.evidence import Evidence
    from cml.record import CheckResult, Context, Record, Verdict
    from cml.repo import Checkout

log = logging.getLogger(__name__)

SETTINGS = "cml.yaml"
_MEND = "Whoever may push there has to mend them, past this gate."
GRADIENT = ".ps_project/config.yaml"
"""GradientCI's file, at the top of the repository."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the gate says: each check's result, edits to the rules, problems, and the verdict."""

    checks: list[CheckResult]
    policy_changes: list[str]
    problems: list[str]
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The policies of one revision: of cml.yaml, and of GradientCI's file."""

    own: policy.Policy
    gradient: policy.Policy


def rules_here(start: Path, checkout: Checkout) -> Rules:
    """Read the rules as they are in the work tree; the next change will be judged by them.

    Raises:
        UsageError: they are wrong; the message names file, line and column.
    """
    texts = {path: _text(checkout.root / path) for path in _places(start, checkout)}
    return _rules(texts, "")


def rules_in_force(start: Path, checkout: Checkout, record: Record) -> Rules:
    """Read the rules of the record's commit of rules; without one, those of the work tree.

    Raises:
        UsageError: they are wrong.
    """
    if record.rules is None:
        return rules_here(start, checkout)
    return _rules_at(start, checkout, record.rules.sha)


def metrics_files(rules: Rules) -> list[str]:
    """Name the files of the checks `metrics:FILE:NAME`."""
    subjects = [check.subject for check in rules.own.checks if check.source == "metrics"]
    return list(dict.fromkeys(name.partition(":")[0] for name in subjects if ":" in name))


def judge(start: Path, checkout: Checkout, record: Record, found: Evidence) -> Judged:
    """Judge a run by the rules of the branch it is for: no change can loosen its own gate.

    Args:
        start: the folder that the run was started in.
        checkout: the work tree.
        record: what the run has found, and the commit of the rules.
        found: reads values from other places than DVC's metrics.

    Raises:
        UsageError: the rules in the work tree are wrong.
    """
    now = rules_here(start, checkout)
    try:
        rules, problems = rules_in_force(start, checkout, record), list(record.problems)
    except UsageError as error:
        problem = f"the rules in force cannot be read: {error.message}. {_MEND}"
        problems = [*record.problems, problem]
        return Judged(checks=[], policy_changes=[], problems=problems, verdict="invalid")
    results = _waived(list(_results(rules, record, found)), rules, now, found, record)
    return Judged(
        checks=results,
        policy_changes=_changes(start, checkout, record, (rules, now)),
        problems=problems,
        verdict=checks.verdict(problems, results),
    )


def _changes(
    start: Path, checkout: Checkout, record: Record, sides: tuple[Rules, Rules]
) -> list[str]:
    """Say how a change edits the rules; what the target has edited since is not its doing."""
    (rules, now), sha = sides, record.baseline.sha if record.baseline else None
    edits = _differences(rules, now)
    try:
        before = _rules_at(start, checkout, sha) if sha else rules
    except UsageError:
        return edits
    own = _differences(before, now)
    return [edit for edit in edits if edit in own]


def _differences(old: Rules, new: Rules) -> list[str]:
    own = policy.differences(old.own, new.own)
    return [*own, *policy.differences(old.gradient, new.gradient)]


def _results(rules: Rules, record: Record, found: Evidence) -> Iterator[CheckResult]:
    for which, gradient in ((rules.own, False), (rules.gradient, True)):
        counted = [check for check in which.checks if applies(check, record.context)]
        seen = _corrected([evidence.values(check, record, found) for check in counted], counted)
        for check, values in zip(counted, seen, strict=True):
            result = judging.judge(check, values, gradient=gradient)
            family = which.status if gradient else None
            yield replace(result, family=family, shown=check.comment_on_pr)


def _corrected(seen: list[Values], counted: list[policy.Check]) -> list[Values]:
    """Correct what chance explains for how many checks can block by chance."""
    family = {
        index: values.chance
        for index, (check, values) in enumerate(zip(counted, seen, strict=True))
        if check.level == "error" and values.chance is not None
    }
    for index, chance in zip(family, statistics.holm([*family.values()]), strict=True):
        seen[index] = dataclasses.replace(seen[index], family=len(family), adjusted=chance)
    return seen


def _waived(
    results: list[CheckResult], rules: Rules, now: Rules, found: Evidence, record: Record
) -> list[CheckResult]:
    """Apply the waivers in force; an expired one fails as long as the change itself keeps it."""
    own = waiving.added(rules.own.waivers, now.own.waivers, rules.own.waivers_by)
    if own:
        author = (found.author() or "").casefold()
        own = [waiver for waiver in own if waiver.author.casefold() == author]
    waivers = [*rules.own.waivers, *own]
    if not waivers:
        return results
    # The rules' day counts too: whoever proposes a change writes the date of its commit.
    revisions = ["HEAD", *([record.rules.sha] if record.rules else [])]
    day = max(found.checkout.committed_on(revision) for revision in revisions)
    kept = [waiver for waiver in waivers if waiver in now.own.waivers]
    return [*waiving.waived(results, waivers, day), *waiving.expired(kept, day)]


def applies(check: policy.Check, context: Context) -> bool:
    """Tell whether a check counts in a run."""
    asked = context.pull_request is not None
    return any(
        judging.applies(check, pull_request=asked, branch=branch)
        for branch in {context.branch, context.target}
    )


def _rules_at(start: Path, checkout: Checkout, sha: str) -> Rules:
    return _rules(_texts_at(start, checkout, sha), f"{sha[:7]}:")


@functools.cache
def _texts_at(start: Path, checkout: Checkout, sha: str) -> dict[str, str | None]:
    """Read the files that can hold rules, once: a commit does not change."""
    return {path: _decoded(checkout.show(sha, path)) for path in _places(start, checkout)}


def settings_before(start: Path, checkout: Checkout, sha: str) -> config.File:
    """Return the nearest cml.yaml of a revision; an empty one where it has none."""
    for path, text in _texts_at(start, checkout, sha).items():
        if text is not None and path != GRADIENT:
            return config.File(name=f"{sha[:7]}:{path}", text=text)
    return config.File()


def _rules(texts: dict[str, str | None], where: str) -> Rules:
    """Read the nearest cml.yaml and GradientCI's file; where neither is, there are no rules."""
    own = next(((path, text) for path, text in texts.items() if text and path != GRADIENT), None)
    gradient = texts.get(GRADIENT)
    nothing = policy.Policy(checks=())
    return Rules(
        own=policy.read(own[1], where + own[0]) if own else nothing,
        gradient=policy.read_gradient(gradient, where + GRADIENT) if gradient else nothing,
    )


def _places(start: Path, checkout: Checkout) -> list[str]:
    """Name the files that can hold rules, the nearest first, as git calls them."""
    folders = [start.resolve(), *start.resolve().parents]
    inside = [f for f in folders if f == checkout.root or checkout.root in f.parents]
    return [*(checkout.relative(folder / SETTINGS) for folder in inside), GRADIENT]


def _text(path: Path) -> str | None:
    if path.is_symlink():
        raise UsageError(
            f"{path} is a symbolic link, which git does not follow to read the rules of a commit",
            hint="put the file itself there",
        )
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")
