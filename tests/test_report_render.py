"""The report as GitHub's own renderer sees it, whatever the record holds."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from cml import report
from cml.record import (
    Baseline,
    CheckResult,
    Context,
    DataChanges,
    Experiment,
    Failure,
    MetricChange,
    ParamChange,
    Plot,
    Published,
    Record,
    Rename,
    Stage,
    Update,
)
from cml.report import escape

RUN_URL = "https://ci.example/run/1"
HOSTILE = [
    "a|b",
    "a\\|b",
    "a\\",
    "\\",
    "|",
    "||",
    "`",
    "``a``b`",
    "a`|`b",
    "two\nlines",
    "\r\n\n| x | y |\n|---|---|\n| 1 | 2 |",
    "@all",
    "@org/team",
    "(@all)",
    "`@all",
    "cc @all, please",
    "#1",
    "!1",
    "GH-1",
    "gh-1",
    "o/r#1",
    "<script>alert(1)</script>",
    "</details>",
    "</code></td></tr></table>",
    "<!-- comment",
    "<b",
    "&lt;script&gt;",
    "![x](http://evil.example/x.png)",
    "[a](javascript:alert(1))",
    "[a]: http://evil.example",
    "<http://evil.example>",
    "http://evil.example",
    "HTTPS://evil.example",
    "WWW.evil.example",
    "www.evil.example",
    "me@evil.example",
    "mailto:me@evil.example",
    "/close",
    "/approve now",
    "::error::x",
    "::warning file=a::x",
    "##[error]x",
    "x ##[error]x",
    "\u202egnp.exe",
    "\x1b[31mred\x1b[0m",
    "\x00",
    "\ud800",
    "zero\u200bwidth",
    "- x",
    "+ x",
    "- - -",
    "-- -",
    "1. x",
    "1) x",
    "> x",
    "# x",
    "---",
    "===",
    "***",
    "___",
    "    code",
    "\tcode",
    "```\nx",
    "```",
    "~~~",
    "~~x~~",
    "**bold**",
    "__bold__",
    "_em_",
    "(_em_)",
    "*em*",
    "$x$",
    "$`x`$",
    ":tada:",
    "[[_TOC_]]",
    "[ ] task",
    "{+ added +}",
    "%1",
    "~bug",
    '%%{init: {"theme": "x"}}%%',
    '"]\n    line [1, 2]',
    " ",
    "  spaces  ",
    "Ω≈ç√ naïve 模型",
    "👩\u200d🔬",
    "a" * 300,
]
ALLOWED = {
    *("h2", "h3", "p", "strong", "code", "pre", "ul", "li", "sub", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
}
VOID = {"img"}
NEWS = re.compile(
    r"(?<!\w)@\w|(?<!\w)[#!$%~&^]\w|\bgh-\d|\w#\d|://|www\.|:[\w+-]+:|[{}\[\]|`*\\]|(?<!\w)_\w",
    re.IGNORECASE,
)


@dataclass
class Page(HTMLParser):
    """What matters of a page: its skeleton, its tables, and what stands outside of code."""

    skeleton: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        given = dict(attrs)
        if tag != "code":
            self.skeleton.append(tag)
        if tag == "a":
            self.links.append(given["href"] or "")
        if tag == "img":
            self.images.append(given["src"] or "")
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag == "code":
            self.codes.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag != "code":
            self.skeleton.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data
        if "code" in self.open:
            self.codes[-1] += data
        else:
            self.prose.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def render(markdown: str) -> Page:
    page = Page()
    page.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
    page.close()
    assert page.open == []
    return page


def everywhere(text: str) -> Record:
    """Return a record that holds the text wherever it can."""
    return Record(
        context=Context(sha=text, branch=text, run_url=RUN_URL),
        outcome="failed",
        reason=text,
        baseline=Baseline(revision=text, sha=text),
        stages=[Stage(name=text, state="ran", seconds=1.0)],
        updates=[Update(path=text, old=text, new=text)],
        metrics=[
            MetricChange(path=text, name=text, old=text, new=None, problem=text),
            MetricChange(path=text, name=text, old=text, new=text),
            MetricChange(path=text, name="loss", old=1.0, new=2.0, diff=1.0),
        ],
        params=[ParamChange(path=text, name=text, old=text, new=text)],
        data=DataChanges(
            added=[text], modified=[text], deleted=[text], renamed=[Rename(old=text, new=text)]
        ),
        plots=[Plot(id=text, file=f"x{text}")],
        experiments=[
            Experiment(tag=text, sha=text, metrics={"loss": 1.0, text: text}),
        ],
        checks=[CheckResult(name=text, status="fail", value=text, target=text, message=text)],
        problems=[text],
        verdict="invalid",
        failure=Failure(message=text, hint="one line", stage=text, output=f"x\n{text}\nx"),
        published=Published(commit=text, tag=text, ref=text, note=text),
    )


@cache
def harmless() -> list[str]:
    return render(report.render(everywhere("harmless"))).skeleton


def forms(text: str) -> list[str]:
    return [text, f"{text} x", f"x {text}", f"x{text}x"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_changes_nothing_but_the_words(text: str) -> None:
    for form in forms(text):
        markdown = report.render(everywhere(form))
        page = render(markdown)
        assert page.skeleton == harmless()
        assert page.links == [RUN_URL]
        assert len(page.images) == 1
        assert not NEWS.search(" ".join(page.prose)), " ".join(page.prose)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_shown_to_the_letter(text: str) -> None:
    for form in forms(text):
        page = render(report.render(everywhere(form)))
        shown = escape.visible(form)
        stage = next(row for row in page.rows if row[1] == "ran")
        assert stage[0] == shown


@pytest.mark.parametrize("text", HOSTILE)
def test_no_line_of_the_markdown_is_a_command(text: str) -> None:
    for form in forms(text):
        markdown = report.render(everywhere(form))
        assert not re.search(r"(?m)^\s*(/[a-z]|::)", markdown)
        assert "##[" not in markdown
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", markdown)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "x y"]
)
def test_only_http_addresses_become_links(url: str) -> None:
    page = render(report.render(Record(context=Context(run_url=url))))
    assert page.links == []
    assert page.codes == [url]


@pytest.mark.parametrize("path", ["//evil.example/x.png", "http://evil.example/x.png", "a) ![x](y"])
def test_a_picture_never_comes_from_elsewhere(path: str) -> None:
    page = render(report.render(Record(plots=[Plot(id="x", file=path)])))
    (image,) = page.images
    assert re.fullmatch(r"[\w%./-]+", image)
    assert not image.startswith("/")


def test_a_table_keeps_its_shape_and_its_text_when_a_name_ends_in_a_backslash() -> None:
    metrics = [MetricChange(path="m", name="a\\", old=1, new=2, diff=1)]
    page = render(report.render(Record(metrics=metrics)))
    assert page.rows[1] == ["a\\", "1", "2", "+1"]


def test_an_output_stays_in_its_block() -> None:
    output = "start\n```\n@all\n~~~~\n`````\n</code></pre>\n/close\nend"
    failure = Failure(message="x", stage="x", output=output)
    markdown = report.render(Record(outcome="failed", failure=failure))
    assert "\n``````text\nstart\n```\n" in markdown
    page = render(markdown)
    shown = page.codes[-1].replace(escape.JOINER, "")
    assert shown == output + "\n"


def test_advice_of_several_lines_can_be_pasted() -> None:
    hint = "add to the workflow\npermissions:\n  contents: write"
    page = render(report.render(Record(failure=Failure(message="refused", hint=hint, exit_code=4))))
    assert page.codes == ["permissions:\n  contents: write\n"]


_TEXTS = st.one_of(
    st.text(max_size=30),
    st.lists(st.sampled_from([*HOSTILE, " ", "\n", "x"]), max_size=4).map("".join),
)
_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _TEXTS)


@st.composite
def _records(draw: st.DrawFn) -> Record:
    many = draw(st.integers(0, 40))
    text = draw(_TEXTS)
    return Record(
        context=Context(sha=text, run_url=RUN_URL),
        outcome=draw(st.sampled_from(["changed", "unchanged", "failed", "skipped"])),
        stages=[Stage(name=text, state="ran")] * many,
        metrics=[
            MetricChange(
                path=draw(st.sampled_from(["a", "b"])), name=text, old=draw(_VALUES), new=number
            )
            for number in range(many)
        ],
        params=[ParamChange(path=text, name=text, old=draw(_VALUES), new=draw(_VALUES))] * many,
        data=DataChanges(added=[text] * many, renamed=[Rename(old=text, new=text)] * many),
        plots=[Plot(id=text, file=text)] * (many % 4),
        experiments=[
            Experiment(tag=text, sha=text, metrics={text: draw(_VALUES), "x": draw(_VALUES)})
        ]
        * (many % 6),
        checks=[CheckResult(name=text, status="fail", message=text)] * (many % 20),
        problems=[text] * (many % 7),
        verdict=draw(st.sampled_from([None, "pass", "fail", "inconclusive", "invalid"])),
        failure=draw(
            st.none()
            | st.builds(Failure, message=_TEXTS, hint=_TEXTS, output=_TEXTS | st.just("x\n" * 99))
        ),
        published=Published(commit=text, note=text),
    )


@settings(deadline=None, max_examples=60)
@given(text=_TEXTS.filter(bool))
def test_no_text_at_all_changes_the_skeleton(text: str) -> None:
    page = render(report.render(everywhere(text)))
    assert page.skeleton == harmless()
    assert page.links == [RUN_URL]
    assert not NEWS.search(" ".join(page.prose))


def pipes(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(record=_records(), limit=st.one_of(st.none(), st.integers(0, 6000)))
@example(record=Record(failure=Failure(message="m", output="```\nend")), limit=None)
def test_whatever_the_record_the_report_is_whole_and_fits(
    record: Record, limit: int | None
) -> None:
    markdown = report.render(record, limit=limit)
    page = render(markdown)
    assert limit is None or len(markdown.encode()) <= limit
    assert set(page.links) <= {RUN_URL}
    # What a block holds may look like a shorter fence than the block's own.
    blocks = re.findall(r"(?ms)^(`{3,})[^`\n]*$.*?^\1`*$", markdown)
    assert len(blocks) == page.skeleton.count("pre")
    folded = page.skeleton.count("details")
    assert len(re.findall(r"(?m)^<details>$", markdown)) == folded
    assert len(re.findall(r"(?m)^</details>$", markdown)) == folded
    tables = re.findall(r"(?m)^\|.*\n\|:---\|.*\n(?:\|.*\n)+", markdown)
    assert len(tables) == page.skeleton.count("table") == markdown.count("\n|:---|")
    for table in tables:
        assert len(set(map(pipes, table.splitlines()))) == 1


def big(rows: int) -> Record:
    """Return a record with everything in it, and much of it."""
    return Record(
        context=Context(sha="a" * 40, run_url=RUN_URL),
        outcome="failed",
        baseline=Baseline(revision="main", sha="b" * 40),
        stages=[Stage(name=f"stage{i}", state="ran", seconds=i) for i in range(rows)],
        updates=[Update(path=f"import{i}", old="1", new="2") for i in range(rows)],
        metrics=[
            *(
                MetricChange(path="m", name=f"new{i}", old=i, new=i + 1, diff=1)
                for i in range(rows)
            ),
            *(MetricChange(path="m", name=f"same{i}", old=i, new=i, diff=0) for i in range(rows)),
        ],
        params=[ParamChange(path="p", name=f"param{i}", old=i, new=None) for i in range(rows)],
        data=DataChanges(added=[f"data{i}" for i in range(rows)]),
        plots=[Plot(id=f"plot{i}", file=f"{i}.png") for i in range(rows)],
        experiments=[
            Experiment(tag=f"tag{i}", sha="c" * 40, metrics={"new1": i}) for i in range(rows)
        ],
        checks=[
            CheckResult(name=f"check{i}", status="fail" if i == rows - 1 else "pass")
            for i in range(rows)
        ],
        problems=[f"problem{i}" for i in range(rows)],
        failure=Failure(message="it broke", output="\n".join(f"line{i}" for i in range(rows))),
    )


ORDER = [
    *("line", "problem", "check", "new", "stage", "import"),
    *("plot", "param", "tag", "data", "same"),
]


@pytest.mark.parametrize("limit", [*range(0, 3000, 37), *range(3000, 40_000, 1017)])
def test_the_least_important_goes_first(limit: int) -> None:
    markdown = report.render(big(60), limit=limit)
    assert len(markdown.encode()) <= limit
    render(markdown)
    kept = [len(set(re.findall(rf"\b{word}\d+\b", markdown))) for word in ORDER]
    whole = [count == 60 for count in kept]
    core = ORDER.index("stage")
    assert not any(kept[core:]) or all(whole[:core])
    assert [bool(count) for count in kept[core:]] == sorted(map(bool, kept[core:]), reverse=True)
    assert kept[core:].count(0) + kept[core:].count(60) >= len(kept[core:]) - 1


def test_what_was_cut_is_said() -> None:
    page = render(report.render(big(3000), limit=10_000))
    prose = " ".join(page.prose)
    kept = sum(row[0].startswith("new") for row in page.rows)
    assert kept > 9
    assert f"… {3000 - kept:,} more metrics, see record.json" in prose
    assert "Left out for size, see record.json: unchanged metrics, plots, parameters" in prose


def test_the_end_of_the_output_and_the_failed_check_survive_a_cut() -> None:
    page = render(report.render(big(500), limit=1500))
    assert page.codes[0].startswith("… ")
    assert page.codes[0].endswith("line498\nline499\n")
    assert ["check499", "✗ fail", "—"] in page.rows


def test_a_report_within_the_limit_is_not_touched() -> None:
    whole = report.render(big(20))
    assert report.render(big(20), limit=len(whole.encode())) == whole
    assert report.render(big(20), limit=len(whole.encode()) - 1) != whole


def test_the_limit_counts_bytes() -> None:
    record = Record(problems=["模型" * 20] * 50)
    markdown = report.render(record, limit=3000)
    assert 2500 < len(markdown.encode()) <= 3000


@pytest.mark.chromium
def test_a_browser_lays_the_report_out(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on the PATH")
    body = cmarkgfm.github_flavored_markdown_to_html(
        report.render(everywhere("a|b <script>document.title='bad'</script> @all")),
        Options.CMARK_OPT_UNSAFE,
    )
    measure = "<script>document.title += document.querySelectorAll('td').length + '.'</script>"
    html = tmp_path / "report.html"
    html.write_text(f"<!doctype html><meta charset='utf-8'><title>cells:</title>{body}{measure}")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile"]
    dump = [chromium, *options, "--dump-dom", html.as_uri()]
    dom = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    cells = render(report.render(everywhere("x"))).skeleton.count("td")
    assert f"<title>cells:{cells}.</title>" in dom
    png = tmp_path / "report.png"
    shot = [chromium, *options, "--window-size=800,2000", f"--screenshot={png}", html.as_uri()]
    subprocess.run(shot, capture_output=True, check=True)
    with Image.open(png) as image:
        assert image.size == (800, 2000)
        assert len(image.convert("L").getcolors(256)) > 50
