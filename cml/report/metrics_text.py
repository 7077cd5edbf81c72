"""A record -> its metrics as OpenMetrics text, as GitLab compares them; loads nothing."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count

from cml.record import Record, Value
from cml.report import escape

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
_LONGEST = 4096


def openmetrics(record: Record) -> str:
    """Return the new values of all metrics that are finite numbers; the file is a label.

    Names are made valid and stay distinct: `a.b` becomes `a_b`, or `a_b_2` where there is an
    `a_b` already. See https://prometheus.io/docs/specs/om/open_metrics_spec/ for the format.
    """
    metrics: dict[str, dict[str, Value]] = defaultdict(dict)
    for metric in record.metrics:
        if _is_number(metric.new):
            metrics[metric.name or metric.path][_label(metric.path)] = metric.new
    families = {family: metrics[name] for name, family in _families(metrics).items()}
    lines = [
        line
        for family, samples in sorted(families.items())
        for line in (
            f"# TYPE {family} gauge",
            *(f'{family}{{path="{path}"}} {value!r}' for path, value in samples.items()),
        )
    ]
    return "\n".join((*lines, "# EOF", ""))


def _valid(name: str) -> str:
    """Return a name that OpenMetrics takes; it keeps a leading underscore for itself."""
    name = _NOT_IN_NAMES.sub("_", name)
    return name if name[:1].isalpha() else f"metric_{name}"


def _families(names: Iterable[str]) -> dict[str, str]:
    """Return a valid name for each; one that is valid keeps its form, whatever comes before it."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    tried: dict[str, Iterator[str]] = {}
    for name in sorted(names, key=lambda name: _valid(name) != name):
        base = _valid(name)
        tries = tried.setdefault(base, _tries(base))
        found[name] = next(family for family in tries if family not in taken)
        taken.add(found[name])
    return found


def _tries(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}_{number}" for number in count(2))


@cache
def _label(text: str) -> str:
    # What is not printable becomes an escape here, so no line break is left.
    return escape.visible(text, _LONGEST).replace("\\", "\\\\").replace('"', '\\"')


def _is_number(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max
