"""What a migration tells people to do themselves; what it says of DVC is asked of DVC 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import old_dvc
import pytest
from dvc.config import Config, ConfigError

from cml import legacy
from cml.legacy import advice

if TYPE_CHECKING:
    from pathlib import Path

URLS = {"gdrive": "gdrive://x", "hdfs": "hdfs://h/p", "webhdfs": "webhdfs://h/p"}


@pytest.fixture
def old(tmp_path: Path) -> old_dvc.OldRepository:
    return old_dvc.small(tmp_path)


@pytest.mark.parametrize(("kind", "option"), advice.REFUSED)
def test_what_is_said_to_be_refused_is_refused_by_dvc_3(
    tmp_path: Path, kind: str, option: str
) -> None:
    section = "'remote \"r\"'" if kind in URLS else kind
    url = f"    url = {URLS[kind]}\n" if kind in URLS else ""
    config = tmp_path / ".dvc/config"
    config.parent.mkdir()
    config.write_text(f"# by hand\n[{section}]\n{url}    {option} = x\n")
    (note,) = legacy.notes(tmp_path, [".dvc/config"])
    line = 4 if url else 3
    name = section.strip("'")
    assert note.startswith(f".dvc/config:{line}: DVC 3 refuses `{option}` in [{name}]: ")
    with pytest.raises(ConfigError, match=f"{option}|{kind}"):
        Config(str(config.parent))
    config.write_text(f"[{section}]\n{url}" if url else "")
    Config(str(config.parent))


def test_an_option_of_another_kind_of_remote_is_no_matter(tmp_path: Path) -> None:
    config = tmp_path / "ml/.dvc/config.local"
    config.parent.mkdir(parents=True)
    config.write_text("['remote \"r\"']\nurl = ssh://h/p\nverify = true\n[feature]\nx = true\n")
    assert legacy.notes(tmp_path, ["ml/.dvc/config", "dvc/config", "x.dvc/config"]) == [
        "ml/.dvc/config.local:5: DVC 3 ignores `x` in [feature]: remove it"
    ]


def test_ci_files_are_told_what_has_another_name_now(tmp_path: Path) -> None:
    old = old_dvc.pipeline(tmp_path)
    old.write(
        ".github/workflows/cml.yml",
        "env:\n  repro_targets: 'Dvcfile,train.dvc sub/in.dvc'\nrun: dvc_cml_run\n"
        "not: my-Dvcfile raw.dvc train.dvcx in.dvc\nno: xdvc_cml_run\n",
    )
    old.write(".gitlab-ci.yml", "dvc:\n  script: [dvc repro ./Dvcfile., dvc_cml_run]\n")
    old.write("docs/.github.yml", "dvc_cml_run\n")
    tracked = old.tracked()
    found = legacy.notes(old.root, tracked, old.convert())
    starts = [
        ".github/workflows/cml.yml:2 names Dvcfile, which is now the stage scores",
        ".github/workflows/cml.yml:2 names sub/in.dvc, which is now the stage sub/dvc.yaml:in",
        ".github/workflows/cml.yml:2 names train.dvc, which is now the stage train",
        ".github/workflows/cml.yml:3 calls dvc_cml_run: call `cml-run` instead; the variables",
        ".gitlab-ci.yml:2 calls dvc_cml_run",
        ".gitlab-ci.yml:2 names Dvcfile, which is now the stage scores",
    ]
    assert len(found) == len(starts)
    assert all(any(note.startswith(start) for note in found) for start in starts)


EXTERNAL = """\
cmd: echo > out
md5: 1
deps:
- path: https://example.org/data.csv
  etag: '"abc"'
- path: s3://bucket/data.csv
  etag: 8978c98bb5a48c2fb5f2c4c905768afa
- path: remote://web/data.csv
  etag: '"def"'
- path: hdfs://host/data.csv
  checksum: 000002000000000000000000a86fe4d846edc1bf4c355cb6112f141e00000000
- path: gs://bucket/data.csv
  md5: 8978c98bb5a48c2fb5f2c4c905768afa
- path: ssh://host/data.csv
  md5: 8978c98bb5a48c2fb5f2c4c905768afa
outs:
- path: s3://bucket/out.csv
  etag: 8978c98bb5a48c2fb5f2c4c905768afa
  cache: true
- path: out
  md5: 8978c98bb5a48c2fb5f2c4c905768afa
  cache: false
"""


def test_data_outside_the_project_is_known_by_the_hash_that_dvc_3_compares(
    old: old_dvc.OldRepository,
) -> None:
    config = (old.root / ".dvc/config").read_text()
    old.write(".dvc/config", f"{config}['remote \"web\"']\n    url = http://example.org/\n")
    old.write("far.dvc", EXTERNAL)
    notes = old.notes(old.migrate())
    lock = old.read("dvc.lock")["stages"]["far"]
    md5 = {"md5": "8978c98bb5a48c2fb5f2c4c905768afa"}
    etag = {"etag": md5["md5"]}
    hdfs = "000002000000000000000000a86fe4d846edc1bf4c355cb6112f141e00000000"
    assert lock["deps"] == [
        {"path": "gs://bucket/data.csv", **md5},
        {"path": "hdfs://host/data.csv", "checksum": hdfs},
        {"path": "https://example.org/data.csv", "checksum": '"abc"'},
        {"path": "remote://web/data.csv", "checksum": '"def"'},
        {"path": "s3://bucket/data.csv", **etag},
        {"path": "ssh://host/data.csv", **md5},
    ]
    assert lock["outs"] == [{"path": "out", **md5}, {"path": "s3://bucket/out.csv", **etag}]
    stage = old.read("dvc.yaml")["stages"]["far"]
    assert stage["outs"] == [{"out": {"cache": False}}, {"s3://bucket/out.csv": {"cache": False}}]
    assert next(note for note in notes if "gs://" in note).startswith(
        "far.dvc: gs://bucket/data.csv was recorded by its md5, which DVC 3 does not compare on gs"
    )
    assert sum("s3://bucket/out.csv lies outside the project" in note for note in notes) == 1
    assert not any("https:" in note or "ssh:" in note or "hdfs:" in note for note in notes)
