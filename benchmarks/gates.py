"""How often gates block a change that changes nothing, and how often they catch a known drop.

A small network is trained thousands of times on the same data, each time with another seed. A trial
has ten past results, a baseline and a change; the change is nothing but other seeds, or its
predictions are spoilt so far that the accuracy drops by a known number of standard deviations of
the seeds. Each gate then judges by the package's own code: `python benchmarks/gates.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from cml import statistics
from cml.checks import judging, policy
from cml.checks.model import Comparison, Expected, Values
from cml.commands import comparing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

TRIALS = 1_000
PAST = 10
RUNS = 5
DROPS = (0, 1, 2, 3)
"""In standard deviations of the accuracy between seeds."""

TRAINED, TESTED, FEATURES, HIDDEN = 1_000, 4_000, 20, 16
EPOCHS, BATCH, RATE = 6, 50, 0.5
AT_ONCE = 200
SEED = 20_260_101


@dataclass(frozen=True, kw_only=True)
class Data:
    """Points and their classes, 0 or 1; to train with and to test with."""

    x: Floats
    y: Floats
    tested_x: Floats
    tested_y: Floats


def data() -> Data:
    """Draw points whose class depends on a few products of features, with some noise."""
    chance = np.random.default_rng(SEED)
    x = chance.normal(size=(TRAINED + TESTED, FEATURES))
    score = x[:, 0] * x[:, 1] + x[:, 2] + 0.5 * x[:, 3] * x[:, 4]
    y = (score + chance.normal(scale=0.3, size=len(x)) > 0).astype(float)
    cut = TRAINED
    return Data(x=x[:cut], y=y[:cut], tested_x=x[cut:], tested_y=y[cut:])


def right(found: Data, seeds: range) -> Bools:
    """Train one network for each seed; return which tested points it gets right.

    Returns:
        Shape (seeds, tested points).
    """
    parts = [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]
    return np.concatenate([_trained(found, part) for part in parts])


def _trained(found: Data, seeds: range) -> Bools:
    """Train networks side by side: one hidden layer, logistic loss, gradient descent in batches."""
    chances = [np.random.default_rng(seed) for seed in seeds]
    first = np.stack([c.normal(scale=FEATURES**-0.5, size=(FEATURES, HIDDEN)) for c in chances])
    second = np.stack([c.normal(scale=HIDDEN**-0.5, size=(HIDDEN, 1)) for c in chances])
    for _ in range(EPOCHS):
        orders = np.stack([c.permutation(TRAINED) for c in chances])
        for start in range(0, TRAINED, BATCH):
            picked = orders[:, start : start + BATCH]
            x, y = found.x[picked], found.y[picked][..., None]
            hidden = np.tanh(x @ first)
            error = (1 / (1 + np.exp(-hidden @ second)) - y) / BATCH
            back = (error @ second.swapaxes(1, 2)) * (1 - hidden**2)
            second = second - RATE * hidden.swapaxes(1, 2) @ error
            first = first - RATE * x.swapaxes(1, 2) @ back
    scores = np.stack([np.tanh(found.tested_x @ a) @ b for a, b in zip(first, second, strict=True)])
    return np.asarray((scores[..., 0] > 0) == (found.tested_y > 0))


def spoilt(answers: Bools, drop: float, chance: np.random.Generator) -> Bools:
    """Turn right answers into wrong ones, so that the accuracy falls by `drop` on average."""
    kept = chance.random(answers.shape) >= drop / answers.mean()
    return np.asarray(answers & kept)


def plain(past: Bools, new: Bools) -> Values:
    """Judge one run against one: no worse than before."""
    return _values(past[0].mean(), new[0].mean())


def paired(past: Bools, new: Bools) -> Values:
    """Compare the predictions of one run with those of one."""
    wins, losses = int((new[0] & ~past[0]).sum()), int((past[0] & ~new[0]).sum())
    found = statistics.mcnemar(wins, losses, TESTED)
    return _values(past[0].mean(), new[0].mean(), comparison=_comparison(found))


def history(past: Bools, new: Bools) -> Values:
    """Ask the past results what to expect."""
    values, value = [float(one.mean()) for one in past], float(new[0].mean())
    bound = statistics.prediction_bound(values, confidence=0.95, side="lower").bound
    return _values(values[0], value, expected=Expected(results=len(values), bound=bound))


def repeat(past: Bools, new: Bools) -> Values:
    """Compare as many runs of each side."""
    old, now = ([float(one.mean()) for one in side[:RUNS]] for side in (past, new))
    found = statistics.welch(old, now)
    return _values(old[0], now[0], comparison=_comparison(found))


def _values(
    old: float,
    new: float,
    *,
    expected: Expected | None = None,
    comparison: Comparison | None = None,
) -> Values:
    return Values(
        now={"accuracy": float(new)},
        before={"accuracy": float(old)},
        expected=expected,
        comparison=comparison,
    )


def _comparison(found: statistics.Compared) -> Comparison:
    return comparing.comparison(found, what="it", test="test", units="units")


GATES: dict[str, tuple[Callable[[Bools, Bools], Values], str]] = {
    "no worse than before": (plain, ""),
    "predictions": (paired, "predictions: test.csv"),
    f"history: {PAST}": (history, f"history: {PAST}"),
    f"repeat: {RUNS}": (repeat, f"repeat: {RUNS}, seed: train.seed"),
}


def main() -> None:
    """Train, judge, and print a table."""
    print(f"training {TRIALS * (PAST + RUNS):,} networks", file=sys.stderr)
    answers = right(data(), range(TRIALS * (PAST + RUNS)))
    deviation = float(answers.mean(axis=1).std(ddof=1))
    trials = answers.reshape(TRIALS, PAST + RUNS, TESTED)
    rows = []
    for name, (gate, keys) in GATES.items():
        text = f"checks:\n  metrics:accuracy: {{direction: higher, {keys}}}\n"
        (check,) = policy.read(text.replace(", }", "}"), "cml.yaml").checks
        blocked = [_blocked(trials, drop * deviation, check, gate) for drop in DROPS]
        rows.append((name, *(f"{share:.1%}" for share in blocked)))
    print(f"accuracy {answers.mean():.4f}, standard deviation between seeds {deviation:.4f}")
    print(f"share of {TRIALS} changes that each gate blocks, by their true drop")
    headings = ("gate", "none", *(f"{drop} sd" for drop in DROPS[1:]))
    print(tabulate(rows, headings, disable_numparse=True, stralign="right"))


def _blocked(
    trials: Bools,
    drop: float,
    check: policy.Check,
    gate: Callable[[Bools, Bools], Values],
) -> float:
    chance = np.random.default_rng(SEED)
    blocked = 0
    for trial in trials:
        values = gate(trial[:PAST], spoilt(trial[PAST:], drop, chance))
        blocked += judging.judge(check, values).status != "pass"
    return blocked / len(trials)


if __name__ == "__main__":
    main()
