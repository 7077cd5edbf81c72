"""The settings that bear on the verdict: as the baseline has them, not as the change would."""

from __future__ import annotations

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
    """What a run is judged with: its settings, its baseline, and what the change says otherwise."""

    settings: Settings
    baseline: Baseline | None
    changes: list[str]


def find(own: Settings, around: Surroundings, checkout: Checkout, context: Context) -> InForce:
    """Find the baseline, and the settings that bear on the verdict as its cml.yaml has them.

    Flags and the environment win as ever. Without a baseline, all settings are the change's own.

    Raises:
        UsageError: the baseline cannot be found.
    """
    bare = around.settle(judging=config.File())
    baseline = checkout.baseline(bare.baseline, context)
    if baseline is None:
        return InForce(settings=own, baseline=None, changes=[])
    text = gate.settings_before(around.start, checkout, baseline.sha)
    try:
        found = around.settle(judging=text)
    except UsageError as error:
        log.warning("the settings of the baseline do not count: %s", error.message)
        found = bare
    if found.baseline != bare.baseline:
        baseline = checkout.baseline(found.baseline, context)
    return InForce(settings=found, baseline=baseline, changes=_changes(found, own))


def _changes(old: Settings, new: Settings) -> list[str]:
    judging = [option.name for option in config.OPTIONS if option.judges]
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in judging]
    return [
        f"{name} changes: from {_shown(was)} to {_shown(now)}."
        for name, was, now in pairs
        if was != now
    ]


def _shown(value: object) -> str:
    words = value if isinstance(value, tuple) else [value or "nothing"]
    return " ".join(map(str, words)) or "nothing"
