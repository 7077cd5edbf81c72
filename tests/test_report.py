"""What the report says of a record, in markdown and in the terminal."""

import io
import re
import subprocess
import sys
import time

import pytest
from rich.console import Console

from cml import report
from cml.record import (
    Baseline,
    CheckResult,
    Context,
    DataChanges,
    Experiment,
    Failure,
    Level,
    MetricChange,
    ParamChange,
    Published,
    Record,
    Rename,
    Stage,
    Transfer,
    Update,
    Value,
    Verdict,
    replace,
)
from cml.report import escape, words


def metric(
    name: str, old: Value, new: Value, *, diff: float | None = None, problem: str | None = None
) -> MetricChange:
    return MetricChange(
        path="metrics.json", name=name, old=old, new=new, diff=diff, problem=problem
    )


def rows(record: Record, number: words.Number = repr) -> list[list[str]]:
    """Return the cells of every table row in the markdown."""
    lines = report.render(record, number=number).splitlines()
    return [line[2:-2].split(" | ") for line in lines if line.startswith("| ")]


def terminal(record: Record, *, width: int = 100, number: words.Number = repr) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=False)
    console.print(report.render_terminal(record, number=number))
    return stream.getvalue()


STOPPED = Failure(message="it broke")


@pytest.mark.parametrize(
    ("record", "title"),
    [
        (Record(verdict="pass"), "✓ Passed"),
        (Record(verdict="fail"), "✗ Failed"),
        (Record(verdict="inconclusive"), "? Inconclusive"),
        (Record(verdict="invalid"), "! Invalid"),
        (Record(outcome="skipped"), "\u2013 Skipped"),
        (Record(outcome="failed"), "✗ The pipeline failed"),
        (Record(outcome="failed", failure=STOPPED), "✗ The pipeline failed"),
        (Record(outcome="changed", failure=replace(STOPPED, exit_code=4)), "✗ The run failed"),
        (
            Record(verdict="fail", failure=replace(STOPPED, exit_code=4)),
            "✗ Failed; the results could not be saved",
        ),
        (Record(), "· No verdict"),
    ],
)
def test_the_heading_is_the_verdict(record: Record, title: str) -> None:
    assert report.render(record).startswith(f"## {title}\n\n")
    assert terminal(record).startswith(title)


def check(name: str, status: Verdict, level: Level = "error") -> CheckResult:
    return CheckResult(name=name, status=status, level=level)


CHECKS = [check("a", "pass"), check("b", "fail"), check("c", "fail", "warn"), check("d", "invalid")]


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (Record(outcome="changed", verdict="pass", checks=CHECKS[:1]), "1 check passed."),
        (Record(outcome="changed", verdict="pass"), "No checks are set."),
        (
            Record(outcome="changed", verdict="pass", checks=[CHECKS[0], CHECKS[2]]),
            "No check failed, with 1 warning: `c`.",
        ),
        (Record(outcome="changed", verdict="fail", checks=CHECKS), "1 of 4 checks failed: `b`."),
        (
            Record(outcome="changed", verdict="invalid", checks=CHECKS),
            "1 of 4 checks came out invalid: `d`.",
        ),
        (
            Record(outcome="changed", verdict="invalid", problems=["x", "y"]),
            "Nothing can be judged because of 2 problems.",
        ),
        (
            Record(
                outcome="changed", verdict="fail", checks=[check(name, "fail") for name in "abcde"]
            ),
            "5 of 5 checks failed: `a`, `b`, `c` and 2 more.",
        ),
        (
            Record(outcome="failed", failure=replace(STOPPED, stage="train")),
            "The stage `train` failed.",
        ),
        (Record(failure=STOPPED), "It did not get to its end."),
        (Record(outcome="skipped", reason="The commit says so."), "The commit says so."),
        (
            Record(outcome="unchanged"),
            "There was nothing to do: results are up to date. No checks are set.",
        ),
    ],
)
def test_one_sentence_gives_the_reason(record: Record, sentence: str) -> None:
    assert report.render(record).splitlines()[2] == sentence
    assert sentence in terminal(record).splitlines()[0]


def test_an_empty_record_has_no_sections() -> None:
    assert report.render(Record(outcome="changed")) == "## · No verdict\n\nNo checks are set.\n"
    assert terminal(Record(outcome="changed")) == "· No verdict  No checks are set.\n"


def test_metrics_show_old_new_and_a_signed_change() -> None:
    metrics = [
        metric("up", 0.5, 0.75, diff=0.25),
        metric("down", 3, 1, diff=-2),
        metric("in brackets", 1.0, 0.5, diff=-0.5),
    ]
    table = rows(Record(metrics=metrics), number=lambda value: f"{value:,.2f}")
    assert table == [
        ["Metric", "Baseline", "New", "Change"],
        ["`up`", "0.50", "0.75", "+0.25"],
        ["`down`", "3.00", "1.00", "-2.00"],
        ["`in brackets`", "1.00", "0.50", "-0.50"],
    ]


def test_a_format_that_signs_is_not_signed_twice() -> None:
    table = rows(Record(metrics=[metric("up", 1, 2, diff=1)]), number=lambda value: f"{value:+}")
    assert table[1][-1] == "+1"


def test_what_is_missing_is_a_dash_and_never_zero() -> None:
    table = rows(Record(metrics=[metric("new", None, 0.5), metric("gone", 1, None)]))
    assert table[1:] == [["`new`", "—", "0.5", "—"], ["`gone`", "1", "—", "—"]]


def test_no_change_is_zero_whatever_the_format() -> None:
    record = Record(metrics=[metric("same", 2.5, 2.5, diff=0.0)])
    assert rows(record, number=lambda value: f"<{value}>")[1][-1] == "0"


def test_texts_and_truths_are_shown_as_what_they_are() -> None:
    yes: Value = True
    metrics = [metric("model", "tree", "forest"), metric("ok", 1, yes), metric("none", "", "")]
    assert rows(Record(metrics=metrics))[1:3] == [
        ["`model`", "`tree`", "`forest`", "changed"],
        ["`ok`", "1", "true", "changed"],
    ]
    assert rows(Record(metrics=metrics))[-1] == ["`none`", '`""`', '`""`', "same"]


def test_a_number_that_is_none_is_named() -> None:
    assert rows(Record(metrics=[metric("loss", 1.0, float("nan"))]))[1][2] == "nan"


def test_a_metric_that_cannot_be_judged_comes_first_and_says_why() -> None:
    metrics = [metric("fine", 1, 2, diff=1), metric("odd", 1, None, problem="is missing")]
    assert rows(Record(metrics=metrics))[1] == ["`odd`", "1", "—", "! is missing"]
    assert "! is missing" in terminal(Record(metrics=metrics))


def test_the_file_is_named_only_where_there_are_several() -> None:
    one = metric("a", 1, 2, diff=1)
    other = replace(one, path="other.json")
    assert rows(Record(metrics=[one]))[0] == ["Metric", "Baseline", "New", "Change"]
    assert rows(Record(metrics=[one, other]))[2][:2] == ["`other.json`", "`a`"]


def test_the_lone_value_of_a_file_goes_by_the_name_of_the_file() -> None:
    assert rows(Record(metrics=[metric("", 1, 2, diff=1)]))[1][0] == "`metrics.json`"


def test_unchanged_metrics_are_folded() -> None:
    record = Record(metrics=[metric("a", 1, 1, diff=0), metric("b", 2, 2, diff=0)])
    markdown = report.render(record)
    folded = markdown[markdown.index("<details>") : markdown.index("</details>")]
    assert folded.startswith("<details>\n<summary>2 unchanged metrics</summary>\n\n| Metric |")
    assert "| `b` | 2 | 2 | 0 |" in folded
    assert "### Metrics" not in markdown


def test_checks_that_did_not_pass_come_first() -> None:
    record = Record(
        checks=[
            CheckResult(name="a", status="pass", value=0.9, target=">= 0.8"),
            CheckResult(name="b", status="fail", level="warn", value=0.5, message="too low"),
            CheckResult(name="c", status="fail", level="off"),
        ]
    )
    assert rows(record) == [
        ["Check", "Result", "Value", "Target", "Message"],
        ["`b`", "✗ fail (warning)", "0.5", "", "too low"],
        ["`c`", "✗ fail (off)", "—", "", ""],
        ["`a`", "✓ pass", "0.9", "&gt;= 0.8", ""],
    ]


def test_columns_that_would_be_empty_are_left_out() -> None:
    assert rows(Record(checks=CHECKS))[0] == ["Check", "Result", "Value"]
    assert rows(Record(stages=[Stage(name="a", state="cached")]))[0] == ["Stage", "State"]


def test_parameters_are_exact_whatever_the_format() -> None:
    record = Record(params=[ParamChange(path="params.yaml", name="lr", old=1e-05, new=0.123456789)])
    assert rows(record, number=lambda value: f"{value:.1f}")[1] == ["`lr`", "1e-05", "0.123456789"]


def test_imports_that_came_in_are_listed() -> None:
    record = Record(updates=[Update(path="data.csv.dvc", old=None, new="v2")])
    assert "### Imported data brought up to date" in report.render(record)
    assert rows(record)[1] == ["`data.csv.dvc`", "—", "`v2`"]


def test_data_is_listed_by_what_happened_to_it() -> None:
    data = DataChanges(
        added=["a", "b"], modified=["m"], deleted=["d"], renamed=[Rename(old="x", new="y")]
    )
    markdown = report.render(Record(data=data))
    assert "<summary>Data: 2 files added</summary>\n\n- `a`\n- `b`\n\n</details>" in markdown
    assert "<summary>Data: 1 file modified</summary>\n\n- `m`\n" in markdown
    assert "<summary>Data: 1 file deleted</summary>\n\n- `d`\n" in markdown
    assert "<summary>Data: 1 file renamed</summary>\n\n- `x` → `y`\n" in markdown


def test_stages_say_what_they_did_and_how_long_it_took() -> None:
    stages = [
        Stage(name="prepare", state="unchanged"),
        Stage(name="train", state="ran", seconds=3725),
        Stage(name="evaluate", state="ran", seconds=59.96),
        Stage(name="test", state="failed", seconds=0.04),
    ]
    record = Record(stages=stages)
    summary = "Stages: 1 unchanged, 2 ran, 1 failed (1 h 03 min)"
    assert f"<summary>{summary}</summary>" in report.render(record)
    assert summary in terminal(record)
    assert rows(record)[1:] == [
        ["`prepare`", "unchanged", ""],
        ["`train`", "ran", "1 h 02 min"],
        ["`evaluate`", "ran", "1 min 00 s"],
        ["`test`", "failed", "0.0 s"],
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (2_213_000, "2.21 MB"),
        (999_600, "1 MB"),
        (3e9, "3 GB"),
        (1e15, "1,000.0 TB"),
    ],
)
def test_bytes_are_readable(number: float, text: str) -> None:
    assert words.size(number) == text


def test_the_footer_names_the_commits_and_what_moved() -> None:
    record = Record(
        context=Context(sha="a" * 40, run_url="https://ci.example/run?a=1&b=2"),
        baseline=Baseline(revision="origin/main", sha="b" * 40),
        transfer=Transfer(pulled_files=1, pulled_bytes=2000, pushed_files=2000, pushed_bytes=5),
        published=Published(
            commit="c" * 40, tag="exp-1", ref="refs/cml/1", note="The branch moved."
        ),
    )
    assert report.render(record).endswith(
        "**Note:** The branch moved.\n\n"
        f"<sub>commit {'a' * 40} · baseline `origin/main` {'b' * 40}"
        f" · results {'c' * 40}, not pushed · tag `exp-1` · kept as `refs/cml/1`"
        " · pulled 1 file (2 kB), pushed 2,000 files (5 B)"
        " · [run](https://ci.example/run?a=1&amp;b=2)</sub>\n"
    )
    shown = terminal(record)
    for word in ("a" * 40, "origin/main", "not pushed", "refs/cml/1", "2,000 files", "ci.example"):
        assert word in shown


def test_the_footer_names_the_rules_where_they_are_not_the_baselines() -> None:
    base, tip = (Baseline(revision="origin/main", sha=each * 40) for each in "bd")
    checks = [CheckResult(name="metrics:a", status="pass")]
    there = Record(baseline=base, rules=tip, checks=checks)
    for shown in (report.render(there), terminal(there)):
        assert "d" * 40 in shown
    for rules, judged in ((base, checks), (tip, []), (None, checks)):
        record = Record(baseline=base, rules=rules, checks=judged)
        assert "rules of" not in report.render(record)


def test_results_that_were_pushed_are_just_named() -> None:
    record = Record(published=Published(commit="c" * 40, pushed=True))
    assert f"results {'c' * 40}</sub>" in report.render(record)


def experiment(number: int, **metrics: Value) -> Experiment:
    return Experiment(tag=f"exp-{number}", sha=f"{number}" * 40, metrics=metrics)


def test_the_latest_experiments_show_the_metrics_that_most_of_them_have() -> None:
    shared: dict[str, Value] = {"a": 1, "b": 2, "c": 3, "d": 4, "moved": 5}
    experiments = [experiment(2, rare=0, **shared), experiment(1, **shared)]
    record = Record(experiments=experiments, metrics=[metric("moved", 5, 6, diff=1)])
    assert "### Latest 2 experiments in the branch" in report.render(record)
    assert rows(record)[2:] == [
        ["Tag", "Commit", "`moved`", "`a`", "`b`", "`c`"],
        ["`exp-2`", "`2222222`", "5", "1", "2", "3"],
        ["`exp-1`", "`1111111`", "5", "1", "2", "3"],
    ]


def test_the_history_of_a_metric_runs_from_the_oldest_experiment_to_now() -> None:
    record = Record(
        experiments=[experiment(3, acc=0.3), experiment(2, acc=None), experiment(1, acc=1e-08)],
        metrics=[metric("acc", 0.3, 0.5, diff=0.2)],
    )
    assert report.render(record).split("```mermaid\n")[1].split("\n")[1:] == [
        "xychart-beta",
        '    title "acc"',
        '    x-axis ["1111111", "3333333", "now"]',
        "    line [0.00000001, 0.3, 0.5]",
        "```",
        "",
    ]


def test_a_commit_with_two_tags_is_one_point_of_the_history() -> None:
    record = Record(
        experiments=[experiment(1, acc=0.3), experiment(1, acc=0.3)],
        metrics=[metric("acc", 0.3, 0.5, diff=0.2)],
    )
    assert 'x-axis ["1111111", "now"]\n    line [0.3, 0.5]' in report.render(record)


def test_there_are_at_most_three_histories_and_changed_metrics_have_them_first() -> None:
    names = ["a", "b", "c", "d"]
    same = [metric(name, 1, 1, diff=0) for name in names[:3]]
    record = Record(
        experiments=[experiment(1, a=1, b=1, c=1, d=1)], metrics=[*same, metric("d", 1, 2, diff=1)]
    )
    titles = re.findall(r'title "(\w)"', report.render(record))
    assert titles == ["d", "a", "b"]


@pytest.mark.parametrize(
    "metrics",
    [
        [metric("acc", 1, "text")],
        [metric("acc", 1, None)],
        [metric("acc", 1, 10**400)],
        [metric("other", 1, 2, diff=1)],
        [metric("acc", 1, 2, diff=1), replace(metric("acc", 1, 2, diff=1), path="b.json")],
    ],
)
def test_there_is_no_history_where_it_would_mislead(metrics: list[MetricChange]) -> None:
    record = Record(experiments=[experiment(1, acc=1)], metrics=metrics)
    assert "mermaid" not in report.render(record)


def test_a_failure_names_the_stage_and_shows_the_end_of_its_output() -> None:
    failure = Failure(
        message="its command ended with 1",
        hint="run `dvc repro train` by hand",
        stage="train",
        output="\x1b[1mstart\x1b[0m\r\n  0%\r 50%\r100%\nTraceback\n\tboom\n\n",
    )
    record = Record(outcome="failed", failure=failure)
    assert report.render(record) == (
        "## ✗ The pipeline failed\n\nThe stage `train` failed.\n\n"
        "**Stage `train`:** its command ended with 1\n\n"
        "**Hint:** run `dvc repro train` by hand\n\n"
        "The end of its output:\n\n"
        "```text\nstart\n100%\nTraceback\n    boom\n```\n"
    )
    shown = terminal(record)
    assert "train: its command ended with 1" in shown
    assert "  │ Traceback\n  │     boom\n" in shown


def test_a_stage_that_the_message_names_is_not_named_twice() -> None:
    failure = Failure(message="stage 'train' failed", stage="train")
    assert "**What happened:** stage 'train' failed\n" in report.render(Record(failure=failure))


def test_long_output_is_shown_from_its_end() -> None:
    failure = Failure(message="x", output="\n".join(f"line{i}" for i in range(1000)))
    markdown = report.render(Record(failure=failure))
    assert "line900\n" in markdown
    assert "line999\n" in markdown
    assert "line899\n" not in markdown
    assert "line959\n" not in terminal(Record(failure=failure))


def test_megabytes_in_a_name_become_a_short_cell() -> None:
    record = Record(metrics=[metric("x" * 5_000_000, 1, 2, diff=1)], problems=["y " * 1_000_000])
    assert len(rows(record)[1][0]) == escape.CELL + 2
    assert rows(record)[1][0].endswith("x…`")
    assert len(report.render(record)) < 5000
    assert len(terminal(record)) < 10_000


def test_an_endless_number_is_cut_too() -> None:
    table = rows(
        Record(metrics=[metric("a", 1, 2, diff=1)]), number=lambda value: f"{value}" * 9**5
    )
    assert max(map(len, table[1])) <= escape.CELL + 2


def test_invisible_characters_become_visible() -> None:
    name = "a\u202eb\u200bc\x1bd\ne\ud800f"
    record = Record(metrics=[metric(name, 1, 2, diff=1)])
    assert rows(record)[1][0] == r"`a\u202eb\u200bc\x1bd\ne\ud800f`"
    assert r"a\u202eb\u200bc\x1bd\ne\ud800f" in terminal(record)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("accuracy is 0.5 < 0.8 (-12.5%)", "accuracy is 0.5 &lt; 0.8 (-12.5%)"),
        ("metrics/a_b.json: is missing", "metrics/a_b.json: is missing"),
        ("see https://x.example, please", "see `https://x.example`, please"),
        ("ask (@all)!", "ask (`@all`)!"),
        ("run `dvc repro -s a|b`.", "run `dvc repro -s a|b`."),
        ("a\n\n  b\tc", "a b c"),
        ("x `", "x `` ` ``"),
        ("- x", f"{escape.JOINER}- x"),
        ("état → ≥ 3 … déjà", "état → ≥ 3 … déjà"),
    ],
)
def test_sentences_stay_readable(text: str, markdown: str) -> None:
    assert escape.prose(text) == markdown


def test_rich_markup_in_a_name_is_text() -> None:
    name = "[bold red]x[/] [link=https://evil.example]y[/link] :tada:"
    record = Record(
        metrics=[metric(name, 1, 2, diff=1)],
        problems=[name],
        failure=Failure(message=name, output=name),
        published=Published(note=name),
    )
    stream = io.StringIO()
    console = Console(file=stream, width=200, force_terminal=True, color_system="truecolor")
    console.print(report.render_terminal(record))
    assert stream.getvalue().count(name) == 5
    assert "\x1b]8" not in stream.getvalue()


def test_escape_sequences_never_reach_the_terminal() -> None:
    text = "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x9b31m \x07"
    record = Record(
        verdict="pass",
        metrics=[metric(text, text, text)],
        problems=[text],
        failure=Failure(message=text, hint=text, stage=text, output=text),
        experiments=[Experiment(tag=text, sha=text, metrics={text: 1})],
        published=Published(note=text, tag=text),
    )
    shown = terminal(record)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    assert "red link" in shown
    assert "x1b" not in shown


def test_nothing_in_the_terminal_is_a_workflow_command() -> None:
    text = "::error file=x::boom ##[error]boom"
    record = Record(
        metrics=[metric(text, text, text)],
        problems=[text],
        failure=Failure(message=text, hint=text, stage=text, output=f"{text}\n{text}"),
        stages=[Stage(name=text, state="ran")],
    )
    for width in (20, 40, 80):
        shown = terminal(record, width=width)
        assert "::" not in shown
        assert "##[" not in shown


def test_only_a_check_that_counts_is_red() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system="standard", width=100)
    console.print(report.render_terminal(Record(checks=CHECKS)))
    results = dict(re.findall(r"\x1b\[(\d+)m([✓✗!] [a-z() ]*?) *\x1b", stream.getvalue()))
    assert results == {"31": "! invalid", "33": "✗ fail (warning)", "32": "✓ pass"}
    assert "\x1b[31m✗ fail " in stream.getvalue()


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    heavy = "{'rich', 'vl_convert', 'tabulate'}"
    code = f"import sys, cml.report, cml.report.charts; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


def test_the_terminal_counts_what_it_does_not_show() -> None:
    metrics = [
        *(metric(f"new{i}", 1, 2, diff=1) for i in range(5000)),
        *(metric(f"same{i}", 1, 1, diff=0) for i in range(3000)),
    ]
    shown = terminal(Record(metrics=metrics))
    assert "… 4,950 more metrics, see record.json" in shown
    assert "… 2,990 more unchanged metrics, see record.json" in shown


def test_ten_thousand_metrics_take_no_time() -> None:
    metrics = [metric(f"layer{i}.loss", i + 0.1, i + 0.2, diff=0.1) for i in range(10_000)]
    record = Record(metrics=metrics, experiments=[experiment(1, **{"layer1.loss": 1})])
    began = time.perf_counter()
    report.render(record, limit=1_000_000)
    report.render(record, limit=65_536)
    assert time.perf_counter() - began < 3
