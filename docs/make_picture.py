#!/usr/bin/env python3
"""Draws docs/report.png, the picture of a report in the README.

    python docs/make_picture.py [--mermaid mermaid.min.js]

Needs Chromium, and the packages of the test group. Mermaid draws the chart of a metric's history;
without its script (`dist/mermaid.min.js` of the npm package) the chart stays text.
"""

import argparse
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from PIL import Image, ImageChops

from cml import report
from cml.record import (
    Baseline,
    CheckResult,
    Context,
    DataChanges,
    Experiment,
    MetricChange,
    ParamChange,
    Plot,
    Published,
    Record,
    Stage,
    Transfer,
)
from cml.report import charts

WIDTH = 860
HEIGHT = 3000
STYLE = """
body { margin: 0; padding: 24px; background: #fff; color: #1f2328; width: 812px;
       font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", Helvetica, sans-serif }
h2 { font-size: 1.5em; margin: 0 0 16px; padding-bottom: .3em; border-bottom: 1px solid #d1d9e0 }
h3 { font-size: 1.25em; margin: 24px 0 16px }
p, table, ul, details, pre { margin: 0 0 16px }
table { border-collapse: collapse; font-size: 14px }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0 }
tr:nth-child(2n) { background: #f6f8fa }
code { font: 85% "DejaVu Sans Mono", monospace; background: #818b981f; padding: .2em .4em;
       border-radius: 6px }
pre { background: #f6f8fa; padding: 16px; border-radius: 6px }
pre[lang=mermaid] { background: none; padding: 0 }
pre code { background: none; padding: 0 }
img { max-width: 100% }
a { color: #0969da; text-decoration: none }
sub { font-size: 75% }
"""


def example() -> Record:
    """Return the record of a run that anybody would be glad to review."""
    earlier = (("exp-7d21e0b", 0.8584, 0.3391), ("exp-c90f4a6", 0.8517, 0.3512))
    oldest = (("exp-2b8e7f1", 0.8433, 0.3660), ("exp-51d3a9c", 0.8290, 0.3874))
    return Record(
        context=Context(
            forge="github",
            repository="example/churn",
            sha="4f2a91c0d3e8b7a65f1e2d3c4b5a69788796a5b4",
            branch="wider-trees",
        ),
        outcome="changed",
        baseline=Baseline(revision="origin/main", sha="9b1c7e52aa0f4d3e8c6b5a4f3e2d1c0b9a8f7e6d"),
        stages=[
            Stage(name="prepare", state="unchanged"),
            Stage(name="train", state="ran", seconds=192.4),
            Stage(name="evaluate", state="ran", seconds=2.1),
        ],
        transfer=Transfer(
            pulled_files=3, pulled_bytes=2_213_000, pushed_files=2, pushed_bytes=812_400
        ),
        metrics=[
            MetricChange(path="m.json", name="accuracy", old=0.8584, new=0.8712, diff=0.0128),
            MetricChange(path="m.json", name="f1", old=0.8431, new=0.8590, diff=0.0159),
            MetricChange(path="m.json", name="log_loss", old=0.3391, new=0.3127, diff=-0.0264),
            MetricChange(path="m.json", name="latency_ms", old=12.5, new=14.25, diff=1.75),
            MetricChange(path="m.json", name="rows", old=48_000, new=48_000, diff=0),
            MetricChange(path="m.json", name="model", old="random forest", new="random forest"),
        ],
        params=[
            ParamChange(path="params.yaml", name="train.max_depth", old=8, new=12),
            ParamChange(path="params.yaml", name="train.min_leaf", old=5, new=3),
        ],
        data=DataChanges(modified=["data/features.parquet"]),
        plots=[Plot(id="plots/loss.csv", file="loss.png")],
        experiments=[
            Experiment(
                tag=tag,
                sha=tag.removeprefix("exp-").ljust(40, "0"),
                metrics={"accuracy": accuracy, "log_loss": loss},
            )
            for tag, accuracy, loss in (*earlier, *oldest)
        ],
        checks=[
            CheckResult(
                name="metrics:accuracy",
                status="pass",
                value=0.8712,
                target="0.85.., max-drop 0.005",
                message="metrics:accuracy rose from 0.8584 to 0.8712, which is no worse.",
            ),
            CheckResult(
                name="metrics:latency_ms",
                status="fail",
                level="warn",
                value=14.25,
                target="..14",
                message="metrics:latency_ms is not in range ..14: it is 14.25.",
            ),
        ],
        verdict="pass",
        published=Published(commit="e" * 40, tag="exp-4f2a91c", pushed=True),
    )


def loss_curve() -> dict[str, object]:
    """Return a Vega-Lite spec like the ones that DVC makes of a CSV file of two revisions."""
    rows = [
        {"step": step, "loss": floor + 0.5 * math.exp(-step / pace), "rev": revision}
        for revision, floor, pace in (("baseline 9b1c7e5", 0.339, 6), ("now", 0.313, 5))
        for step in range(31)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": rows},
        "width": 330,
        "height": 170,
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "step", "type": "quantitative", "title": "step"},
            "y": {"field": "loss", "type": "quantitative", "scale": {"zero": False}},
            "color": {"field": "rev", "type": "nominal", "title": None},
        },
    }


def page(markdown: str, mermaid: Path | None) -> str:
    """Return the HTML page that a forge would make of the report, more or less."""
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    body = body.replace("4f2a91c0d3e8b7a65f1e2d3c4b5a69788796a5b4", _commit("4f2a91c"))
    body = body.replace("9b1c7e52aa0f4d3e8c6b5a4f3e2d1c0b9a8f7e6d", _commit("9b1c7e5"))
    body = body.replace("e" * 40, _commit("eeeeeee"))
    script = ""
    if mermaid:
        start = (
            "mermaid.initialize({startOnLoad: false});"
            "mermaid.run({querySelector: 'pre[lang=mermaid] code'})"
        )
        script = f"<script src='{mermaid.resolve().as_uri()}'></script><script>{start}</script>"
    return f"<!doctype html><meta charset='utf-8'><style>{STYLE}</style>{body}{script}"


def _number(value: float) -> str:
    return f"{value:,.6g}"


def _commit(short: str) -> str:
    return f"<a href='#'><code>{short}</code></a>"


def photograph(html: Path, png: Path) -> None:
    """Take a picture of a page with Chromium, cropped to what is on it."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit(
            "Chromium is not on the PATH: install it, for instance with `apt install chromium`"
        )
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    patience = "--virtual-time-budget=10000"
    size = f"--window-size={WIDTH},{HEIGHT}"
    shot = f"--screenshot={png}"
    subprocess.run([chromium, *options, patience, size, shot, html.as_uri()], check=True)
    with Image.open(png) as image:
        picture = image.convert("RGB")
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    bottom = min(box[3] + 24, HEIGHT) if box else HEIGHT
    picture.crop((0, 0, WIDTH, bottom)).quantize(64).save(png, optimize=True)


def main() -> None:
    """Draw the picture beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mermaid", type=Path, help="mermaid.min.js")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("report.png"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "loss.png").write_bytes(charts.png(loss_curve()))
        html = Path(folder) / "report.html"
        html.write_text(
            page(report.render(example(), number=_number), options.mermaid), encoding="utf-8"
        )
        photograph(html, options.out)


if __name__ == "__main__":
    main()
