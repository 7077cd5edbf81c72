"""Two sets of metrics or parameters -> what changed; knows nothing of files or revisions."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cml.record import MetricChange, ParamChange, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the metrics (or params) files of one revision hold.

    Attributes:
        values: path -> name -> value; nested names are joined by dots.
        errors: path -> why the file cannot be read.
    """

    values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def flatten(data: Any) -> dict[str, Value]:
    """Return nested mappings as one, names joined by dots; a list becomes JSON text.

    A file that holds a lone value gets the empty name.
    """
    return dict(_walk((), data))


def _walk(names: tuple[str, ...], data: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _walk((*names, str(key)), value)
    elif data is None or isinstance(data, (bool, int, float, str)):
        yield ".".join(names), data
    else:
        yield ".".join(names), json.dumps(data, default=str, sort_keys=True)


def diff(old: Reading, new: Reading) -> list[MetricChange]:
    """Return every metric of either side, changed or not, in the order of the files.

    `problem` is set where a gate cannot trust the new value: it is NaN or infinite, or it was
    a number and now is missing, text or unreadable.
    """
    return [
        _change(path, name, old.values.get(path, {}), new)
        for path, name in _names(old.values, new.values)
    ]


def _change(path: str, name: str, before: Mapping[str, Value], new: Reading) -> MetricChange:
    was, now = before.get(name), new.values.get(path, {}).get(name)
    problem = _problem(was, now, unreadable=path in new.errors)
    old_problem = _old_problem(was) if name in before else None
    was, now = _finite(was), _finite(now)
    both = _is_number(was) and _is_number(now)
    return MetricChange(
        path=path,
        name=name,
        old=was,
        new=now,
        diff=_finite(now - was) if both else None,
        problem=problem,
        old_problem=old_problem,
    )


def _problem(was: Value, now: Value, *, unreadable: bool) -> str | None:
    if isinstance(now, float) and not math.isfinite(now):
        return _not_finite(now)
    if not _is_number(was) or _is_number(now):
        return None
    if unreadable:
        return "cannot be read"
    return "is missing" if now is None else f"is not a number but {json.dumps(now)[:80]}"


def _old_problem(was: Value) -> str | None:
    if was is None:
        return "is missing"
    return _not_finite(was) if isinstance(was, float) and not math.isfinite(was) else None


def _not_finite(value: float) -> str:
    return "is NaN" if math.isnan(value) else "is infinite"


def disagreements(recorded: Reading, computed: Reading, tolerance: Decimal) -> list[str]:
    """Return a sentence for each recorded metric that is not what was computed, or that is lost.

    Args:
        recorded: the metrics as they were committed.
        computed: the same when their stages have run again.
        tolerance: how far apart numbers may be, relative to the larger one.
    """
    found = [
        f"{path}, as committed, cannot be read: {why}" for path, why in recorded.errors.items()
    ]
    for path, name in _names(recorded.values, computed.values):
        if path in recorded.errors:
            continue
        said = recorded.values.get(path, {}).get(name)
        made = computed.values.get(path, {}).get(name)
        if not _agree(said, made, Fraction(tolerance)):
            found.append(
                f"{name or path} in {path} is not what its stage computes: "
                f"{_shown(said)} is recorded, {_shown(made)} is computed"
            )
    return found


def _agree(said: Value, made: Value, tolerance: Fraction) -> bool:
    if not (_is_number(_finite(said)) and _is_number(_finite(made))):
        return json.dumps(said) == json.dumps(made)
    one, other = Fraction(said or 0), Fraction(made or 0)
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _shown(value: Value) -> str:
    return "nothing" if value is None else json.dumps(value)[:80]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _names(
    old: Mapping[str, Mapping[str, Value]], new: Mapping[str, Mapping[str, Value]]
) -> Iterator[tuple[str, str]]:
    for path in dict.fromkeys((*new, *old)):
        for name in dict.fromkeys((*new.get(path, ()), *old.get(path, ()))):
            yield path, name


def diff_params(old: Reading, new: Reading) -> list[ParamChange]:
    """Return the parameters that differ between two readings."""
    changes = []
    for path, name in _names(old.values, new.values):
        was, now = old.values.get(path, {}).get(name), new.values.get(path, {}).get(name)
        if was != now or type(was) is not type(now):
            changes.append(ParamChange(path=path, name=name, old=_finite(was), new=_finite(now)))
    return changes
