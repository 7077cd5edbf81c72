import json
import math
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cml import record
from cml.record import Record, replace

FULL = Record(
    context=record.Context(
        forge="github",
        repository="o/r",
        event="pull_request",
        sha="a" * 40,
        branch="longer|training",
        pull_request=7,
        target="main",
        trusted=False,
        run_url="https://example.org/runs/1",
    ),
    outcome="failed",
    reason="one sentence",
    baseline=record.Baseline(revision="origin/main", sha="b" * 40),
    stages=[
        record.Stage(name="prepare", state="cached"),
        record.Stage(name="train", state="failed", seconds=1.5),
    ],
    transfer=record.Transfer(pulled_files=1, pulled_bytes=2, pushed_files=3, pushed_bytes=4),
    updates=[record.Update(path="data.dvc", old="v1", new="v2")],
    metrics=[
        record.MetricChange(path="m.json", name="accuracy", old=0.8, new=0.9, diff=0.1),
        record.MetricChange(path="m.json", name="best", old="tree", new="forest"),
        record.MetricChange(path="m.json", name="auc", old=1, problem="it is NaN now"),
    ],
    params=[record.ParamChange(path="params.yaml", name="train.deep", old=False, new=True)],
    data=record.DataChanges(added=["größe.csv"], renamed=[record.Rename(old="a.csv", new="b.csv")]),
    plots=[record.Plot(id="loss.csv", file="plots/loss.png")],
    experiments=[record.Experiment(tag="exp-1234567", sha="c" * 40, metrics={"accuracy": 0.9})],
    checks=[
        record.CheckResult(name="accuracy", status="fail", level="warn", value=0.7, target="0.8..")
    ],
    problems=["accuracy is missing"],
    verdict="invalid",
    failure=record.Failure(message="train failed", stage="train", output="Killed", exit_code=3),
    published=record.Published(commit="d" * 40, tag="exp-1234567", pushed=True),
)


def encoded(of: Record) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(record.to_json(of))
    return loaded


def decoded(**changes: object) -> Record:
    """Return the full record after its JSON was edited."""
    return record.from_json(json.dumps({**encoded(FULL), **changes}).encode())


@pytest.mark.parametrize("written", [Record(), FULL], ids=["empty", "full"])
def test_a_record_survives_its_json(written: Record) -> None:
    assert record.from_json(record.to_json(written)) == written


@given(name=st.text(), old=st.none() | st.text() | st.floats(allow_nan=False), new=st.booleans())
def test_any_name_and_any_value_survive_the_json(
    *, name: str, old: record.Value, new: bool
) -> None:
    metric = record.MetricChange(path=name, name=name, old=old, new=new)
    read = record.from_json(record.to_json(Record(metrics=[metric], reason=name)))

    infinite = isinstance(old, float) and math.isinf(old)
    assert read.metrics == [replace(metric, old=None if infinite else old)]
    assert read.reason == name


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_becomes_null_and_never_zero(value: float) -> None:
    metric = record.MetricChange(path="m.json", name="loss", old=0.5, new=value, diff=value)
    text = record.to_json(Record(metrics=[metric]))

    (read,) = json.loads(text, parse_constant=pytest.fail)["metrics"]
    assert (read["old"], read["new"], read["diff"]) == (0.5, None, None)


def test_whole_numbers_and_truth_values_keep_their_type() -> None:
    params = [
        record.ParamChange(path="p", name="n", old=old, new=new)
        for old, new in ((1, 1.0), (True, 1), (0, False), ("1", None))
    ]
    read = record.from_json(record.to_json(Record(params=params))).params

    assert (
        [(type(p.old), type(p.new)) for p in read]
        == [(type(p.old), type(p.new)) for p in params]
        == [(int, float), (bool, int), (int, bool), (str, type(None))]
    )


def test_a_field_of_a_later_release_is_ignored() -> None:
    context = {**encoded(FULL)["context"], "planet": "Mars"}

    assert decoded(weather="fine", context=context) == FULL


def test_a_field_that_is_left_out_has_its_default() -> None:
    assert record.from_json(b'{"version": 1}') == Record()


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": None},
        {"metrics": {"accuracy": 0.9}},
        {"metrics": [{"path": "m.json"}]},
        {"metrics": [{"path": "m.json", "name": "a", "new": [1, 2]}]},
        {"context": {"pull_request": "7"}},
        {"context": {"trusted": "no"}},
        {"context": {"forge": "gitea"}},
        {"outcome": "fine"},
        {"verdict": "passed"},
        {"verdict": True},
        {"stages": [{"name": "train", "state": "ran", "seconds": "1.5"}]},
        {"baseline": "origin/main"},
        {"version": "1"},
    ],
    ids=str,
)
def test_a_wrong_type_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        decoded(**changes)


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b'{"version": 1', b"\xff{}"])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        record.from_json(text)


def test_version_2_is_refused_by_its_number() -> None:
    with pytest.raises(ValueError, match="record version 2 is not known, only 1"):
        decoded(version=2)


def test_the_shipped_schema_is_current() -> None:
    shipped = json.loads((resources.files("cml") / "record.schema.json").read_text())

    assert shipped == record.schema(), "make schema"


@pytest.mark.parametrize("valid", [Record(), FULL], ids=["empty", "full"])
def test_the_schema_accepts_records(valid: Record) -> None:
    jsonschema.Draft202012Validator.check_schema(record.schema())
    jsonschema.validate(encoded(valid), record.schema(), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "changes", [{"verdict": "passed"}, {"metrics": [{"path": "m.json"}]}, {"outcome": 1}], ids=str
)
def test_the_schema_refuses_what_is_no_record(changes: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {**encoded(FULL), **changes}, record.schema(), jsonschema.Draft202012Validator
        )


def test_a_name_that_is_not_utf8_does_not_stop_a_record_from_being_written() -> None:
    name = b"odd\xff.txt".decode("utf-8", "surrogateescape")
    data = record.DataChanges(added=[name, "ünï.txt"])
    read = record.from_json(record.to_json(record.Record(data=data, reason=name)))
    assert read.data.added == ["odd\\udcff.txt", "ünï.txt"]
