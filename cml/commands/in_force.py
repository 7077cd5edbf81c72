"""Whose rules and settings judge a change: those of the branch it is for, not its own."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cml import config
from cml.commands import gate
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.commands.run import Surroundings
    from cml.config import Settings
    from cml.record import Baseline, Context
    from cml.repo import Checkout

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class InForce:
    """What a run is judged with: its settings, its baseline, and the commit of the rules.

    `changes` are sentences: what the change says otherwise, which takes effect after the merge.
    """

    settings: Settings
    baseline: Baseline | None
    rules: Baseline | None
    changes: list[str]


def find(own: Settings, around: Surroundings, checkout: Checkout, context: Context) -> InForce:
    """Find the baseline and the rules, and the settings that bear on the verdict beside these.

    Flags and the environment win as ever. On a first commit, all settings are the change's own.

    Raises:
        UsageError: a baseline, here or in force, cannot be found.
        PublishError: more history is needed, and the remote cannot be reached or refuses.
    """
    rules = checkout.rules(context)
    found = own if rules is None else _settings(around, checkout, rules.sha)
    baseline = checkout.baseline(own.baseline, context)
    if found.baseline != own.baseline:
        baseline = checkout.baseline(found.baseline, context)
    return InForce(
        settings=_widened(found, own),
        baseline=baseline,
        rules=rules,
        changes=_changes(found, own),
    )


def _settings(around: Surroundings, checkout: Checkout, sha: str) -> Settings:
    text = gate.settings_before(around.start, checkout, sha)
    try:
        return around.settle(judging=text)
    except UsageError as error:
        log.warning("the settings in force cannot be read: %s", error.message)
        return around.settle(judging=config.File())


def _widened(found: Settings, own: Settings) -> Settings:
    """Take all where a change would choose which part of itself is judged."""
    all_ = config.Targets()
    if own.repro_targets != found.repro_targets:
        found = dataclasses.replace(found, repro_targets=all_)
    if own.metrics_diff_targets != found.metrics_diff_targets:
        found = dataclasses.replace(found, metrics_diff_targets=all_)
    return found


def _changes(old: Settings, new: Settings) -> list[str]:
    judging = [option.name for option in config.OPTIONS if option.judges]
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in judging]
    return [
        f"{name} changes: from {_shown(was)} to {_shown(now)}."
        for name, was, now in pairs
        if was != now
    ]


def _shown(value: object) -> str:
    if isinstance(value, config.Targets):
        value = value.names or {"none": "-"}.get(value.kind, value.kind)
    words = value if isinstance(value, tuple) else [value or "nothing"]
    return " ".join(map(str, words)) or "nothing"
