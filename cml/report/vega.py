"""The points of a simple Vega-Lite chart; draws nothing."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Spec = Mapping[str, Any]
Kind = Literal["line", "bar"]
_MOST_LAYERS = 20
# What changes the data on its way to the picture, so that the rows are not what is shown.
_COMPUTED = ("aggregate", "bin", "timeUnit", "stack")


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A chart as its rows: for each series, what stands on the x axis (`at`), and the value.

    `across` and `up` are the titles of the axis of places and of the axis of values.
    """

    kind: Kind
    across: str
    up: str
    series: Mapping[str, list[tuple[Any, float]]]


def read(spec: Spec) -> Drawing | None:
    """Return the first line or bar chart in a spec; None where it shows no plain rows.

    The spec may come from a template of the repository: nothing about its shape is sure.
    """
    rows = _mapping(spec.get("data")).get("values")
    if not isinstance(rows, list) or "transform" in spec:
        return None
    found = (_drawing(layer, rows) for layer in _layers(spec))
    return next((drawing for drawing in found if drawing is not None), None)


def _layers(spec: Spec, depth: int = 3) -> Iterator[Spec]:
    """Yield the spec and the layers below it, each with the encoding that it inherits."""
    yield spec
    layers = spec.get("layer")
    if not isinstance(layers, list) or not depth:
        return
    for layer in map(_mapping, layers[:_MOST_LAYERS]):
        if "transform" not in layer:
            encoding = {**_mapping(spec.get("encoding")), **_mapping(layer.get("encoding"))}
            yield from _layers({**layer, "encoding": encoding}, depth - 1)


def _drawing(layer: Spec, rows: list[Any]) -> Drawing | None:
    mark, encoding = layer.get("mark"), _mapping(layer.get("encoding"))
    shape = mark if isinstance(mark, str) else _mapping(mark).get("type")
    kind: Kind | None = "line" if shape == "line" else "bar" if shape == "bar" else None
    x, y = _mapping(encoding.get("x")), _mapping(encoding.get("y"))
    if kind == "bar" and x.get("type") == "quantitative":
        x, y = y, x
    if y.get("type") != "quantitative" or (kind == "line" and x.get("type") != "quantitative"):
        return None
    if any(name in axis for axis in (x, y) for name in _COMPUTED):
        return None
    names = [_mapping(encoding.get(channel)).get("field") for channel in ("color", "strokeDash")]
    keys = [name for name in names if isinstance(name, str)]
    series = _series(rows, x.get("field"), y.get("field"), keys)
    if not series or kind is None:
        return None
    return Drawing(kind=kind, across=_title(x), up=_title(y), series=series)


def _series(
    rows: list[Any], x: object, y: object, keys: list[str]
) -> dict[str, list[tuple[Any, float]]]:
    """Return the points of each series; one without a number is left out."""
    series = defaultdict(list)
    for row in map(_mapping, rows):
        value = finite(row.get(y))
        if value is not None and row.get(x) is not None:
            name = " ".join(str(row[key]) for key in dict.fromkeys(keys) if key in row)
            series[name].append((row[x], value))
    return dict(series)


def _title(axis: Spec) -> str:
    return str(axis.get("title") or axis.get("field") or "")


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def finite(value: object) -> float | None:
    """Return a number, or the number that a text of a CSV file says; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
