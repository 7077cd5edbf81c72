"""The record on disk: whole, or not at all."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from cml import bundle
from cml.errors import UsageError
from cml.record import Record

if TYPE_CHECKING:
    from pathlib import Path


def contents(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_bundle_holds_the_record_its_views_and_the_pictures(tmp_path: Path) -> None:
    with bundle.staging(tmp_path / ".cml") as made:
        plot = made.picture("plots/loss.csv", b"png")
        made.finish(Record(reason="done"), "# report\n")
    assert contents(tmp_path) == {
        f".cml/{name}"
        for name in (
            "record.json",
            "report.md",
            "junit.xml",
            "metrics.txt",
            plot.file,
            ".gitignore",
        )
    }
    assert json.loads((tmp_path / ".cml/record.json").read_text())["reason"] == "done"
    assert plot.file == "plots/plots-loss.png"


def test_a_skipped_run_leaves_no_tests_and_no_metrics_to_read(tmp_path: Path) -> None:
    with bundle.staging(tmp_path / ".cml") as made:
        made.finish(Record(outcome="skipped"), "# report\n")
    assert contents(tmp_path) == {f".cml/{n}" for n in ("record.json", "report.md", ".gitignore")}


def test_nothing_is_left_of_a_bundle_that_was_not_finished(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), bundle.staging(tmp_path / ".cml") as made:
        made.picture("loss", b"png")
        raise RuntimeError
    assert contents(tmp_path) == set()


def test_an_unfinished_bundle_leaves_the_earlier_one_alone(tmp_path: Path) -> None:
    with bundle.staging(tmp_path / ".cml") as made:
        made.finish(Record(reason="first"), "")
    with pytest.raises(RuntimeError), bundle.staging(tmp_path / ".cml"):
        raise RuntimeError
    assert json.loads((tmp_path / ".cml/record.json").read_text())["reason"] == "first"


def test_a_new_bundle_replaces_the_old_one_with_its_pictures(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with bundle.staging(tmp_path / ".cml") as made:
            made.picture(name, b"png")
            made.finish(Record(), "")
    assert contents(tmp_path / ".cml/plots") == {"new.png"}


def test_plots_with_like_names_keep_pictures_of_their_own(tmp_path: Path) -> None:
    with bundle.staging(tmp_path / ".cml") as made:
        names = [made.picture(name, b"").file for name in ("a/b.csv", "a-b.csv", "../a/b", "!!!")]
        made.finish(Record(), "")
    assert names == ["plots/a-b.png", "plots/a-b-2.png", "plots/a-b-3.png", "plots/plot.png"]


def test_git_does_not_see_the_bundle(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with bundle.staging(tmp_path / ".cml") as made:
        made.finish(Record(), "")
    seen = subprocess.run(
        ["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert seen.stdout == ""


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/chapter.tex").touch()
    with pytest.raises(UsageError, match="other files"), bundle.staging(tmp_path / "thesis"):
        pass
    assert contents(tmp_path) == {"thesis/chapter.tex"}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = bundle.staging(tmp_path / "file/.cml")
    with pytest.raises(UsageError, match="cannot write the bundle") as caught, place:
        pass
    assert caught.value.hint
    assert "--out" in caught.value.hint
