"""The record for machines: JUnit XML and OpenMetrics, read by real parsers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cml import report
from cml.record import CheckResult, Failure, MetricChange, Record, Stage

if TYPE_CHECKING:
    from cml.record import Value

HOSTILE = (
    '"><script>alert(1)</script>',
    "]]>",
    "&lt;",
    "\x00\x08\x1b[31m\ufffe\udcff",
    "line\nbreak\r\n",
    "<!-- -->",
    'back\\slash"quote',
    "\u202e",
    "",
)


def suite(record: Record) -> ET.Element:
    root = ET.fromstring(report.junit(record).encode("utf-8"))
    assert root.tag == "testsuites"
    (found,) = root
    assert (found.tag, found.get("name")) == ("testsuite", "cml-run")
    return found


def cases(record: Record) -> dict[str, list[str]]:
    return {case.attrib["name"]: [child.tag for child in case] for case in suite(record)}


def check(name: str, status: str, level: str = "error") -> CheckResult:
    return CheckResult(name=name, status=status, level=level)  # type: ignore[arg-type]


def metrics(**values: Value) -> list[MetricChange]:
    return [MetricChange(path="m.json", name=name, new=value) for name, value in values.items()]


def samples(record: Record) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(report.openmetrics(record))
    return {
        (sample.name, sample.labels["path"]): sample.value
        for family in families
        for sample in family.samples
    }


def test_each_check_is_a_case_by_its_status_and_level() -> None:
    checks = [
        check("good", "pass"),
        check("bad", "fail"),
        check("unsure", "inconclusive"),
        check("broken", "invalid"),
        check("warned", "fail", "warn"),
        check("off", "invalid", "off"),
    ]
    record = Record(checks=checks, verdict="fail")
    assert cases(record) == {
        "run": [],
        "verdict": ["failure"],
        "good": [],
        "bad": ["failure"],
        "unsure": ["error"],
        "broken": ["error"],
        "warned": ["skipped"],
        "off": ["skipped"],
    }
    counts = {name: suite(record).get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "8", "failures": "2", "errors": "2", "skipped": "2"}


def test_a_case_says_what_was_measured_and_what_was_wanted() -> None:
    result = CheckResult(
        name="accuracy", status="fail", value=0.8, target="0.9..", message="too low"
    )
    case = suite(Record(checks=[result], verdict="fail"))[2]
    assert case.attrib["classname"] == "cml-run.checks"
    assert case[0].attrib == {"message": "too low"}
    assert case[0].text == "✗ fail: value 0.8, target 0.9.."


def test_two_checks_of_one_name_stay_two_cases() -> None:
    record = Record(checks=[check("a", "pass"), check("a", "fail")], verdict="fail")
    assert cases(record) == {"run": [], "verdict": ["failure"], "a": [], "a (2)": ["failure"]}


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [
        ("pass", []),
        ("fail", ["failure"]),
        ("invalid", ["error"]),
        ("inconclusive", ["error"]),
        (None, ["skipped"]),
    ],
)
def test_the_verdict_is_a_case_of_its_own(verdict: str | None, kinds: list[str]) -> None:
    record = Record(verdict=verdict, problems=["loss is NaN"])  # type: ignore[arg-type]
    assert cases(record)["verdict"] == kinds
    assert ("loss is NaN" in report.junit(record)) == (verdict != "pass")


def test_a_run_that_failed_shows_the_end_of_its_output() -> None:
    failure = Failure(message="train died", hint="look", stage="train", output="a\nkilled <&>")
    stages = [Stage(name="train", state="failed", seconds=1.5)]
    case = suite(Record(outcome="failed", failure=failure, stages=stages))[0]
    assert (case[0].tag, case[0].attrib["message"]) == ("error", "train died")
    assert case[0].text == "train died\nlook\na\nkilled <&>"
    assert case.attrib["time"] == "1.500"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_the_xml(text: str) -> None:
    result = CheckResult(name=text, status="fail", message=text, target=text, value=text)
    failure = Failure(message=text, hint=text, output=text)
    record = Record(checks=[result], verdict="fail", failure=failure, problems=[text])
    assert [[child.tag for child in case] for case in suite(record)] == [
        ["error"],
        ["failure"],
        ["failure"],
    ]
    assert suite(record)[2].attrib["name"]


@settings(max_examples=50)
@given(st.text())
def test_any_text_at_all_is_valid_xml_and_valid_openmetrics(text: str) -> None:
    result = CheckResult(name=text, status="fail", message=text)
    change = MetricChange(path=text, name=text, new=1)
    record = Record(checks=[result], metrics=[change], problems=[text], verdict="invalid")
    assert len(suite(record)) == 3
    assert list(samples(record).values()) == [1]


def test_metrics_are_numbers_with_their_file() -> None:
    record = Record(metrics=metrics(accuracy=0.1, rows=3, tiny=1e-300))
    assert report.openmetrics(record).splitlines()[:2] == [
        "# TYPE accuracy gauge",
        'accuracy{path="m.json"} 0.1',
    ]
    assert report.openmetrics(record).endswith("\n# EOF\n")
    assert samples(record) == {
        ("accuracy", "m.json"): 0.1,
        ("rows", "m.json"): 3,
        ("tiny", "m.json"): 1e-300,
    }


def test_only_finite_numbers_become_metrics() -> None:
    values: dict[str, Value] = {
        "missing": None,
        "nan": float("nan"),
        "infinite": float("-inf"),
        "huge": 10**400,
        "truth": True,
        "text": "0.9",
        "real": -1.0,
    }
    assert samples(Record(metrics=metrics(**values))) == {("real", "m.json"): -1}


def test_names_become_valid_and_stay_distinct() -> None:
    names = ("a.b", "a-b", "a_b", "a_b_2", "1st", "_x", "größe")
    values = {name: float(index) for index, name in enumerate(names)}
    found = {name: value for (name, _), value in samples(Record(metrics=metrics(**values))).items()}
    assert sorted(found.values()) == sorted(values.values())
    assert (found["a_b"], found["a_b_2"]) == (2, 3)
    assert {found["metric_1st"], found["metric__x"], found["gr__e"]} == {4, 5, 6}


def test_a_name_in_two_files_is_one_family_with_two_samples() -> None:
    record = Record(
        metrics=[MetricChange(path=path, name="loss", new=1.5) for path in ("a.json", "b.json")]
    )
    assert report.openmetrics(record).count("# TYPE loss gauge") == 1
    assert set(samples(record)) == {("loss", "a.json"), ("loss", "b.json")}


def test_a_file_that_holds_a_lone_number_gives_it_its_name() -> None:
    record = Record(metrics=[MetricChange(path="auc.json", name="", new=0.5)])
    assert samples(record) == {("auc_json", "auc.json"): 0.5}


@pytest.mark.parametrize("path", ['a"b', "a\\b", "a\nb", "a} 1", "größe"])
def test_a_path_cannot_leave_its_label(path: str) -> None:
    record = Record(metrics=[MetricChange(path=path, name="loss", new=1)])
    shown = path.replace("\n", "\\n")
    assert samples(record) == {("loss", shown): 1}


def test_no_metrics_are_still_a_valid_file() -> None:
    assert report.openmetrics(Record()) == "# EOF\n"
    assert samples(Record()) == {}
