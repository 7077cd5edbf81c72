"""Pictures of plots and of the history of metrics."""

import io
import re
import socket
from typing import Any

import pytest
from dvc_render import VegaRenderer
from PIL import Image

from cml.report import charts

SCHEMA = "https://vega.github.io/schema"
POINTS = [{"step": 0, "loss": 1.0}, {"step": 1, "loss": 0.5}]
ENCODING = {
    "x": {"field": "step", "type": "quantitative"},
    "y": {"field": "loss", "type": "quantitative"},
}


def lite(**changes: Any) -> dict[str, Any]:
    spec = {
        "$schema": f"{SCHEMA}/vega-lite/v5.json",
        "data": {"values": POINTS},
        "mark": "line",
        "encoding": ENCODING,
    }
    return {**spec, **changes}


def picture(spec: dict[str, Any]) -> Image.Image:
    image = Image.open(io.BytesIO(charts.png(spec)))
    assert image.format == "PNG"
    return image


def colours(image: Image.Image) -> int:
    return len(image.convert("RGB").getcolors(1_000_000) or [])


def test_what_dvc_makes_of_a_plot_can_be_drawn() -> None:
    rows = [{**point, "rev": rev} for rev in ("main", "workspace") for point in POINTS]
    properties = {"revs_with_datapoints": ["main", "workspace"], "x": "step", "y": "loss"}
    spec = VegaRenderer(rows, "loss.csv", **properties).get_filled_template()
    image = picture(spec)
    assert min(image.size) > 300
    assert colours(image) > 20


@pytest.mark.parametrize("version", [5, 6])
def test_vega_lite_is_drawn_whatever_its_version(version: int) -> None:
    assert colours(picture(lite(**{"$schema": f"{SCHEMA}/vega-lite/v{version}.json"}))) > 5


def test_vega_is_drawn_too() -> None:
    spec = {
        "$schema": f"{SCHEMA}/vega/v5.json",
        "width": 50,
        "height": 40,
        "marks": [
            {
                "type": "rect",
                "encode": {
                    "enter": {
                        "x": {"value": 0},
                        "width": {"value": 50},
                        "y": {"value": 0},
                        "height": {"value": 40},
                        "fill": {"value": "#ff0000"},
                    }
                },
            }
        ],
    }
    assert picture(spec).convert("RGB").getpixel((20, 20)) == (255, 0, 0)


def test_the_scale_makes_the_picture_larger() -> None:
    small = Image.open(io.BytesIO(charts.png(lite(), scale=1.0)))
    large = Image.open(io.BytesIO(charts.png(lite(), scale=3.0)))
    assert large.width == pytest.approx(3 * small.width, abs=3)


@pytest.mark.parametrize(
    "spec", [{}, {"mark": 3}, {"$schema": f"{SCHEMA}/vega/v5.json", "marks": 3}, {"x": object()}]
)
def test_a_spec_that_cannot_be_drawn_is_a_value_error(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        charts.png(spec)


@pytest.mark.parametrize("where", ["data", "mark"])
def test_nothing_is_fetched_from_the_network(where: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        given: dict[str, Any] = {"data": {"url": url}, "mark": {"type": "image", "url": url}}
        with pytest.raises(ValueError, match=r"not allowed|load"):
            charts.png(lite(**{where: given[where]}))
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_text_that_looks_like_a_picture_is_drawn_as_text() -> None:
    assert picture(lite(title="<image href='x'>")).width > 100


def test_a_mermaid_chart_holds_its_labels_and_values() -> None:
    assert charts.mermaid("loss", ["a1", "now"], [1.5, 2]).splitlines()[1:] == [
        "xychart-beta",
        '    title "loss"',
        '    x-axis ["a1", "now"]',
        "    line [1.5, 2]",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-08, "0.00000001"),
        (1e22, "10000000000000000000000"),
        (-0.1, "-0.1"),
        (1 / 3, "0.333333333"),
    ],
)
def test_mermaid_numbers_have_no_exponents(value: float, text: str) -> None:
    assert f"line [{text}]" in charts.mermaid("x", ["a"], [value])


@pytest.mark.parametrize(
    "text",
    [
        '"]\n    line [9, 9]',
        "%%{init: {}}%%",
        "`markdown`",
        "#quot;",
        "<b>",
        "a;b",
        "\\",
        "\u202e",
        ":::class",
        "x" * 10_000,
        "",
    ],
)
def test_a_name_cannot_leave_its_quotes_in_mermaid(text: str) -> None:
    chart = charts.mermaid(text, [text], [1])
    _, kind, title, axis, line = chart.splitlines()
    assert (kind, line) == ("xychart-beta", "    line [1]")
    assert re.fullmatch(r'    title "[^"`%{}<>#;&\\]{1,60}"', title)
    assert re.fullmatch(r'    x-axis \["[^"`%{}<>#;&\\]{1,16}"\]', axis)
    assert "::" not in title
