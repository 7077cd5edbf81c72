"""Converted stages beside what was there: names, conflicts, locks of DVC 1.x, broken writes."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import old_dvc
import pytest
from dvc.parsing.context import Context
from dvc.utils.serialize import parse_yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from cml import legacy
from cml.errors import UsageError
from cml.legacy import documents, stages

PIPELINE = """\
# Who owns this: Ada
stages:
    # The first
    report:
        cmd: "cat model > report"   # shown in the report
        deps:
          - model
        outs:
          - report:
                cache: false
metrics:
  - other.json
"""
INTERRUPTED = """\
import os, pathlib, sys
from cml import legacy
left = int(sys.argv[1])
def counted(real):
    def step(*args, **kwargs):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return real(*args, **kwargs)
    return step
pathlib.Path.replace = counted(pathlib.Path.replace)
pathlib.Path.unlink = counted(pathlib.Path.unlink)
root = pathlib.Path.cwd()
names = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
legacy.write(root, legacy.convert(root, legacy.find(root, names)))
"""
LOCK_OF_1_X = """\
train:
  cmd: echo train >> ${RUNS_LOG}; cp raw.txt model
  deps:
  - path: raw.txt
    md5: b026324c6904b2a9cb4b88d6d61c81d1
  params:
    params.yaml:
      rate: '1e-3'
      shuffle: true
  outs:
  - path: model
    md5: b026324c6904b2a9cb4b88d6d61c81d1
"""
PIPELINE_OF_1_X = """\
stages:
  train:
    cmd: echo train >> ${RUNS_LOG}; cp raw.txt model # cheap
    deps: [raw.txt]
    params: [rate, shuffle]
    outs: [model]
"""


@pytest.fixture
def old(tmp_path: Path) -> old_dvc.OldRepository:
    return old_dvc.small(tmp_path)


def test_a_dvc_yaml_that_is_there_keeps_its_comments_and_stages(
    old: old_dvc.OldRepository,
) -> None:
    old.write("dvc.yaml", PIPELINE)
    old.migrate()
    text = (old.root / "dvc.yaml").read_text()
    for line in PIPELINE.splitlines():
        assert line.strip() in text
    assert text.startswith(PIPELINE[: PIPELINE.index("metrics:")])
    assert list(old.read("dvc.yaml")["stages"]) == ["report", "train"]
    assert old.look()["ran"] == ["report"]
    assert old.log == []


def test_a_dvc_yaml_in_the_usual_style_is_only_added_to(old: old_dvc.OldRepository) -> None:
    plain = "stages:\n  report:\n    cmd: cat model > report\n    deps:\n    - model # it\n"
    before = old.write("dvc.yaml", plain).read_text()
    old.migrate()
    assert (old.root / "dvc.yaml").read_text().startswith(before)


def test_a_lock_file_that_is_there_keeps_its_entries(old: old_dvc.OldRepository) -> None:
    old.write("dvc.yaml", PIPELINE)
    entry = "  report:\n    cmd: cat model > report\n"
    old.write("dvc.lock", f"schema: '2.0'\nstages:\n{entry}")
    old.migrate()
    assert (old.root / "dvc.lock").read_text().startswith(f"schema: '2.0'\nstages:\n{entry}")
    assert list(old.read("dvc.lock")["stages"]) == ["report", "train"]


def test_a_name_that_is_taken_gets_a_number(old: old_dvc.OldRepository) -> None:
    old.write("dvc.yaml", "stages:\n  train:\n    cmd: echo\n  train-2:\n    cmd: echo\n")
    changes = old.migrate()
    assert list(old.read("dvc.yaml")["stages"]) == ["train", "train-2", "train-3"]
    assert next(c for c in changes if c.path.name == "train.dvc").stages == ("train-3",)


def test_names_that_dvc_does_not_allow_are_made_allowed(old: old_dvc.OldRepository) -> None:
    for file, out in (
        ("a.b c@d.dvc", "1"),
        ("a-b$c d.dvc", "2"),
        ("Zürich.dvc", "3"),
        ("-.dvc", "4"),
    ):
        old.write(f"out{out}", "")
        old.stage(file, f"true {out}", ["raw.txt"], [f"out{out}"])
    old.commit()
    old.migrate()
    names = set(old.read("dvc.yaml")["stages"])
    assert names == {"train", "a-b-c-d", "a-b-c-d-2", "Zürich", "stage"}
    assert old.look() == {"status": {}, "ran": []}


def test_a_stage_that_writes_the_same_output_stops_the_migration(
    old: old_dvc.OldRepository,
) -> None:
    (old.root / "made").mkdir()
    old.write("dvc.yaml", "stages:\n  fit:\n    cmd: x\n    wdir: made\n    outs: [../model]\n")
    before = old.tree()
    with pytest.raises(UsageError, match=r"train\.dvc and the stage fit .* both write model"):
        old.migrate()
    assert old.tree() == before


@pytest.mark.parametrize("text", ["- a list\n", "stages: {\n", "a: 1\na: 2\n", "\tx: 1\n"])
def test_a_dvc_yaml_that_cannot_be_read_stops_the_migration(
    old: old_dvc.OldRepository, text: str
) -> None:
    old.write("dvc.yaml", text)
    with pytest.raises(UsageError, match=r"dvc\.yaml"):
        old.convert()


def test_a_stage_file_that_is_gone_or_broken_stops_the_migration(
    old: old_dvc.OldRepository,
) -> None:
    for name, text in (("gone.dvc", None), ("broken.dvc", "cmd: ["), ("text.dvc", "cmd")):
        if text:
            old.write(name, text)
        with pytest.raises(UsageError, match=name):
            legacy.convert(old.root, [Path(name)])


def test_a_migration_killed_at_any_point_can_be_run_again(tmp_path: Path) -> None:
    whole = old_dvc.pipeline(tmp_path / "whole")
    steps = len(whole.migrate())
    for step in range(steps):
        broken = old_dvc.pipeline(tmp_path / str(step))
        command = [sys.executable, "-c", INTERRUPTED, str(step)]
        root = Path(__file__).parent.parent
        done = subprocess.run(
            command,
            cwd=broken.root,
            env=broken.environment() | {"PYTHONPATH": str(root)},
            check=False,
        )
        assert done.returncode == 9
        broken.migrate()
        assert broken.tree() == whole.tree(), f"killed before step {step}"


@pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml", "raw.txt.dvc"])
def test_a_file_that_cannot_be_written_leaves_all_as_it_was(
    old: old_dvc.OldRepository, name: str
) -> None:
    changes = old.convert()
    (old.root / f"{name}.cml-new").mkdir()
    before = old.tree()
    with pytest.raises(UsageError, match="nothing has changed"):
        legacy.write(old.root, changes)
    assert old.tree() == before


def test_a_file_that_cannot_be_removed_leaves_all_as_it_was(
    old: old_dvc.OldRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = old.convert()
    before = old.tree()
    real = Path.unlink

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "train.dvc":
            raise PermissionError(path)
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(UsageError, match="nothing has changed"):
        legacy.write(old.root, changes)
    assert old.tree() == before


def test_a_rewritten_file_keeps_its_mode(old: old_dvc.OldRepository) -> None:
    (old.root / "raw.txt.dvc").chmod(0o640)
    old.migrate()
    assert (old.root / "raw.txt.dvc").stat().st_mode & 0o777 == 0o640


def of_dvc_1(old: old_dvc.OldRepository) -> None:
    (old.root / "train.dvc").unlink()
    found = old_dvc.md5(b"1\n")
    old.write("raw.txt.dvc", f"outs:\n- md5: {found}\n  path: raw.txt\n")
    old.write("params.yaml", "rate: 1e-3\nshuffle: yes\n")
    old.write("dvc.lock", LOCK_OF_1_X)
    old.write("dvc.yaml", PIPELINE_OF_1_X)


def test_a_lock_file_of_dvc_1_is_read_again_and_nothing_retrains(
    old: old_dvc.OldRepository,
) -> None:
    of_dvc_1(old)
    assert old.find() == ["dvc.lock"]
    old.migrate()
    assert (old.root / "dvc.yaml").read_text() == PIPELINE_OF_1_X.replace("${", r"\${")
    assert old.look() == {"status": {}, "ran": []}
    old.write("params.yaml", "rate: 1e-3\nshuffle: no\n")
    assert old.look()["ran"] == ["train"]
    assert old.log == ["train"]


def test_a_lock_file_of_dvc_1_takes_in_stage_files_beside_it(old: old_dvc.OldRepository) -> None:
    old.stage("use.dvc", "echo use >> $RUNS_LOG; cp model used", ["model"], ["used"])
    old.commit()
    of_dvc_1(old)
    old.migrate()
    assert list(old.read("dvc.lock")["stages"]) == ["train", "use"]
    assert old.look() == {"status": {}, "ran": []}
    assert old.log == []


def test_a_command_of_dvc_1_that_is_a_template_stays_one(old: old_dvc.OldRepository) -> None:
    of_dvc_1(old)
    old.write("dvc.yaml", PIPELINE_OF_1_X.replace("${RUNS_LOG}", "${log}"))
    assert [change.path.name for change in old.migrate()] == ["dvc.lock"]


def test_a_pipeline_of_dvc_2_is_left_alone(old: old_dvc.OldRepository) -> None:
    of_dvc_1(old)
    lock = old.root / "dvc.lock"
    indented = "".join(f"  {line}\n" for line in LOCK_OF_1_X.splitlines())
    lock.write_text(f"schema: '2.0'\nstages:\n{indented}")
    assert old.find() == []


COMMANDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t")
    | st.sampled_from("${}\\"),
    min_size=1,
)


@settings(deadline=None)
@given(COMMANDS)
def test_any_command_reaches_dvc_3_as_it_was(command: str) -> None:
    escaped = stages.escape(command)
    shown = documents.dump({"stages": {"s": {"cmd": documents.block(escaped)}}})
    lock = documents.dump({"stages": {"s": {"cmd": command}}})
    read = parse_yaml(shown, "dvc.yaml")["stages"]["s"]["cmd"]
    assert Context({"HOME": "/"}).resolve_str(read) == command
    assert parse_yaml(lock, "dvc.lock")["stages"]["s"]["cmd"] == command


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ax1"), inner, max_size=2),
)
HASH = st.just("b026324c6904b2a9cb4b88d6d61c81d1")
PATHS = st.sampled_from(["a", "b/c", "../d", "/e", "s3://f/g", "remote://h/i", "${j}", "k\nl"])
ITEMS = st.fixed_dictionaries(
    {},
    optional={"path": PATHS | VALUES, "md5": HASH | VALUES, "etag": HASH | VALUES}
    | dict.fromkeys(("metric", "plot", "tags", "params", "repo", "cache", "persist"), VALUES)
    | dict.fromkeys(("desc", "type", "labels", "meta", "push", "remote", "size", "hash"), VALUES),
)
STAGES = st.fixed_dictionaries(
    {"outs": st.lists(ITEMS, max_size=2) | VALUES},
    optional={"cmd": st.text(max_size=4) | VALUES, "deps": st.lists(ITEMS, max_size=2) | VALUES}
    | {"md5": HASH | VALUES, "wdir": PATHS | VALUES, "locked": VALUES, "always_changed": VALUES},
)


@settings(deadline=None)
@given(STAGES)
@example({"outs": None})
@example({"outs": [], "deps": [{"params": True}]})
@example({"cmd": "x", "outs": [], "deps": [{"db": {"connection": "y"}}]})
def test_nothing_that_a_file_may_say_is_a_bug_of_ours(said: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        stream = io.StringIO()
        YAML(typ="safe").dump(said, stream)
        (root / "s.dvc").write_text(stream.getvalue(), encoding="utf-8")
        with contextlib.suppress(UsageError):
            legacy.write(root, legacy.convert(root, legacy.find(root, ["s.dvc"])))
        with contextlib.suppress(UsageError):
            legacy.convert(root, [Path("s.dvc")] if (root / "s.dvc").exists() else [])
