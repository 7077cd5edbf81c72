"""A record -> its metrics as OpenMetrics text, as GitLab compares them; loads nothing."""

import re
import sys
from collections import defaultdict

from cml.record import MetricChange, Record, Value
from cml.report import escape

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
_LONGEST = 4096


def openmetrics(record: Record) -> str:
    """Return the new values of all metrics that are finite numbers; the file is a label.

    Names are made valid and stay distinct: `a.b` becomes `a_b`, or `a_b_2` where there is an
    `a_b` already. See https://prometheus.io/docs/specs/om/open_metrics_spec/ for the format.
    """
    names: dict[str, str] = {}
    families: dict[str, dict[str, Value]] = defaultdict(dict)
    wanted = [metric for metric in record.metrics if _is_number(metric.new)]
    # A name that is valid keeps its form, whatever comes before it.
    for metric in sorted(wanted, key=lambda metric: _valid(_name(metric)) != _name(metric)):
        family = _distinct(_name(metric), names)
        families[family][_label(metric.path)] = metric.new
    lines = [
        line
        for family, samples in sorted(families.items())
        for line in (
            f"# TYPE {family} gauge",
            *(f'{family}{{path="{path}"}} {value!r}' for path, value in samples.items()),
        )
    ]
    return "\n".join((*lines, "# EOF", ""))


def _name(metric: MetricChange) -> str:
    return metric.name or metric.path


def _valid(name: str) -> str:
    """Return a name that OpenMetrics takes; it keeps a leading underscore for itself."""
    name = _NOT_IN_NAMES.sub("_", name)
    return name if name[:1].isalpha() else f"metric_{name}"


def _distinct(name: str, names: dict[str, str]) -> str:
    """Return the family of a metric's name, and remember it in `names`."""
    if name not in names:
        base, taken = _valid(name), set(names.values())
        number = 1
        names[name] = base
        while names[name] in taken:
            number += 1
            names[name] = f"{base}_{number}"
    return names[name]


def _label(text: str) -> str:
    # What is not printable becomes an escape here, so no line break is left.
    return escape.visible(text, _LONGEST).replace("\\", "\\\\").replace('"', '\\"')


def _is_number(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max
