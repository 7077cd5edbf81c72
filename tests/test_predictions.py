"""Files with predictions: what is read as it was written, how items are paired, what is refused."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cml.errors import UsageError
from cml.predictions import Items, Names, Pairs, pair, read

GOOD = "id,label,prediction\na,x,x\nb,y,x\nc,x,y\nd,y,y\n"
SCORES = Names(score="f1")


def items(text: str, path: str = "test.csv", **names: Any) -> Items:
    return read(text.encode(), path, Names(**names))


def paired(old: str, new: str, path: str = "test.csv", **names: Any) -> Pairs:
    before = read(old.encode(), path, Names(**names), of=" of the baseline")
    return pair(before, items(new, path, **names))


def refused(old: str, new: str | None = None, path: str = "test.csv", **names: Any) -> str:
    with pytest.raises(UsageError) as caught:
        paired(old, old if new is None else new, path, **names)
    return f"{caught.value.message} / {caught.value.hint}"


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a/test.csv", GOOD),
        ("TEST.CSV", GOOD.replace("\n", "\r\n")),
        ("test.csv", "\ufeff" + GOOD + "\n\n"),
        ("test.tsv", GOOD.replace(",", "\t")),
        ("test.csv", 'extra,prediction,id,label\n"1,5\n",x,a,x\n,x,b,y\n,y,c,x\n,y,d,y\n'),
        ("test.jsonl", lines(*({"id": i, "label": a, "prediction": b} for i, a, b in
                               ("axx", "byx", "cxy", "dyy")))),
        ("test.ndjson", lines(*({"prediction": b, "id": i, "label": a} for i, a, b in
                                ("axx", "byx", "cxy", "dyy"))) + "\n"),
    ],
)  # fmt: skip
def test_each_kind_of_file_gives_the_same_items(path: str, text: str) -> None:
    found = items(text, path)

    assert found.frame["value"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 1}
    assert pair(found, found) == Pairs(old=[1, 0, 0, 1], new=[1, 0, 0, 1], groups=None, left_out=0)


@pytest.mark.parametrize("path", ["test.csv", "test.jsonl"])
def test_texts_that_look_like_numbers_or_like_nothing_stay_texts(path: str) -> None:
    ids = ["007", "7", "NA", "None", "null", "nan", "1e5", "100000", "True", "-", " 7 "]
    rows = [{"id": i, "label": "NaN", "prediction": ("NaN", "nan")[n % 2]} for n, i in
            enumerate(ids)]  # fmt: skip
    text = lines(*rows) if path == "test.jsonl" else "id,label,prediction\n" + "".join(
        f"{row['id']},{row['label']},{row['prediction']}\n" for row in rows
    )  # fmt: skip

    frame = items(text, path).frame

    assert list(frame.index) == ids
    assert frame["value"].tolist() == [1 - number % 2 for number in range(len(ids))]


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\u00a0"])
def test_json_lines_end_at_newlines_alone(separator: str) -> None:
    row = {"id": f"a{separator}b", "label": "a", "prediction": "a"}
    text = json.dumps(row, ensure_ascii=False).replace(r"\u0085", "\x85")

    assert list(items(text, "t.jsonl").frame.index) == [f"a{separator}b"]


def test_half_a_character_is_an_id_like_any_other() -> None:
    text = lines({"id": "\ud800", "label": "a", "prediction": "a"})

    assert paired(text, text, "t.jsonl").new == [1]
    assert r"an id twice for 1 item: '\ud800'" in refused(text * 2, path="t.jsonl")


def test_items_are_paired_by_their_ids_whatever_their_order() -> None:
    new = "id,label,prediction\ne,x,x\nd,y,x\nc,x,x\nb,y,x\na,x,x\n"

    found = paired(GOOD, new)

    assert (found.old, found.new, found.left_out) == ([1, 0, 0, 1], [1, 0, 1, 0], 1)


def test_without_ids_items_are_paired_by_their_order() -> None:
    old = "label,prediction\nx,x\ny,x\n"

    assert paired(old, "label,prediction\nx,y\ny,y\n").new == [0, 1]
    # Ids that the baseline does not have yet tell nothing.
    assert paired(old, "id,label,prediction\n1,x,y\n2,y,y\n").new == [0, 1]
    assert "has 3 rows, test.csv of the baseline has 2, and no ids" in refused(old, old + "x,x\n")
    assert "labels of test.csv and of the baseline differ for 2 items: row 1, row 2" in refused(
        old, "label,prediction\ny,x\nx,x\n"
    )
    assert "test.csv has no ids, by which" in refused(
        GOOD, "label,prediction\nx,x\ny,x\nx,y\ny,y\n"
    )


def test_scores_and_groups_are_read() -> None:
    text = "name,f1,who\n1,0.5,ann\n2, -1e-3 ,bob\n3,.25,ann\n"

    found = paired(text, text.replace("0.5", "1"), id="name", score="f1", group="who")

    assert found == Pairs(
        old=[0.5, -0.001, 0.25],
        new=[1, -0.001, 0.25],
        groups=["ann", "bob", "ann"],
        left_out=0,
    )


@pytest.mark.parametrize("value", ["", "nan", "-Infinity", "1e999", "1_000", "0x1", "x", "٣"])
def test_a_score_is_a_finite_number(value: str) -> None:
    said = refused(f"id,f1\na,1\nb,{value}\nc,{value}\n", score="f1")

    what = "the score is not a finite number" if value else "f1 is missing"
    assert f"test.csv of the baseline: {what} for 2 items: b, c" in said


def test_a_score_in_json_may_be_any_number_but_no_boolean() -> None:
    rows = [{"f1": 1}, {"f1": 0.5}, {"f1": 1e-5}, {"f1": "2"}]
    assert items(lines(*rows), "t.jsonl", score="f1").frame["value"].tolist() == [1, 0.5, 1e-5, 2]
    assert "not a finite number for 1 item: row 1" in refused(
        lines({"f1": True}), path="t.jsonl", score="f1"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (GOOD, GOOD + "a,x,x\n", "test.csv has an id twice for 1 item: a"),
        (GOOD, "id,label,prediction\nb,y,y\n", "test.csv has no row for 3 items: a, c, d"),
        (GOOD, GOOD.replace("a,x,x", "a,y,x"), "differ for 1 item: a / a change of the test"),
        (GOOD, GOOD.replace(",x,", ",z,").replace("a,z,x", "a,z,z"), "for 2 items: a, c"),
        (GOOD, GOOD.replace("b,y,x", "b,y,"), "test.csv: prediction is missing for 1 item: b"),
        (GOOD, GOOD.replace("b,y,x", "b, ,x"), "test.csv: label is missing for 1 item: b"),
        (GOOD, GOOD.replace("b,y,x", ",y,x"), "test.csv: id is missing for 1 item: row 2"),
        (GOOD, GOOD + "e,x\n", "test.csv, line 6: 2 values are in it, and the first line names 3"),
        (GOOD, GOOD + "e,x,y,z\n", "test.csv, line 6: 4 values are in it"),
        (GOOD, GOOD + 'e,x,"y\n', "test.csv, line 6: unexpected end of data"),
        (GOOD, "", "test.csv has no rows"),
        (GOOD, "id,label,prediction\n", "test.csv has no rows"),
        ("", GOOD, "test.csv of the baseline has no rows"),
        (GOOD, "id,label,label\na,x,x\n", "test.csv has two columns that are called 'label'"),
        (GOOD, GOOD.replace("label", "lable"), "'label' / did you mean lable? it has id, lable, p"),
        (GOOD, "id,truth,guess\na,x,x\n", "has no column 'label' / it has id, truth, guess; `col"),
        (GOOD, GOOD.replace("x\n", "X\n").replace("y\n", "Y\n"), "no prediction is ever a label"),
        (
            "label,prediction\n1,1\n2,2\n",
            "label,prediction\n1,1.0\n2,2\n",
            "label and prediction are the same but for how they are written for 1 item: row 1",
        ),
        ("label,prediction\nx,x\ny, y\n", None, "how they are written for 1 item: row 2"),
    ],
)
def test_what_cannot_be_told_is_refused(old: str, new: str | None, says: str) -> None:
    assert says in refused(old, new)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "test.jsonl of the baseline, line 1: not JSON: "),
        ("\n[1]\n", "line 2: an object is expected"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"label": NaN}', "line 1: not JSON: NaN is no number"),
        ('{"label": 1, "label": 2}', "line 1: not JSON: a key is there twice"),
        ('{"label": [1]}', "line 1: 'label' holds no single value"),
        (lines({"label": 1, "prediction": 1}, {"label": 1}), "prediction is missing for 1 item: r"),
        (lines({"label": 1, "prediction": None}), "prediction is missing for 1 item: row 1"),
        (lines({"label": 1, "prediction": True}), "labels are 1; predictions are true"),
        (lines({"label": 1, "prediction": 1.0}), "but for how they are written for 1 item"),
        ("", "has no rows"),
    ],
)
def test_json_lines_that_cannot_be_told_are_refused(text: str, says: str) -> None:
    assert says in refused(text, path="test.jsonl")


def test_groups_stay_what_they_are() -> None:
    old = GOOD.replace("\n", ",g\n").replace("prediction,g", "prediction,site")

    assert "groups of test.csv and of the baseline differ for 1 item: b" in refused(
        old, old.replace("b,y,x,g", "b,y,x,h"), group="site"
    )
    assert "site is missing for 1 item: b" in refused(old.replace("x,g\nc", "x,\nc"), group="site")
    assert "has no column 'town' / it has id" in refused(old, group="town")


def test_a_file_that_is_no_table_is_refused() -> None:
    assert refused(GOOD, path="test.parquet") == (
        "test.parquet of the baseline does not end as a file with predictions does / "
        "it is one of .csv, .tsv, .jsonl, .ndjson"
    )
    with pytest.raises(UsageError, match=r"test.csv is not UTF-8 text, see byte 3"):
        read(b"id,\xff", "test.csv", Names())


def test_no_more_than_three_items_are_named_and_none_at_length() -> None:
    text = "id,label,prediction\n" + "".join(f"{i}{'x' * 50},a,\n" for i in range(1234))

    said = refused(text)

    assert "for 1,234 items: " in said
    assert said.count("x" * 38 + "…") == 3
    assert said.endswith(", ... / None")
    many = ",".join(f"c{number}" for number in range(99))
    assert refused(f"{many}\n").endswith("rows / None")
    assert "c10, c11, ...; `columns:`" in refused(f"{many}\n{many}\n")
    assert r"for 1 item: '\x1b[31m'" in refused("id,label,prediction\n\x1b[31m,a,\n")


def test_without_pandas_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    assert refused(GOOD) == (
        "pandas is not installed, which checks with predictions need / "
        "pip install 'cml-run[statistics]'"
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@settings(deadline=None)  # the first example may load a library
@given(
    st.dictionaries(TEXTS.filter(str.strip), st.tuples(st.booleans(), st.booleans()), min_size=1),
    st.randoms(use_true_random=False),
)
def test_whatever_the_ids_items_meet_themselves(
    drawn: dict[str, tuple[bool, bool]], chance: Any
) -> None:
    shuffled = [*drawn.items()]
    chance.shuffle(shuffled)
    old = lines(*({"id": i, "f1": int(was)} for i, (was, _) in drawn.items()))
    new = lines(*({"id": i, "f1": int(now)} for i, (_, now) in shuffled))

    found = paired(old, new, "t.jsonl", score="f1")

    assert list(zip(found.old, found.new, strict=True)) == [*drawn.values()]
