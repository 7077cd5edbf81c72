"""Pictures: PNG from Vega specs, and Mermaid text; loads nothing from anywhere."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from cml.report import escape, vega

VEGA_LITE_5 = "5.17"
_SCHEMA = re.compile(r"/(vega|vega-lite)/v(\d+)")
_UNSAFE_IN_MERMAID = re.compile(r'["`%{}<>#;&\\]|:{2,}')
_MERMAID_LOOK = (
    '%%{{init: {{"xyChart": {{"width": 640, "height": {height}, "yAxis": {{"labelFontSize": 10}}}},'
    ' "themeVariables": {{"xyChart": {{"plotColorPalette": "{palette}"}}}}}}}}%%'
)
_COLOURS = {"grey": "#8c959f", "blue": "#3b7dd8", "orange": "#d97706", "green": "#2da44e"}
_HEIGHT = 240  # pixels
_TITLE = 60
_LABEL = 16
_NAME = 24
_DIGITS = 9
_DIGITS_OF_A_POINT = 6
_MOST_POINTS = 40
_MOST_BARS = 20
_EVEN = 1e-6

_TEXT = r'"[^"`%{}<>#;&\\\n]*"'
_NUMBERS = r"-?[\d.]+(?:, -?[\d.]+)*"
_OURS = re.compile(
    r"%%\{init: [\w\s\"{}:,#]+\}%%\nxychart-beta(?: horizontal)?"
    rf"(?:\n    title {_TEXT})?"
    rf"\n    x-axis (?:{_TEXT} -?[\d.]+ --> -?[\d.]+|\[{_TEXT}(?:, {_TEXT})*\])"
    rf"(?:\n    y-axis {_TEXT}(?: 0 --> [\d.]+)?)?"
    rf"(?:\n    (?:line|bar) \[{_NUMBERS}\])+"
)

Points = Sequence[tuple[float, float]]


def png(spec: Mapping[str, Any], *, scale: float = 1.5) -> bytes:
    """Draw a Vega or Vega-Lite spec; `scale` is pixels of the picture per pixel of the spec.

    The data must stand in the spec: nothing is loaded, neither from a URL nor from a file.

    Raises:
        ValueError: the spec is not valid, or asks for something to be loaded.
    """
    import vl_convert

    svg = _svg(spec)
    # Vega writes the address of a picture into the SVG; the conversion to PNG would fetch it.
    if "<image" in svg:
        raise ValueError("a plot with pictures in it cannot be drawn: it would load them")
    return bytes(vl_convert.svg_to_png(svg, scale=scale))


def _svg(spec: Mapping[str, Any]) -> str:
    import vl_convert

    match = _SCHEMA.search(str(spec.get("$schema", "")))
    language, version = match.groups() if match else ("vega-lite", "5")
    if language == "vega":
        return str(vl_convert.vega_to_svg(dict(spec), allowed_base_urls=[]))
    return str(
        vl_convert.vegalite_to_svg(
            dict(spec),
            vl_version=VEGA_LITE_5 if version == "5" else None,
            allowed_base_urls=[],
        )
    )


def mermaid(title: str, labels: Sequence[str], values: Sequence[float]) -> str:
    """Return a Mermaid line chart (`xychart-beta`), without a fence; one label for each value.

    Characters that mean something to Mermaid are shown as `?`.
    See https://mermaid.js.org/syntax/xyChart.html for the format.
    """
    axis = ", ".join(_quoted(label, _LABEL) for label in labels)
    line = ", ".join(map(_mermaid_number, values))
    return "\n".join(
        (
            _look(_HEIGHT, ["blue"]),
            "xychart-beta",
            f"    title {_quoted(title, _TITLE)}",
            f"    x-axis [{axis}]",
            f"    line [{line}]",
        )
    )


def mermaid_of(spec: Mapping[str, Any]) -> str | None:
    """Return a Vega-Lite line or bar chart as Mermaid, without a fence.

    Each line is drawn as far as all of them reach, at no more than 40 places. Mermaid has no
    legend everywhere, so the title says which line has which colour. None where the spec is not
    a simple chart, or has too many lines or bars to be readable.
    """
    drawing = vega.read(spec)
    if drawing is None or len(drawing.series) > len(_COLOURS):
        return None
    return _lines(drawing) if drawing.kind == "line" else _bars(drawing)


def _lines(drawing: vega.Drawing) -> str | None:
    lines = [_points(given) for given in drawing.series.values()]
    low = max((line[0][0] for line in lines if line), default=0.0)
    high = min((line[-1][0] for line in lines if line), default=0.0)
    if not all(lines) or low >= high:
        return None
    places = _places(lines, low, high)
    shorter = any(line[0][0] < low or line[-1][0] > high for line in lines)
    across = f"{drawing.across} (where all lines reach)" if shorter else drawing.across
    colours = list(_COLOURS) if len(lines) > 1 else ["blue"]
    x_axis = f"{_quoted(across, _TITLE)} {_mermaid_number(low)} --> {_mermaid_number(high)}"
    return "\n".join(
        (
            _look(_HEIGHT, colours[: len(lines)]),
            "xychart-beta",
            f'    title "{_legend(list(drawing.series), colours)}"',
            f"    x-axis {x_axis}",
            f"    y-axis {_quoted(drawing.up, _NAME)}",
            *(f"    line [{_values([_at(line, x) for x in places])}]" for line in lines),
        )
    )


def _places(lines: Sequence[Points], low: float, high: float) -> list[float]:
    """Return where to draw: at the points themselves where they are few and evenly spread."""
    reached = sorted({x for line in lines for x, _ in line if low <= x <= high})
    gaps = [after - before for before, after in pairwise(reached)]
    even = max(gaps, default=0.0) - min(gaps, default=0.0) < _EVEN * (high - low)
    count = len(reached) if even and 1 < len(reached) < _MOST_POINTS else _MOST_POINTS
    return [low + (high - low) * index / (count - 1) for index in range(count)]


def _legend(names: list[str], colours: list[str]) -> str:
    said = [_mermaid_text(name, _NAME) for name in names]
    if len(names) == 1:
        return said[0]
    return ", ".join(f"{name} ({colour})" for name, colour in zip(said, colours, strict=False))


def _points(given: Sequence[tuple[Any, float]]) -> Points:
    """Return the points of a line from left to right; those at one place keep their order."""
    numbered = ((vega.finite(place), value) for place, value in given)
    points = [(place, value) for place, value in numbered if place is not None]
    if points and points[0][0] > points[-1][0]:
        points.reverse()
    return sorted(points, key=lambda point: point[0])


def _at(line: Points, place: float) -> float:
    """Return the height of a line at a place within it."""
    after = bisect_right(line, place, key=lambda point: point[0])
    x, y = line[after - 1]
    if after == len(line):
        return y
    next_x, next_y = line[after]
    share = (place - x) / (next_x - x)
    return y * (1 - share) + next_y * share


def _bars(drawing: vega.Drawing) -> str | None:
    """Return bars beside each other, for Mermaid draws one series over the other.

    It begins every bar at the end of the axis, so that those below zero would show a lie.
    """
    several = len(drawing.series) > 1
    bars = [
        (str(place), f"{str(place)[:_LABEL]}, {name}" if several else str(place), value)
        for name, points in drawing.series.items()
        for place, value in points
    ]
    labels = {_mermaid_text(label, _LABEL + _NAME) for _, label, _ in bars}
    most = max(value for _, _, value in bars)
    if len(labels) < len(bars) or len(bars) > _MOST_BARS or min(v for _, _, v in bars) < 0:
        return None
    order = list(dict.fromkeys(place for place, _, _ in bars))
    bars.sort(key=lambda bar: order.index(bar[0]))
    axis = ", ".join(_quoted(label, _LABEL + _NAME) for _, label, _ in bars)
    return "\n".join(
        (
            _look(80 + 30 * len(bars), ["blue"]),
            "xychart-beta horizontal",
            f"    x-axis [{axis}]",
            f"    y-axis {_quoted(drawing.up, _NAME)} 0 --> {_mermaid_number(most or 1)}",
            f"    bar [{_values([value for _, _, value in bars])}]",
        )
    )


def safe(chart: str) -> str | None:
    """Return a chart that this room may have written; None for any other text."""
    return chart if _OURS.fullmatch(chart) and chart.replace("\n", "").isprintable() else None


def _look(height: int, colours: Sequence[str]) -> str:
    palette = ", ".join(_COLOURS[colour] for colour in colours)
    return _MERMAID_LOOK.format(height=height, palette=palette)


def _quoted(text: str, limit: int) -> str:
    return f'"{_mermaid_text(text, limit)}"'


def _values(values: Sequence[float]) -> str:
    return ", ".join(_mermaid_number(value, _DIGITS_OF_A_POINT) for value in values)


def _mermaid_text(text: str, limit: int) -> str:
    return _UNSAFE_IN_MERMAID.sub("?", escape.visible(text, limit)) or "?"


def _mermaid_number(value: float, digits: int = _DIGITS) -> str:
    # Mermaid's grammar has no exponents.
    return format(Decimal(f"{value:.{digits}g}"), "f")
