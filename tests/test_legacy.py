"""Old repositories converted, then looked at by the real DVC 3: what ran, and what did not."""

from __future__ import annotations

import shutil
from pathlib import Path

import old_dvc
import pytest
from dvc.exceptions import ReproductionError

from cml import legacy
from cml.errors import UsageError
from cml.legacy import hashing, stagefile

MODERN = """\
outs:
- md5: 22a1a2931c8370d3aeedd7183606fd7f
  size: 14
  hash: md5
  path: metric.cmd
"""


@pytest.fixture
def old(tmp_path: Path) -> old_dvc.OldRepository:
    return old_dvc.small(tmp_path)


@pytest.fixture
def full(tmp_path: Path) -> old_dvc.OldRepository:
    return old_dvc.pipeline(tmp_path)


def text_of(changes: list[legacy.Change], path: str) -> str:
    return next(c.text for c in changes if c.path.as_posix() == path and c.text is not None)


def test_nothing_retrains_after_a_migration(full: old_dvc.OldRepository) -> None:
    full.migrate()
    assert full.look() == {"status": {}, "ran": []}
    told = full.run("python", "-m", "dvc", "repro", "--all-pipelines")
    stages = ("prepare", "train", "scores", "sub/dvc.yaml:in", "from-outside")
    for stage in stages:
        assert f"Stage '{stage}' didn't change, skipping" in told
    assert "'raw.dvc' didn't change, skipping" in told
    assert full.log == []


def test_a_clean_clone_needs_no_data_to_see_that_nothing_changed(
    full: old_dvc.OldRepository,
) -> None:
    full.migrate()
    full.commit("As it is")
    clone = full.clone()
    assert full.look("missing", cwd=clone)["ran"] == []
    assert not (clone / "model").exists()
    assert full.look("pull", cwd=clone) == {"status": {}, "ran": []}
    assert (clone / "data/crlf.csv").read_bytes() == b"a,b\r\n1,2\r\n"
    assert (clone / "raw/in/2.txt").read_bytes() == b"x\r\ny\r\n"
    assert full.log == []


@pytest.mark.parametrize(
    ("path", "text", "ran"),
    [
        ("raw/1.txt", "2\n", ["prepare", "train", "evaluate", "in"]),
        ("raw/in/2.txt", "x\r\nz\r\n", ["prepare"]),
        ("params.yaml", "rate: 2e-3\nshuffle: yes\ntrain: {sizes: [1, 2]}\n", ["train"]),
        ("params.yaml", "rate: 1e-3\nshuffle: no\ntrain: {sizes: [1, 2]}\n", ["train"]),
        ("params.yaml", "rate: 1e-3\nshuffle: yes\ntrain: {sizes: [1, 3]}\n", ["train"]),
        ("sub/own.txt", "other\n", ["in"]),
    ],
)
def test_a_change_made_before_the_migration_runs_after_it(
    full: old_dvc.OldRepository, path: str, text: str, ran: list[str]
) -> None:
    full.write(path, text)
    full.migrate()
    full.look()
    assert full.log == ran


def test_a_change_made_after_the_migration_runs(full: old_dvc.OldRepository) -> None:
    full.migrate()
    full.write("params.yaml", "rate: 1e-4\nshuffle: yes\ntrain: {sizes: [1, 2]}\n")
    full.write("sub/own.txt", "other\n")
    full.look()
    assert sorted(full.log) == ["in", "train"]


def test_the_stages_say_what_the_stage_files_said(full: old_dvc.OldRepository) -> None:
    changes = full.migrate()
    stages = full.read("dvc.yaml")["stages"]
    assert list(stages) == ["from-outside", "prepare", "train", "scores"]
    assert stages["from-outside"] == {
        "cmd": "echo outside >> $RUNS_LOG; cp own.txt copy.txt",
        "wdir": "sub",
        "deps": ["own.txt"],
        "outs": ["copy.txt"],
        "frozen": True,
    }
    assert stages["prepare"]["meta"] == {"owner": "Ada"}
    assert stages["train"]["params"] == ["rate", "shuffle", "train.sizes"]
    assert stages["train"]["outs"] == [
        {"kept": {"persist": True}},
        {"log": {"cache": False}},
        "model",
    ]
    assert stages["scores"]["metrics"] == ["all.json", {"scores.json": {"cache": False}}]
    assert stages["scores"]["plots"] == [{"curve.csv": {"template": "linear", "x": "a"}}]
    assert list(full.read("sub/dvc.yaml")["stages"]) == ["in"]
    assert "    cmd: |\n      echo prepare >> \\${RUNS_LOG}\n" in text_of(changes, "dvc.yaml")
    by_path = {change.path.as_posix(): change for change in changes}
    assert by_path["Dvcfile"].text is None
    assert by_path["Dvcfile"].stages == ("scores",)
    assert by_path["sub/in.dvc"].stages == ("sub/dvc.yaml:in",)
    assert by_path["dvc.yaml"].stages == ("from-outside", "prepare", "train", "scores")
    assert "xpath 'auc'" in by_path["Dvcfile"].notes[0]


def test_only_files_that_dvc_3_cannot_read_are_found(old: old_dvc.OldRepository) -> None:
    old.write("metric.cmd.dvc", MODERN)
    old.write("node_modules/x/Dvcfile", "cmd: true\n")
    old.write("broken.dvc", "cmd: [\n")
    old.write("notes/Dvcfile", "Not a stage file.\n")
    old.write("binary.dvc", b"\xff\xfecmd")
    (old.root / "gone.dvc").symlink_to("nowhere")
    assert old.find() == ["raw.txt.dvc", "train.dvc"]


@pytest.mark.parametrize(
    "text",
    [
        "cmd: x\nouts: [{path: a}]\n",
        "wdir: .\ncmd: x\nouts: [{path: a}]\n",
        'md5: "1"\nouts: [{path: a}]\n',
        '{"outs": [{"path": "a"}], "md5": "1"}\n',
        "outs:\n- {path: a, metric: false}\n",
        "outs:\n- path: a\n  plot: true\n",
        "outs:\n- path: a\n  tags: {}\n",
        "deps:\n- path: a\n- path: b\n",
    ],
)
def test_a_file_is_found_however_it_is_written(old: old_dvc.OldRepository, text: str) -> None:
    old.write("s.dvc", text)
    assert "s.dvc" in old.find()


def test_a_data_file_of_dvc_1_is_left_alone(old: old_dvc.OldRepository) -> None:
    old.write("raw.txt.dvc", f"outs:\n- md5: {old_dvc.md5(b'1')}\n  path: raw.txt\n  cache: true\n")
    assert old.find() == ["train.dvc"]


def test_what_dvc_ignores_is_not_found(old: old_dvc.OldRepository) -> None:
    for folder in ("kept", "old", "old/deep", "kept/archive"):
        old.write(f"{folder}/s.dvc", "cmd: echo\nouts:\n- path: x\n")
    old.write(".dvcignore", "# comment\n/old/\n")
    old.write("kept/.dvcignore", "archive\n")
    assert old.find() == ["kept/s.dvc", "raw.txt.dvc", "train.dvc"]


def test_files_of_a_project_inside_a_project_are_its_own(old: old_dvc.OldRepository) -> None:
    old.write("inner/.dvc/config", "")
    old.write("inner/s.dvc", "cmd: echo\nouts:\n- path: x\n")
    assert old.find() == ["raw.txt.dvc", "train.dvc"]
    tracked = ["inner/s.dvc"]
    (old.root / ".dvc").rename(old.root / "moved")
    assert legacy.find(old.root, tracked) == [Path("inner/s.dvc")]


def test_files_that_are_not_candidates_are_never_opened(
    old: old_dvc.OldRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (opened.append(path.name), real(path))[1])
    legacy.find(old.root, [*(f"images/{n}.png" for n in range(20_000)), "raw.txt.dvc"])
    assert opened == ["raw.txt.dvc"]


def test_an_edited_stage_runs_again_and_its_data_stays_reachable(
    old: old_dvc.OldRepository,
) -> None:
    file = old.root / "train.dvc"
    file.write_text(file.read_text().replace("cp raw.txt", "cat raw.txt >"))
    model = old_dvc.md5(b"1\n")
    changes = old.migrate()
    assert any("edited after its last run" in note for note in old.notes(changes))
    assert old.read("dvc.lock")["stages"]["train"]["outs"] == [{"path": "model", "md5": model}]
    found = old.look()
    assert found["status"] == {"train": ["changed command"]}
    assert old.log == ["train"]


def test_a_stage_that_never_ran_has_no_lock_and_runs(old: old_dvc.OldRepository) -> None:
    old.write(
        "next.dvc",
        "cmd: echo next >> $RUNS_LOG; cp model next\ndeps:\n- path: model\nouts:\n- path: next\n",
    )
    changes = old.migrate()
    assert old.notes(changes) == []
    assert list(old.read("dvc.lock")["stages"]) == ["train"]
    old.look()
    assert old.log == ["next"]


def test_a_stage_without_dependencies_runs_each_time_as_it_did(
    old: old_dvc.OldRepository,
) -> None:
    old.stage("fetch.dvc", "echo fetch >> $RUNS_LOG; echo 1 > fetched", [], ["fetched"])
    old.commit()
    changes = old.migrate()
    assert any("fetch.dvc: DVC before 2.0 ran it each time" in n for n in old.notes(changes))
    assert old.look() == {"status": {"fetch": ["always changed"]}, "ran": ["fetch"]}
    assert old.log == ["fetch"]


def test_a_stage_that_always_changed_still_does(old: old_dvc.OldRepository) -> None:
    cmd = "echo always >> $RUNS_LOG; cp raw.txt always"
    old.stage("always.dvc", cmd, ["raw.txt"], ["always"], always_changed=True)
    old.commit()
    assert old.notes(old.migrate()) == []
    assert old.look()["ran"] == ["always"]


def test_a_stage_that_only_collects_becomes_one_that_does_nothing(
    old: old_dvc.OldRepository,
) -> None:
    old.save("Dvcfile", {"deps": [{"md5": old_dvc.md5(b"1\n"), "path": "model"}]})
    changes = old.migrate()
    assert "Dvcfile: it only collected other stages" in old.notes(changes)[0]
    assert old.read("dvc.yaml")["stages"]["all"] == {"cmd": "true", "deps": ["model"]}
    assert old.look() == {"status": {}, "ran": []}


def test_dependencies_and_outputs_without_a_command_are_refused(
    old: old_dvc.OldRepository,
) -> None:
    old.save("odd.dvc", {"deps": [{"path": "a"}, {"path": "b"}], "outs": [{"path": "c"}]})
    with pytest.raises(UsageError, match=r"odd\.dvc has dependencies and outputs"):
        old.convert()


def test_the_data_of_a_dvcfile_gets_a_file_that_dvc_3_reads(old: old_dvc.OldRepository) -> None:
    old.write("more.txt", "2\n")
    old.data("more.txt", "Dvcfile")
    old.stage("use.dvc", "echo use >> $RUNS_LOG; cp more.txt used", ["more.txt"], ["used"])
    old.commit()
    old.migrate()
    assert not (old.root / "Dvcfile").exists()
    assert old.read("more.txt.dvc")["outs"][0]["md5"] == old_dvc.md5(b"2\n")
    old.commit("As it is")
    assert old.look("missing", cwd=old.clone())["ran"] == []
    assert old.log == []


def test_the_data_of_a_dvcfile_does_not_replace_another_file(old: old_dvc.OldRepository) -> None:
    old.data("raw.txt", "Dvcfile")
    changes = old.convert()
    assert {c.path.name for c in changes} >= {"Dvcfile", "Dvcfile.dvc", "raw.txt.dvc"}
    old.write(".gitlab-ci.yml", "pull: dvc pull Dvcfile\n")
    assert legacy.notes(old.root, [".gitlab-ci.yml"], changes) == []


def test_a_data_file_keeps_its_comments_and_loses_what_dvc_3_refuses(
    old: old_dvc.OldRepository,
) -> None:
    old.write("scores.json", '{"auc": 1}\n')
    tags = {"v1": {"md5": "0" * 32}}
    old.data("scores.json", metric={"type": "json", "xpath": None}, tags=tags)
    file = old.root / "scores.json.dvc"
    file.write_text("# by hand\n" + file.read_text().replace("  cache: true\n", ""))
    old.commit()
    changes = old.migrate()
    found = old_dvc.md5(b'{"auc": 1}\n')
    assert file.read_text() == (
        f"# by hand\nwdir: .\nouts:\n- md5: {found}\n  path: scores.json\n  persist: false\n"
    )
    assert any("v1 (00000000" in note for note in old.notes(changes))
    assert old.read("dvc.yaml")["metrics"] == ["scores.json"]
    assert old.look() == {"status": {}, "ran": []}
    assert '"auc": 1' in old.run("python", "-m", "dvc", "metrics", "show", "--json")


def test_a_data_file_of_dvc_0_20_fails_a_clean_clone_until_it_is_migrated(
    old: old_dvc.OldRepository,
) -> None:
    old.migrate()
    out = {"cache": True, "md5": old_dvc.md5(b"1\n"), "path": "raw.txt"}
    old.save("raw.txt.dvc", {"outs": [out]})
    old.commit("As it was with DVC 0.20")
    with pytest.raises(ReproductionError):
        old.look("missing", cwd=old.clone())
    assert old.find() == ["raw.txt.dvc"]
    old.migrate()
    old.commit("As it is")
    shutil.rmtree(old.root.parent / "clone")
    assert old.look("missing", cwd=old.clone())["ran"] == []


@pytest.mark.parametrize("ignored", [old_dvc.NOT_IN_0_X, old_dvc.NOT_IN_1_X])
@pytest.mark.parametrize("source", ["../source.txt", "{outside}/source.txt"])
def test_imported_data_is_not_taken_for_changed(
    old: old_dvc.OldRepository, source: str, ignored: set[str]
) -> None:
    outside = old.root.parent
    (outside / "source.txt").write_text("3\n")
    old.write("in.txt", "3\n")
    out = old.out(old.root, "in.txt")
    if ignored is old_dvc.NOT_IN_1_X:
        out = {"md5": out["md5"], "path": "in.txt"}
    dep = {"md5": old_dvc.md5(b"3\n"), "path": source.format(outside=outside)}
    stage = {"locked": True, "deps": [dep], "outs": [out]}
    old.save("in.txt.dvc", stage, ignored)
    old.commit()
    assert "in.txt.dvc" in old.find()
    old.migrate()
    assert old.look() == {"status": {}, "ran": []}
    old.commit("As it is")
    assert old.look("missing", cwd=old.clone())["ran"] == []


def test_an_import_from_a_repository_names_what_may_go_wrong(old: old_dvc.OldRepository) -> None:
    repo = {"url": "https://example.org/data.git", "rev_lock": "f" * 40}
    out = {"md5": "1" * 32, "path": "d", "cache": True, "metric": False, "persist": False}
    old.save("d.dvc", {"locked": True, "deps": [{"path": "d", "repo": repo}], "outs": [out]})
    (note,) = old.notes(old.migrate())
    assert "d.dvc: it imports from https://example.org/data.git" in note
    assert old.read("d.dvc")["deps"] == [{"path": "d", "repo": repo}]
    assert "changed checksum" not in old.run("python", "-m", "dvc", "status", "raw.txt.dvc")


def test_hashes_that_look_like_numbers_stay_as_they_were_written(
    old: old_dvc.OldRepository,
) -> None:
    like = ("66e12345678901234567890123456789", "01234567890123456789012345678901")
    text = "outs:\n- md5: {0}\n  path: a\n  metric: false\n- md5: {1}\n  path: b\n"
    old.write("n.dvc", text.format(*like))
    old.write("s.dvc", f"cmd: x\nmd5: 1\n{text.format(*like)}".replace("path: ", "path: s"))
    old.migrate()
    assert [out["md5"] for out in old.read("n.dvc")["outs"]] == list(like)
    assert [out["md5"] for out in old.read("dvc.lock")["stages"]["s"]["outs"]] == list(like)
    # DVC 3 reads YAML 1.2, where both are numbers unless they are quoted.
    assert "validation failed" not in old.run("python", "-m", "dvc", "status", "n.dvc", "s")


# Files written by DVC 0.20.3, 0.59.0, 0.94.1 and 1.0.0.
WRITTEN = {
    "0.20": """\
cmd: 'cat clean/all.txt > model.pkl; echo log > log.txt; echo "{\\"auc\\": 1}" > eval.json'
deps:
- md5: 24550f737747619b94f6352d48e6e7cd.dir
  path: clean
md5: ba4efa5e797fc460e49300cfc8b4d6b2
outs:
- cache: true
  md5: cc26f5d84979682e33f2a47225c721c1
  path: model.pkl
- cache: false
  md5: 9a115ebc25a0a303b3ffee1a7437146d
  path: log.txt
- cache: false
  md5: 7f2aa14c5420b5c39628700f298282fb
  metric:
    type: json
    xpath: auc
  path: eval.json
""",
    "0.59": """\
md5: 52264fb4b74bd94d2c5ce666a53734cc
cmd: cat s.txt > o3.txt
wdir: .
deps:
- md5: f4d5d0c0671be202bc241807c243e80b
  path: s.txt
outs:
- md5: f4d5d0c0671be202bc241807c243e80b
  path: o3.txt
  cache: true
  metric: false
  persist: false
""",
    "0.94": """\
md5: 3075499733bed9b10ecb864e4f9d64bf
cmd: cat clean/all.txt > model.pkl; echo log > log.txt; echo k >> keep.txt; echo
  ${HOME} > /dev/null
deps:
- md5: 8bfcb9cdb26e8f5c73b562c43c30715f.dir
  path: clean
- path: params.yaml
  params:
    lr: '1e-3'
    epochs: 3
    yes_: true
    train.depth: 2
    train.list:
    - 1
    - 2
- path: other.yaml
  params:
    m: 5
outs:
- md5: ccc87e7257869ad33a6a0bd9e28a4ae4
  path: keep.txt
  cache: true
  metric: false
  persist: true
- md5: 9a115ebc25a0a303b3ffee1a7437146d
  path: log.txt
  cache: false
  metric: false
  persist: false
- md5: cc26f5d84979682e33f2a47225c721c1
  path: model.pkl
  cache: true
  metric: false
  persist: false
""",
    "1.0": """\
md5: 5b60348c6befb052b1a505ba036633d3
cmd: cat clean/all.txt > s.txt; echo a,b > p2.csv
deps:
- md5: 05cac5e7d5340a0e5ad942d377a3d9d3.dir
  path: clean
- path: params.yaml
  params:
    lr: '1e-3'
outs:
- md5: f69f5b72bc79a92dc70c63c9aa142e36
  path: p2.csv
  cache: false
  plot: true
- md5: 6ddb4095eb719e2a9f0a3f95677d24e0
  path: s.txt
frozen: true
""",
}


@pytest.mark.parametrize("version", WRITTEN)
def test_what_each_dvc_wrote_is_known_to_be_unedited(tmp_path: Path, version: str) -> None:
    text = WRITTEN[version]
    (tmp_path / "s.dvc").write_text(text)
    assert hashing.is_unedited(stagefile.read(tmp_path, Path("s.dvc")))
    (tmp_path / "s.dvc").write_text(text.replace("cat ", "tac "))
    assert not hashing.is_unedited(stagefile.read(tmp_path, Path("s.dvc")))
