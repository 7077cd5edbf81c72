"""What a gate demands and what it looks at, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from cml.checks.ranges import Range, Rounding
from cml.checks.verifying import Verify
from cml.checks.waiving import Waiver
from cml.record import Level, Value

Source = Literal["tensorflow", "metrics", "custom", "command", "seconds", "bytes"]
Over = Literal["all", "last"]
Missing = Literal["failure", "success"]
Direction = Literal["higher", "lower"]
PairedTest = Literal["mcnemar", "t", "bootstrap"]

AGGREGATES = ("mean", "stddev", "max", "min", "var", "median")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a file with predictions are called.

    Attributes:
        id: what tells items apart; None for `id` where there is such a column, else their order.
        label: what is true of an item.
        prediction: what the model says of it.
        score: a number for each item, instead of right or wrong.
        group: what items belong together, and are no independent ones.
    """

    id: str | None = None
    label: str = "label"
    prediction: str = "prediction"
    score: str | None = None
    group: str | None = None

    @property
    def plain(self) -> bool:
        """Whether independent items are right or wrong."""
        return self.score is None and self.group is None

    def __str__(self) -> str:
        given = {name: value for name, value in vars(self).items() if value is not None}
        return ", ".join(f"{name}: {value}" for name, value in given.items())


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule or more on one number.

    Attributes:
        name: the identifier as written, `SOURCE:SUBJECT`.
        source: where the number comes from.
        subject: a scalar's tag, a metric as `NAME` or `PATH:NAME`, a JSON file, any name of a
            command, a stage, or an output's path.
        target: the range in which the rounded value must lie.
        aggregate: one of `AGGREGATES` for tensorflow, a JSON pointer for custom.
        over: the values that are aggregated.
        round: toward which infinity to round before comparing with the target.
        precision: decimal places to keep; None for no rounding.
        only_pulls: count in pull requests only.
        branches: `fnmatch` patterns of the branches on which it counts; empty for all.
        if_not_found: what a value means that is not there.
        comment_on_pr: show it in the report.
        direction: which way is better; without a drop, no worse than the baseline is the rule.
        max_drop: the largest change for the worse since the baseline, in the metric's unit.
        max_drop_percent: the same in percent of the baseline's absolute value.
        slices: an `fnmatch` pattern over metric names, the worst of which counts.
        history: how many of the latest results say what is to be expected; None for none.
        predictions: the file with a row for each test item, here and at the baseline.
        columns: what its columns are called; None for their usual names.
        test: how its two sides are compared; None for what fits the columns.
        repeat: how many times the pipeline runs on each side.
        seed: the DVC parameter that differs between these runs, as `NAME` or `PATH:NAME`.
        margin: how much worse than the baseline it may truly be; None asks only for harm.
        min_size: slices smaller than this do not count.
        size: the metric that holds a slice's size; its `*` stands for what that of `slices` does.
        level: whether it can block.
        command: the shell command that prints the number; without it, the subject is one.
        where: `file:line:column` of the identifier.
    """

    name: str
    source: Source
    subject: str
    target: Range | None = None
    aggregate: str | None = None
    over: Over = "all"
    round: Rounding = "down"
    precision: int | None = None
    only_pulls: bool = False
    branches: tuple[str, ...] = ()
    if_not_found: Missing = "failure"
    comment_on_pr: bool = True
    direction: Direction | None = None
    max_drop: Decimal | None = None
    max_drop_percent: Decimal | None = None
    history: int | None = None
    predictions: str | None = None
    columns: Columns | None = None
    test: PairedTest | None = None
    repeat: int | None = None
    seed: str | None = None
    margin: Decimal | None = None
    slices: str | None = None
    min_size: int | None = None
    size: str | None = None
    level: Level = "error"
    command: str | None = None
    where: str = field(default="", compare=False)

    @property
    def relative(self) -> bool:
        """Whether the baseline counts."""
        return self.direction is not None


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The checks of one file, in its order, and the name of the status they are told under.

    `waivers_by` names the accounts whose own changes may add waivers.
    """

    verify: Verify = field(default_factory=Verify)
    waivers: tuple[Waiver, ...] = ()
    waivers_by: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    status: str = "cml-run"


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What past results let expect of a metric.

    Attributes:
        results: how many there are.
        missing: how many more it takes to tell; where any are, there is no bound.
        bound: the worst value that is expected.
        percent: how often a value of the same kind is no worse.
        constant: all of them are equal.
        chance: how often one is as bad as the value that is judged.
    """

    results: int
    missing: int = 0
    bound: float = 0.0
    percent: int = 95
    constant: bool = False
    chance: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What items or runs of both sides tell of how much better the new one truly is.

    Attributes:
        what: what differs, as "the fraction right of 1,000 items in test.csv".
        test: how chance was judged, as "Welch's test".
        units: what it takes more of, as "items".
        gain: the mean difference, in the metric's unit; negative is worse.
        low: the gain is at least this, with `percent` confidence.
        high: the gain is at most this, with the same confidence.
        percent: the confidence in each end.
        chance: how often the data look so bad where the true gain is minus the margin.
        missing: how many more units it takes to tell anything.
        more: about how many it takes to show on which side of minus the margin the gain lies, if
            it stays as it is; None where no number does.
    """

    what: str
    test: str
    units: str
    gain: float
    low: float
    high: float
    percent: int = 95
    chance: float
    missing: int = 0
    more: int | None = None


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a check can look at.

    Attributes:
        now: the values of this run by name; None is missing.
        before: those of the baseline; None where there is no baseline.
        problems: name -> why its value now cannot be judged, as "is NaN", or a whole sentence.
        problems_before: the same of the baseline's values.
        expected: for a check with `history`, what its past results let expect.
        comparison: for a check with `predictions` or `repeat`, what these tell.
        family: how many checks are judged by chance together.
        adjusted: the chance of this one, corrected for that; None where there is none.
        exempt: why there is nothing to judge, as a sentence: the check passes.
        series: the logged values of each scalar tag.
        name: what the check's subject is called in these, where that is not the subject itself.
    """

    now: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Value] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    problems_before: Mapping[str, str] = field(default_factory=dict)
    expected: Expected | None = None
    comparison: Comparison | None = None
    family: int = 1
    adjusted: float | None = None
    exempt: str | None = None
    series: Mapping[str, Sequence[float]] = field(default_factory=dict)
    name: str | None = None

    @property
    def chance(self) -> float | None:
        """How often what is judged looks so bad by chance; None where chance is not asked."""
        asked = self.expected or self.comparison
        return None if asked is None or asked.missing else asked.chance
