"""Pictures: PNG from Vega specs, and Mermaid text; loads nothing from anywhere."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cml.report import escape

VEGA_LITE_5 = "5.17"
_SCHEMA = re.compile(r"/(vega|vega-lite)/v(\d+)")
_UNSAFE_IN_MERMAID = re.compile(r'["`%{}<>#;&\\]|:{2,}')
_MERMAID_LOOK = (
    '%%{init: {"xyChart": {"width": 640, "height": 240, "yAxis": {"labelFontSize": 10}},'
    ' "themeVariables": {"xyChart": {"plotColorPalette": "#3b7dd8"}}}}%%'
)
_TITLE = 60
_LABEL = 16
_DIGITS = 9


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
    axis = ", ".join(f'"{_mermaid_text(label, _LABEL)}"' for label in labels)
    line = ", ".join(map(_mermaid_number, values))
    return "\n".join(
        (
            _MERMAID_LOOK,
            "xychart-beta",
            f'    title "{_mermaid_text(title, _TITLE)}"',
            f"    x-axis [{axis}]",
            f"    line [{line}]",
        )
    )


def _mermaid_text(text: str, limit: int) -> str:
    return _UNSAFE_IN_MERMAID.sub("?", escape.visible(text, limit)) or "?"


def _mermaid_number(value: float) -> str:
    # Mermaid's grammar has no exponents.
    return format(Decimal(f"{value:.{_DIGITS}g}"), "f")
