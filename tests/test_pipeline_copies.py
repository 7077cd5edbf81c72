"""A project in another work tree: whose storage it uses, and what becomes of its parameters."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lab import Heard

from cml import pipeline
from cml.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab

YAML = """\
# how to train
model: {seeds: [1,2], name: "a  b",   seed: 5}   # two of them
train:
  rate: 1.0

  seed: 7  # any
  early:   'no'
  bad: .nan
  more:
  -   seed: -6
last: 3"""
TOML = "# how to train\n[train]\nseed = 7 # any\nrate = 1.0\n"


@pytest.fixture
def copied(lab: Lab, opened: Any) -> Any:
    """Open the project in a clone of its last commit."""

    @contextmanager
    def opener() -> Iterator[tuple[pipeline.Project, Path]]:
        folder = lab.clone("copy")
        with opened(lab, lab.work) as project, pipeline.open_copy(project, folder) as copy:
            yield copy, folder

    return opener


@pytest.mark.parametrize(
    ("file", "name", "edit"),
    [
        ("a.yaml", "train.seed", ("seed: 7 ", "seed: 8 ")),
        ("a.yaml", "model.seeds.1", ("[1,2]", "[1,8]")),
        ("a.yaml", "model.seed", ("seed: 5}", "seed: 8}")),
        ("a.yaml", "train.more.0.seed", ("seed: -6", "seed: 8")),
        ("a", "last", ("last: 3", "last: 8")),
        ("a.toml", "train.seed", ("seed = 7", "seed = 8")),
        ("a.json", "b.0.seed", ('"seed": 7', '"seed": 8')),
    ],
)
def test_a_parameter_gets_another_value_and_the_rest_of_its_file_stays(
    lab: Lab, copied: Any, file: str, name: str, edit: tuple[str, str]
) -> None:
    text = {"a.toml": TOML, "a.json": '{"b": [{"seed": 7}]}'}.get(file, YAML.replace("\n", "\r\n"))
    (lab.work / file).write_bytes(text.encode())
    sha = lab.commit("Parameters")
    with copied() as (project, folder):
        was = pipeline.parameter(project, sha, file, name)
        pipeline.set_parameter(project, file, name, was)
        assert (folder / file).read_bytes().decode() == text
        pipeline.set_parameter(project, file, name, 8)
        assert pipeline.parameter(project, pipeline.WORKSPACE, file, name) == 8
        assert (folder / file).read_bytes().decode() == text.replace(*edit)
    assert (lab.work / file).read_bytes().decode() == text


@pytest.mark.parametrize(
    "text", ["seed: &s 7\nother: *s\n", "other: &s 7\nseed: *s\n", "<<: {seed: 7}\n", "seed: 0x7\n"]
)
def test_a_number_that_stands_for_more_than_itself_is_left_alone(
    lab: Lab, copied: Any, text: str
) -> None:
    lab.write("p.yaml", text)
    lab.commit("Parameters")
    with copied() as (project, folder):
        with pytest.raises(UsageError, match=r"seed in p\.yaml cannot be set alone"):
            pipeline.set_parameter(project, "p.yaml", "seed", 8)
        assert (folder / "p.yaml").read_text() == text


def test_a_value_that_is_there_already_is_not_written_again(lab: Lab, copied: Any) -> None:
    text = '{ "seed" : 7 }'
    lab.write("a.json", text)
    lab.commit("Parameters")
    with copied() as (project, folder):
        pipeline.set_parameter(project, "a.json", "seed", 7)
        assert (folder / "a.json").read_text() == text


@pytest.mark.parametrize("name", ["x", "train.x", "train.rate.x", "train.seed.0", "", "train."])
def test_a_parameter_that_is_not_there_is_told_and_not_made(copied: Any, name: str) -> None:
    with copied() as (project, folder):
        before = (folder / "params.yaml").read_text()
        for attempt in (
            lambda: pipeline.parameter(project, "HEAD", "params.yaml", name),
            lambda: pipeline.set_parameter(project, "params.yaml", name, 8),
        ):
            with pytest.raises(UsageError, match=r"params.yaml holds no "):
                attempt()
        assert (folder / "params.yaml").read_text() == before


@pytest.mark.parametrize("link", ["file", "folder"])
def test_no_file_elsewhere_is_written_to(lab: Lab, copied: Any, link: str) -> None:
    outside = lab.write("../outside/p.yaml", "seed: 7\n")
    if link == "file":
        lab.work.joinpath("p.yaml").symlink_to(outside)
    else:
        lab.work.joinpath("conf").symlink_to(outside.parent)
    lab.commit("Link")
    name = "p.yaml" if link == "file" else "conf/p.yaml"
    with copied() as (project, _), pytest.raises(UsageError, match="leads out of the project"):
        pipeline.set_parameter(project, name, "seed", 8)
    assert outside.read_text() == "seed: 7\n"


def test_a_file_that_a_stage_makes_is_no_place_for_a_seed(lab: Lab, copied: Any) -> None:
    stages = "stages:\n  make:\n    cmd: cp q.yaml p.yaml\n    deps: [q.yaml]\n    outs:\n"
    lab.write("dvc.yaml", f"{stages}    - p.yaml: {{cache: false}}\n")
    lab.write("q.yaml", "seed: 7\n")
    lab.write("p.yaml", "seed: 7\n")
    lab.commit("Make parameters")
    with copied() as (project, _), pytest.raises(UsageError, match="is made by a stage"):
        pipeline.set_parameter(project, "p.yaml", "seed", 8)


STAGE = "stages:\n  one:\n    cmd: echo {cmd} > o\n{more}    outs: [o]\n"


@pytest.mark.parametrize(
    ("cmd", "more", "steers"),
    [
        ("1", "", "no"),
        ("1", "    params: [train.rate]\n", "no"),
        ("1", "    params: [train.seed]\n    frozen: true\n", "no"),
        ("1", "    params: [train.seed]\n", "yes"),
        ("1", "    params: [train]\n", "yes"),
        ("1", "    params: [{params.yaml: null}]\n", "yes"),
        ("1", "    deps: [params.yaml]\n", "yes"),
        ("${train.seed}", "", "yes"),
    ],
)
def test_a_parameter_steers_what_its_stages_read_of_it(
    lab: Lab, copied: Any, cmd: str, more: str, steers: str
) -> None:
    lab.write("params.yaml", YAML)
    lab.write("dvc.yaml", STAGE.format(cmd=cmd, more=more))
    lab.commit("One stage")
    with copied() as (project, _):
        assert pipeline.maker(project, "o") == "one"
        assert pipeline.maker(project, "params.yaml") is None
        assert pipeline.steers(project, "one", "params.yaml", "train.seed", 8) == (steers == "yes")


def test_a_copy_has_the_storage_of_the_first_and_keeps_no_password(lab: Lab, copied: Any) -> None:
    # What is committed names a remote that is gone, and knows nothing of a cache elsewhere.
    old = "[core]\n    remote = old\n['remote \"old\"']\n    url = ../../gone\n"
    lab.write(".dvc/config", old)
    lab.commit("Another remote")
    lab.write(".dvc/config", "[cache]\n    dir = ../../cache\n")
    remotes = "['remote \"new\"']\n    url = ../../storage\n['remote \"web\"']\n"
    web = "    url = https://example.org\n    password = hunter2\n"
    lab.write(".dvc/config.local", f"[core]\n    remote = new\n{remotes}{web}")

    with copied() as (project, folder):
        found = project.repo.config
        assert found["remote"]["web"]["password"] == "hunter2"
        assert {*found["remote"]} == {"new", "web"}
        assert Path(found["cache"]["dir"]).resolve() == lab.root / "cache"
        assert Path.cwd() == folder
        assert Heard(project).reproduce("evaluate") == dict.fromkeys(
            ("prepare", "train", "evaluate"), "unchanged"
        )
        lab.write("params.yaml", "train:\n  rate: 2.0\n", cwd=folder)
        project.repo.refresh()
        assert Heard(project).reproduce("train")["train"] == "ran"
        assert project.repo.config["remote"]["web"]["password"] == "hunter2"
        files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(b"hunter2" in path.read_bytes() for path in files if path.exists())
    assert not (folder / ".dvc/cache").exists()
    assert len([*(lab.root / "cache/runs").glob("??/*/*")]) == 1
    # DVC's notes on the copy went into it.
    assert Path(project.repo.site_cache_dir) == folder / ".dvc/tmp/site"


def test_whoever_fails_in_a_copy_is_back_where_the_first_was(lab: Lab, copied: Any) -> None:
    with pytest.raises(ZeroDivisionError), copied():
        1 / 0  # noqa: B018
    assert Path.cwd() == lab.work


def test_a_revision_without_a_project_is_told(lab: Lab, opened: Any, tmp_path: Path) -> None:
    with (
        opened(lab, lab.work) as project,
        pytest.raises(UsageError, match="no DVC project"),
        pipeline.open_copy(project, tmp_path),
    ):
        pass
