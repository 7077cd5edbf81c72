"""How the plots of a run are shown: as a picture, as a chart, by a link, or by a word."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from test_report_render import HOSTILE, forms, render

from cml import report
from cml.record import Plot, Record
from cml.report import charts


def test_pictures_are_linked_in_the_bundle() -> None:
    record = Record(plots=[Plot(id="plots/loss.csv", file="plots/a b.png")])
    assert "![plots/loss.csv](plots/a%20b.png)" in report.render(record)
    console = Console(file=io.StringIO(), width=100)
    console.print(report.render_terminal(record))
    assert "plots/loss.csv → plots/a b.png" in console.file.getvalue()  # type: ignore[attr-defined]


CHART = charts.mermaid("loss", ["a", "now"], [1, 2])


def hosted(url: str, *, shown: bool = True, chart: str | None = CHART) -> str:
    """Return the report of a plot whose picture was hosted, without its headline."""
    record = Record(plots=[Plot(id="loss", file="plots/loss.png", chart=chart)])
    text = report.render(record, images={"loss": report.Image(url=url, shown=shown)})
    return text.partition("### Plots\n\n")[2]


@pytest.mark.parametrize("url", ["https://forge.example/x.png", "/uploads/1/x.png"])
def test_a_hosted_picture_is_shown(url: str) -> None:
    assert hosted(url) == f"`loss`\n\n![loss]({url})\n"


def test_a_picture_that_would_show_broken_is_linked_beside_its_chart() -> None:
    link = "`loss`: [picture](https://f.example/x.png)\n"
    fence = f"\n```mermaid\n{CHART}\n```\n"
    assert hosted("https://f.example/x.png", shown=False) == link + fence
    assert hosted("https://f.example/x.png", shown=False, chart=None) == link


@pytest.mark.parametrize("images", [{}, {"loss": report.Image(url="javascript:x", shown=True)}])
def test_a_picture_that_could_not_be_hosted_is_never_a_dead_link(
    images: dict[str, report.Image],
) -> None:
    plots = [Plot(id="loss", file="plots/loss.png", chart=CHART), Plot(id="roc", file="roc.png")]
    text = report.render(Record(plots=plots), images=images)
    assert f"`loss`\n\n```mermaid\n{CHART}\n```\n" in text
    assert "`roc` could not be hosted here: it lies in the bundle as `roc.png`." in text
    assert "](" not in text


@pytest.mark.parametrize(
    "chart", ["```\n@somebody\n```", f"{CHART}\n```\n# News", "graph TD; a-->b", "", "x" * 9]
)
def test_a_chart_that_is_not_ours_is_not_shown(chart: str) -> None:
    text = hosted("https://f.example/x.png", shown=False, chart=chart)
    assert text == "`loss`: [picture](https://f.example/x.png)\n"


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_of_a_plot_stay_text(text: str, *, shown: bool) -> None:
    for form in forms(text):
        plots = [
            Plot(id=form, file=form, chart=form),
            Plot(id="b", file="b", chart=f"{CHART}{form}"),
        ]
        images = {form: report.Image(url=f"https://f.example/{form}", shown=shown)}
        page = render(report.render(Record(plots=plots), images=images))
        assert len(page.images) + len(page.links) == 1
        assert (page.images or page.links)[0].startswith("https://f.example/")
        assert "pre" not in page.skeleton
