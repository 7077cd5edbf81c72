"""The predictions of both sides for the same items, compared."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cml import pipeline, predictions, statistics
from cml.checks.model import Columns
from cml.commands import comparing
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.checks.model import Check, Comparison, PairedTest
    from cml.commands.evidence import Evidence
    from cml.predictions import Pairs
    from cml.record import MetricChange
    from cml.statistics import Compared


def comparison(check: Check, metric: MetricChange, base: str, found: Evidence) -> Comparison | None:
    """Compare the predictions here with those at the baseline.

    Of right and wrong, more right is the gain whatever the check's direction: with `lower` it is
    about the fraction wrong, whose change is the gain turned around. Of scores, lower ones are
    the gain with `lower`.

    Args:
        check: the check, with `predictions`.
        metric: the metric that it judges.
        base: the sha of the baseline.
        found: reads both.

    Returns:
        None where the baseline has no such file: then only the metric can be compared.

    Raises:
        UsageError: one of the files cannot be read or paired, or there is none here, or it was
            made otherwise than the metric.
        PipelineError: DVC has lost one of them.
    """
    path = os.path.normpath(check.predictions or "").replace(os.sep, "/")
    _see_that_it_belongs(path, metric.path, found)
    now, then = _here(path, found), _at(path, base, found)
    if then is None:
        return None
    names = predictions.Names(**vars(check.columns or Columns()))
    pairs = predictions.pair(
        predictions.read(then, path, names, of=" of the baseline"),
        predictions.read(now, path, names),
    )
    which = _test(check)
    compared = _compared(check, which, pairs)
    return comparing.comparison(
        compared,
        what=_what(check, path, pairs),
        test=_named(check, which, pairs),
        units="items" if pairs.groups is None else "groups",
    )


def _see_that_it_belongs(path: str, metrics: str, found: Evidence) -> None:
    """See that the pipeline makes predictions on its way to a metric: others would be any."""
    if found.project is None or pipeline.leads_to(found.project, path, metrics):
        return
    raise UsageError(
        f"{path} is not made by the stage that makes {metrics}, or by one before it",
        hint=f"let that stage write {path}, and name it in its `outs:`",
    )


def _here(path: str, found: Evidence) -> bytes:
    """Read the file here; a result that DVC did not need in the work tree is in its cache.

    No link is followed, but for those that DVC makes: a change could have it lead to a secret.
    """
    place = _place(path, found)
    try:
        if place.resolve() == place:
            return place.read_bytes()
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError) as error:  # a loop of links, until Python 3.13
        raise UsageError(f"{path} cannot be read: {error}") from error
    kept = _kept(path, pipeline.WORKSPACE, found)
    if kept is None:
        raise UsageError(
            f"{path} {'is a link' if place.exists() else 'is not there'}",
            hint="a stage of the pipeline writes it; its name starts where those of metrics do",
        )
    return kept


def _at(path: str, base: str, found: Evidence) -> bytes | None:
    """Read the file at the baseline, from DVC or from git; None where neither has it."""
    kept = _kept(path, base, found)
    if kept is not None:
        return kept
    return found.checkout.show(base, found.checkout.relative(_place(path, found)))


def _kept(path: str, revision: str, found: Evidence) -> bytes | None:
    return None if found.project is None else pipeline.content(found.project, revision, path)


def _place(path: str, found: Evidence) -> Path:
    root = found.project.root.resolve() if found.project else found.checkout.root
    return Path(os.path.normpath(root / path))


def _test(check: Check) -> PairedTest:
    return check.test or ("mcnemar" if (check.columns or Columns()).plain else "t")


def _compared(check: Check, which: PairedTest, pairs: Pairs) -> Compared:
    margin = float(check.margin or 0)
    sign = -1 if _score(check) is not None and check.direction == "lower" else 1
    gains = [sign * (new - old) for old, new in zip(pairs.old, pairs.new, strict=True)]
    if not all(map(math.isfinite, gains)):
        raise UsageError(f"{check.predictions}: scores are too far apart to be compared")
    match which:
        case "mcnemar":
            wins, losses = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
            return statistics.mcnemar(wins, losses, len(gains), margin=margin)
        case "t":
            return statistics.paired_t(gains, pairs.groups, margin=margin)
        case "bootstrap":
            return statistics.bootstrap(gains, pairs.groups, margin=margin)


def _score(check: Check) -> str | None:
    return check.columns.score if check.columns else None


def _named(check: Check, which: PairedTest, pairs: Pairs) -> str:
    if which == "mcnemar":
        return "Tango's score test" if check.margin else "McNemar's exact test"
    name = "paired t-test" if which == "t" else "bootstrap"
    return name if pairs.groups is None else f"{name} over groups"


def _what(check: Check, path: str, pairs: Pairs) -> str:
    score = _score(check)
    side = "right" if check.direction == "higher" else "wrong"
    number = f"the fraction {side} of" if score is None else f"the mean of {score} over"
    groups = "" if pairs.groups is None else f" in {len({*pairs.groups}):,} groups"
    new = f" ({pairs.left_out:,} new left out)" if pairs.left_out else ""
    return f"{number} {len(pairs.old):,} items{groups} in {path}{new}"
