"""Plots as Mermaid, for where a picture cannot be shown."""

from __future__ import annotations

import html
import math
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from dvc_render import VegaRenderer
from hypothesis import given, settings
from hypothesis import strategies as st
from node_kit import node_module

from cml import report
from cml.record import Experiment, MetricChange, Plot, Record, Stage
from cml.report import charts

if TYPE_CHECKING:
    from pathlib import Path

Line = list[tuple[Any, Any]]
SHORT = [(step, 1 / (step + 1)) for step in range(5)]
HOSTILE = '"]\n    line [9]\n%%{init: {}}%% <b> `x` ::: \u202e'


def dvc(lines: dict[str, Line], template: str | None = None) -> dict[str, Any]:
    """Return what DVC makes of a CSV file, in which everything is text."""
    rows = [
        {"step": str(x), "loss": str(y), "rev": rev} for rev, line in lines.items() for x, y in line
    ]
    chosen = {"template": template} if template else {}
    names = {"revs_with_datapoints": list(lines), "x": "step", "y": "loss"}
    spec: dict[str, Any] = VegaRenderer(rows, "loss.csv", **names, **chosen).get_filled_template()
    return spec


def bars(values: dict[str, dict[str, float]]) -> dict[str, Any]:
    rows = [{"f": f, "v": v, "rev": rev} for rev, of in values.items() for f, v in of.items()]
    x, y = {"field": "v", "type": "quantitative"}, {"field": "f", "type": "nominal"}
    encoding = {"x": x, "y": y, "color": {"field": "rev"}}
    return {"data": {"values": rows}, "mark": {"type": "bar"}, "encoding": encoding}


def mermaid(spec: dict[str, Any]) -> str:
    chart = charts.mermaid_of(spec)
    assert chart is not None
    assert charts.safe(chart) == chart
    return chart


def drawn(chart: str) -> list[list[float]]:
    found = re.findall(r"^    (?:line|bar) \[(.*)\]$", chart, re.MULTILINE)
    return [[float(value) for value in values.split(", ")] for values in found]


@pytest.mark.parametrize("template", [None, "linear", "simple", "smooth"])
def test_the_line_plots_of_dvc_become_one_line_for_each_revision(template: str | None) -> None:
    better = [(step, value / 2) for step, value in SHORT]
    chart = mermaid(dvc({"baseline 9b1c7e5": SHORT, "now": better}, template))
    assert chart.splitlines()[1:5] == [
        "xychart-beta",
        '    title "baseline 9b1c7e5 (grey), now (blue)"',
        '    x-axis "step" 0 --> 4',
        '    y-axis "loss"',
    ]
    assert drawn(chart) == [
        pytest.approx([y for _, y in SHORT], rel=1e-5),
        pytest.approx([y for _, y in better], rel=1e-5),
    ]


def test_a_long_line_is_thinned_to_forty_points_and_keeps_its_ends() -> None:
    line = [(step, math.cos(step / 100)) for step in range(1001)]
    (values,) = drawn(mermaid(dvc({"now": line})))
    assert len(values) == 40
    assert values[0] == 1
    assert values[-1] == pytest.approx(math.cos(10), rel=1e-5)


def test_lines_are_drawn_as_far_as_all_of_them_reach() -> None:
    longer = [(step, step) for step in range(9)]
    chart = mermaid(dvc({"old": SHORT, "now": longer}))
    assert '    x-axis "step (where all lines reach)" 0 --> 4' in chart
    assert drawn(chart)[1] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_line_that_jumps_keeps_its_corners(turn: int) -> None:
    roc: Line = [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    (values,) = drawn(mermaid(dvc({"now": roc[::turn]})))
    assert set(values) == {0.5, 1}


def test_points_that_are_no_numbers_are_left_out() -> None:
    line: Line = [(0, 1), (1, "nan"), (2, ""), ("x", 4), (4, 5), (5, "inf")]
    assert drawn(mermaid(dvc({"now": line}))) == [[1, 5]]


def test_bars_of_two_revisions_stand_beside_each_other() -> None:
    chart = mermaid(bars({"old": {"age": 0.4, "income": 0.25}, "now": {"age": 0.5, "income": 0.2}}))
    assert "xychart-beta horizontal" in chart
    assert 'x-axis ["age, old", "age, now", "income, old", "income, now"]' in chart
    assert drawn(chart) == [[0.4, 0.5, 0.25, 0.2]]
    assert '    y-axis "v" 0 --> 0.5' in chart


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"data": {"url": "x"}, "mark": "line"},
        {"data": {"values": "step,loss"}, "mark": "line"},
        {"data": {"values": [{"x": 1, "y": 2}]}, "mark": "line", "encoding": "none"},
        {"data": {"values": [1, None, "a"]}, "mark": ["line"], "layer": "none"},
        dvc({"now": SHORT}, "scatter"),
        dvc({"now": SHORT}, "confusion"),
        dvc({"now": [(3, 1)]}),
        dvc({"now": [("a", 1), ("b", 2)]}),
        dvc({"old": SHORT, "now": [(x + 10, y) for x, y in SHORT]}),
        dvc({str(number): SHORT for number in range(5)}),
        {**dvc({"now": SHORT}, "simple"), "transform": [{"filter": "datum.loss > 1"}]},
        bars({"now": {"a": -1, "b": 1}}),
        bars({"now": {str(number): 1.0 for number in range(21)}}),
        bars({"now": {"same beginning of a name " * 3 + end: 1.0 for end in "ab"}}),
    ],
)
def test_what_is_not_simple_has_no_chart(spec: dict[str, Any]) -> None:
    assert charts.mermaid_of(spec) is None


@pytest.mark.parametrize("kind", ["line", "bar"])
def test_a_name_cannot_leave_its_quotes(kind: str) -> None:
    spec = dvc({HOSTILE: SHORT}) if kind == "line" else bars({"now": {HOSTILE: 1}})
    assert len(drawn(mermaid(spec))) == 1


def hostile_titles() -> dict[str, Any]:
    spec = dvc({"now": SHORT}, "simple")
    for axis in ("x", "y"):
        spec["encoding"][axis]["title"] = HOSTILE
    return spec


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=2, max_size=60),
    st.text(max_size=30),
)
def test_any_line_is_drawn_by_numbers_within_its_own(line: Line, name: str) -> None:
    chart = charts.mermaid_of(dvc({name: line}, "simple"))
    if chart is None:
        assert len({x for x, _ in line}) == 1
        return
    low, high = min(y for _, y in line), max(y for _, y in line)
    slack = 1e-5 * max(abs(low), abs(high)) + 1e-9
    for values in drawn(chart):
        assert 2 <= len(values) <= 40
        assert all(low - slack <= value <= high + slack for value in values)


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


def browsed(folder: Path, body: str, charts_at: str) -> str:
    """Return a page as a browser leaves it, once Mermaid has drawn the charts in it."""
    script = node_module("mermaid") / "dist" / "mermaid.min.js"
    draw = (
        f"mermaid.initialize({{startOnLoad: false}}); mermaid.run({{querySelector: '{charts_at}'}})"
    )
    page = folder / "page.html"
    page.write_text(
        f"<meta charset=utf-8>{body}<script src='{script.as_uri()}'></script>"
        f"<script>{draw}</script>",
        encoding="utf-8",
    )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000"]
    dump = [chromium(), *options, f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([*dump, page.as_uri()], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.chromium
@pytest.mark.node
def test_mermaid_itself_draws_every_chart(tmp_path: Path) -> None:
    longer = [(step - 20, -(step**2) * 1e-8) for step in range(90)]
    sources = [
        mermaid(dvc({"baseline 9b1c7e5": SHORT, "now": SHORT[:3]})),
        mermaid(dvc({"now": longer})),
        mermaid(dvc({"now": [(0, 1), (1, 1)]})),
        mermaid(bars({"old": {"age": 1, "größe": 2}, "now": {"age": 2, "größe": 0}})),
        mermaid(hostile_titles()),
        mermaid(dvc({HOSTILE: SHORT, "now": SHORT})),
        charts.mermaid("loss", ["a", "now"], [1, 2]),
    ]
    wrong = "xychart-beta\n    line [oops]"
    body = "".join(f"<pre>{html.escape(source)}</pre>" for source in [*sources, wrong])
    found = re.findall(r"<pre.*?>(.*?)</pre>", browsed(tmp_path, body, "pre"), re.DOTALL)
    assert len(found) == len(sources) + 1
    assert all("<svg" in figure and "Syntax error" not in figure for figure in found[:-1])
    assert "Syntax error" in found[-1]


@pytest.mark.chromium
@pytest.mark.node
def test_a_comment_keeps_its_tables_and_folds_and_draws_its_charts(tmp_path: Path) -> None:
    plots = [
        Plot(id="loss.csv", file="loss.png", chart=mermaid(dvc({"old": SHORT, "now": SHORT[:3]}))),
        Plot(id="weights.csv", file="weights.png", chart=mermaid(bars({"now": {"age": 1}}))),
    ]
    record = Record(
        metrics=[MetricChange(path="m.json", name="loss", old=0.5, new=0.4, diff=-0.1)],
        stages=[Stage(name="train", state="ran", seconds=1)],
        experiments=[Experiment(tag="exp-1", sha="a" * 40, metrics={"loss": 0.5})],
        plots=plots,
        verdict="pass",
    )
    images = {"loss.csv": report.Image(url="https://forge.example/loss.png", shown=False)}
    comment = report.render(record, images=images)
    body = cmarkgfm.github_flavored_markdown_to_html(comment, Options.CMARK_OPT_UNSAFE)
    page = browsed(tmp_path, body, "pre[lang=mermaid] code")
    assert page.count("<svg id=") == 3
    assert "Syntax error" not in page
    assert page.count("<table>") == 3
    assert page.count("<details>") == page.count("</details>") == 1
    assert '<a href="https://forge.example/loss.png">picture</a>' in page
    assert "<img" not in page
