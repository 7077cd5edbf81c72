from dataclasses import replace
from pathlib import Path

import pytest

from cml import config
from cml.errors import ExitCode, UsageError

DEFAULTS = config.settings({}, {}, None)
EXPECTED = "a text, a number or a list of texts is expected, not"


def from_file(text: str) -> config.Settings:
    return config.settings({}, {}, text)


def mistake(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        from_file(text)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def named(*names: str) -> config.Targets:
    return config.Targets(kind="named", names=names)


def test_a_whole_file_is_read() -> None:
    text = """\
baseline: origin/main
repro_targets: [train, "eval, uate"]
dvc_pull: all
dvc_update: a.dvc, b.dvc
metrics_diff_targets: '-'
metrics_format: 0.00
logdir: runs
fail_on: fail
tag_prefix: exp-
forge: gitlab
publish: yes
publish_as: pull-request
release: no
images: inline
jobs: 4
name: gpu
author: Ada <ada@example.org>
committer: Bot [ci] <bot@example.org>
"""
    assert from_file(text) == config.Settings(
        baseline="origin/main",
        repro_targets=named("train", "eval, uate"),
        dvc_pull=config.Targets(kind="all"),
        update=("a.dvc", "b.dvc"),
        metrics_diff_targets=config.Targets(kind="none"),
        metrics_format="0.00",
        logdir="runs",
        fail_on=("fail",),
        tag_prefix="exp-",
        forge="gitlab",
        publish=True,
        publish_as="pull-request",
        release=False,
        images="inline",
        out=Path(".cml"),
        jobs=4,
        name="gpu",
        author=config.Person(name="Ada", email="ada@example.org"),
        committer=config.Person(name="Bot [ci]", email="bot@example.org"),
    )


@pytest.mark.parametrize("written", ["1234567", "1e10000", "0123456", "2026-01-01"])
def test_a_revision_that_looks_like_a_number_stays_as_it_was_written(written: str) -> None:
    assert from_file(f"baseline: {written}").baseline == written


def test_a_key_without_a_value_is_not_given() -> None:
    assert from_file("baseline:\njobs: null\n") == DEFAULTS


@pytest.mark.parametrize("written", ["''", "','", "[]", "['']"])
def test_an_empty_list_in_the_file_is_a_mistake(written: str) -> None:
    error = mistake(f"repro_targets: {written}")
    assert error.message == "cml.yaml:1:16: repro_targets: a name is missing; `-` stands for none"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("metrics_formt: 0\n", "1:1: unknown key 'metrics_formt'",
         "did you mean 'metrics_format'?"),
        ("\njobs: 1\nMetrics-Format: 0\n", "3:1: unknown key 'Metrics-Format'",
         "did you mean 'metrics_format'?"),
        ("update: a\n", "1:1: unknown key 'update'", "did you mean 'dvc_update'?"),
        ("zzz: 1\n", "1:1: unknown key 'zzz'", "the keys are baseline, repro_targets, "),
        ("out: x\n", "1:1: unknown key 'out'", "it can be given as --out or as CML_OUT only"),
        ("Repo-Token: x\n", "1:1: unknown key 'Repo-Token'", "a token comes from the environment"),
        ("<<: {jobs: 1}\n", "1:1: unknown key '<<'", "the keys are "),
        ("[jobs]: 1\n", "1:1: unknown key '[...]'", "the keys are "),
        ('"a\\n::error::": 1\n', "1:1: unknown key 'a\\n::error::'", "the keys are "),
        ("jobs: 1\nname: a\njobs: 2\n", "3:1: jobs is given twice, first in line 1",
         "keep one of them"),
        ("- jobs\n", "1:1: keys with values are expected", "write one `key: value` on each line"),
        ("just a text\n", "1:1: keys with values are expected", "write one `key: value`"),
        ("jobs: [1, 2]\n", "1:7: jobs: one value is expected, not a list", "How many"),
        ("name: {a: b}\n", f"1:7: name: {EXPECTED} a mapping", "quote it"),
        ("name: true\n", f"1:7: name: {EXPECTED} true", "quote it"),
        ("dvc_pull: [a, true]\n", f"1:11: dvc_pull: {EXPECTED} true", "quote it"),
        ("name: !secret x\n", f"1:7: name: {EXPECTED} the tag !secret", "quote it"),
        ("repro_targets:\n  - [a]\n", f"2:3: repro_targets: {EXPECTED} a sequence", "quote it"),
        ("repro_targets:\n  -\n", f"2:3: repro_targets: {EXPECTED} nothing", "quote it"),
        ("dvc_pull: -\n", "1:11: not valid YAML: ", "quote special characters, as in '-'"),
        ("jobs: 1\nname: [a\n", "3:1: not valid YAML: expected ',' or ']'", "write one"),
        ("name: a: b\n", "1:8: not valid YAML: mapping values are not allowed", "write one"),
        ("jobs: 1\nname: a\x00b\n", "2:8: not valid YAML: the character U+0000 is not allowed",
         "write one"),
        ("jobs: 1\n---\nname: a\n", "2:1: not valid YAML: ", "write one"),
        ("jobs: *nope\n", "1:7: not valid YAML: found undefined alias 'nope'", "write one"),
        ("name: " + "[" * 5000, "1:1: not valid YAML: ", "write one"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named_with_its_line_and_what_to_do(
    text: str, message: str, hint: str
) -> None:
    error = mistake(text)
    assert error.message.startswith(f"cml.yaml:{message}")
    assert hint in (error.hint or "")
    assert "\n" not in error.message


def test_the_file_is_called_what_the_caller_calls_it() -> None:
    with pytest.raises(UsageError, match=r"^sub/cml\.yaml:1:1: unknown key 'x'"):
        config.settings({}, {}, "x: 1", filename="sub/cml.yaml")


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    assert from_file("\ufeffjobs: 2\r\nname: a\r\n") == replace(DEFAULTS, jobs=2, name="a")
