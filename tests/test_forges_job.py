"""The page of a GitHub job: its summary, outputs and annotations; the API is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cml import forges, report
from cml.forges.base import JobPage
from cml.record import CheckResult, Context, Failure, MetricChange, Record

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    names = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")
    return {name: str(tmp_path / name.lower()) for name in names}


def show(
    environ: dict[str, str], record: Record | None = None, text: str = "the report", **outputs: str
) -> None:
    """Show a record in a job that has no token at all."""
    forge = forges.open_forge(Context(forge="github"), environ, None, private=True)
    assert isinstance(forge, JobPage)
    forge.show(record or Record(), lambda _: text, outputs=outputs)


def read(environ: dict[str, str], name: str) -> str:
    with open(environ[name], encoding="utf-8", newline="") as file:  # noqa: PTH123 - newline
        return file.read()


def outputs_of(text: str) -> dict[str, str]:
    """Read outputs by the runner's rules: `name<<END`, lines, `END`; or `name=value`."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        if "=" in line.partition("<<")[0]:
            name, _, found[name] = line.partition("=")
            continue
        value = []
        for part in lines:
            if part == end:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


def test_the_summary_is_added_to_what_the_step_has_written(environ: dict[str, str]) -> None:
    show(environ, text="one")
    show(environ, text="two — ü")

    assert read(environ, "GITHUB_STEP_SUMMARY") == "one\n\ntwo — ü\n"


@pytest.mark.parametrize("used", [0, 1, 5000, MEBIBYTE - 3000])
def test_the_summary_is_rendered_to_fit_beside_what_is_there(
    environ: dict[str, str], tmp_path: Path, used: int
) -> None:
    file = tmp_path / "github_step_summary"
    file.write_text("x" * used)
    metrics = [MetricChange(path="m.json", name=f"metric {n}", new=n) for n in range(40_000)]
    record = Record(metrics=metrics)
    forge = forges.open_forge(Context(forge="github"), environ, None, private=True)
    assert isinstance(forge, JobPage)
    forge.show(record, lambda most: report.render(record, limit=most), outputs={})

    assert used < file.stat().st_size <= MEBIBYTE
    assert MEBIBYTE - file.stat().st_size < 3000


@pytest.mark.parametrize("text", ["x" * MEBIBYTE, "ü" * (MEBIBYTE // 2)])
def test_a_summary_that_does_not_fit_is_not_written(
    environ: dict[str, str], tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    show(environ, text=text)

    assert not (tmp_path / "github_step_summary").exists()
    assert "no room" in caplog.text


def test_no_value_can_add_an_output_of_its_own(environ: dict[str, str]) -> None:
    hostile = "a\ncommit=evil\nverdict<<X\nfail\nX\ncml_\n<<\n"
    show(environ, verdict="pass", report=hostile, commit="c", tag="\udcff")

    assert outputs_of(read(environ, "GITHUB_OUTPUT")) == {
        "verdict": "pass",
        "report": hostile,
        "commit": "c",
        "tag": "\\udcff",
    }


def test_the_delimiter_of_outputs_is_another_each_time(environ: dict[str, str]) -> None:
    show(environ, verdict="pass")
    show(environ, verdict="pass")
    first, second = read(environ, "GITHUB_OUTPUT").split("verdict<<")[1:]

    assert first != second


def test_outside_a_job_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show({}, verdict="pass")
    show({"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}, verdict="pass")

    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")


def test_files_that_cannot_be_written_are_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for place in (tmp_path, tmp_path / "gone" / "file"):
        show({"GITHUB_STEP_SUMMARY": str(place), "GITHUB_OUTPUT": str(place)}, verdict="pass")

    assert len(caplog.records) == 4
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def check(name: str, **facts: Any) -> CheckResult:
    return CheckResult(**{"name": name, "status": "fail", "message": "too low", **facts})


def test_failed_checks_are_annotated_by_their_level(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [
        check("accuracy"),
        check("loss", status="invalid", level="warn", message=""),
        check("auc", status="inconclusive"),
        check("fine", status="pass"),
        check("ignored", level="off"),
    ]
    failure = Failure(message="the stage train failed", stage="train")
    show(environ, Record(checks=checks, failure=failure, problems=["metrics.json is gone"]))

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "::error title=train::the stage train failed",
        "::error title=cml-run::metrics.json is gone",
        "::error title=accuracy::too low",
        "::error title=auc::too low",
        "::warning title=loss::invalid",
    ]


def test_names_and_messages_cannot_write_commands(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "50%\r\n::stop-commands::x, file=a:b"
    show(environ, Record(checks=[check(hostile, message=hostile)]))

    written = capsys.readouterr().err
    assert written == (
        "::error title=50%25%0D%0A%3A%3Astop-commands%3A%3Ax%2C file=a%3Ab"
        "::50%25%0D%0A::stop-commands::x, file=a:b\n"
    )


def test_no_more_than_ten_annotations_of_a_kind_are_written(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [check(f"e{n}") for n in range(30)]
    checks += [check(f"w{n}", level="warn") for n in range(30)]
    show(environ, Record(checks=checks))

    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10
