import dataclasses
import re
from pathlib import Path

import pytest

from cml import config
from cml.errors import ExitCode, UsageError

PERSON = config.Person(name="cml-run", email="cml-run@localhost")
DEFAULTS = config.Settings(
    baseline="auto",
    repro_targets=config.Targets(kind="default"),
    dvc_pull=config.Targets(kind="default"),
    update=(),
    metrics_diff_targets=config.Targets(kind="default"),
    metrics_format="0[.][0000000]",
    logdir=None,
    fail_on=("fail", "inconclusive", "invalid"),
    tag_prefix=None,
    forge=None,
    publish=None,
    publish_as="push",
    release=None,
    images="auto",
    out=Path(".cml"),
    jobs=1,
    name="cml-run",
    author=PERSON,
    committer=PERSON,
)


def test_nothing_given_means_the_defaults() -> None:
    assert config.settings({}, {}, None) == DEFAULTS
    assert config.settings({}, {}, "") == DEFAULTS
    assert config.settings({}, {}, "# a comment\n") == DEFAULTS


def test_the_settings_are_the_options_and_nothing_else() -> None:
    fields = [field.name for field in dataclasses.fields(config.Settings)]
    assert fields == [option.name for option in config.OPTIONS]


def test_no_two_options_share_a_place() -> None:
    for place in ("flag", "env", "bare", "key"):
        used = [getattr(option, place) for option in config.OPTIONS if getattr(option, place)]
        assert len(used) == len(set(used))


def test_only_a_bool_has_a_flag_that_says_no() -> None:
    flags = {option.name: option.flags for option in config.OPTIONS}
    assert flags["publish"] == ("--publish", "--no-publish")
    assert flags["jobs"] == ("--jobs",)
    assert flags["author"] == ()


EVERYWHERE: dict[str, tuple[dict[str, object], dict[str, str], str | None]] = {
    "flag": ({"baseline": "from-flag"}, {}, None),
    "env": ({}, {"CML_BASELINE": "from-env"}, None),
    "bare": ({}, {"baseline": "from-bare"}, None),
    "file": ({}, {}, "baseline: from-file"),
}


@pytest.mark.parametrize("first", range(4))
def test_flag_beats_variable_beats_bare_variable_beats_file(first: int) -> None:
    places = list(EVERYWHERE)[first:]
    flags: dict[str, object] = {}
    environ: dict[str, str] = {}
    text = None
    for place in places:
        more_flags, more_environ, more_text = EVERYWHERE[place]
        flags, environ, text = flags | more_flags, environ | more_environ, text or more_text
    assert config.settings(flags, environ, text).baseline == f"from-{places[0]}"


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_an_empty_variable_counts_as_not_set(nothing: str) -> None:
    environ = {
        name: nothing for option in config.OPTIONS for name in (option.env, option.bare) if name
    }
    assert config.settings({}, environ, None) == DEFAULTS
    environ["baseline"] = "v1"
    assert config.settings({}, environ, None).baseline == "v1"


def test_flags_that_were_not_given_decide_nothing() -> None:
    flags: dict[str, object] = {option.name: None for option in config.OPTIONS}
    flags["update"] = ()
    assert config.settings(flags, {"CML_JOBS": "3"}, None).jobs == 3
    assert config.settings(flags, {}, None) == DEFAULTS


def test_a_flag_that_says_no_beats_a_variable_that_says_yes() -> None:
    assert config.settings({"publish": False}, {"CML_PUBLISH": "true"}, None).publish is False


def test_bare_variables_of_no_2020_option_are_left_alone() -> None:
    ours = {"name": "x", "jobs": "9", "out": "y", "publish": "true", "author": "z", "update": "q"}
    assert config.settings({}, ours, None) == DEFAULTS


def test_a_flag_that_is_no_option_is_a_bug_of_the_caller() -> None:
    with pytest.raises(TypeError, match="metric_format"):
        config.settings({"metric_format": "0"}, {}, None)


def test_a_wrong_value_in_the_file_is_named_with_its_line_even_where_a_flag_wins() -> None:
    with pytest.raises(UsageError) as caught:
        config.settings({"jobs": 2}, {}, "name: a\njobs: many\n")
    assert caught.value.exit_code == ExitCode.USAGE
    assert caught.value.message == (
        "cml.yaml:2:7: jobs: a whole number of at least 1 is expected, not 'many'"
    )


def test_a_committer_is_the_author_unless_it_is_given() -> None:
    ada = config.Person(name="Ada", email="ada@example.org")
    environ = {"CML_AUTHOR": "Ada <ada@example.org>"}
    assert config.settings({}, environ, None).committer == ada
    both = config.settings({}, environ, "committer: Bob <b@example.org>")
    assert (str(both.author), str(both.committer)) == (
        "Ada <ada@example.org>",
        "Bob <b@example.org>",
    )


def test_every_line_of_the_template_is_valid_once_uncommented() -> None:
    template = config.template()
    assert config.settings({}, {}, template) == DEFAULTS
    keys = [option.key for option in config.OPTIONS if option.key]
    lines = [line for line in template.splitlines() if re.match(r"# [a-z_]+: ", line)]
    assert [line[2:].partition(":")[0] for line in lines] == keys
    for line, option in zip(
        lines, [option for option in config.OPTIONS if option.key], strict=True
    ):
        found = config.settings({}, {}, line[2:])
        given = getattr(found, option.name) == getattr(DEFAULTS, option.name)
        assert given is (option.default is not None or option.name == "committer"), line
    assert all(len(line) <= 100 for line in template.splitlines())


def test_the_table_has_a_row_for_the_token_and_for_every_option() -> None:
    rows = config.markdown_table().splitlines()
    assert {row.count("|") for row in rows} == {7}
    assert len(rows) == 2 + 1 + len(config.OPTIONS)
    assert "`CML_REPO_TOKEN` | `repo_token` | - | `GITHUB_TOKEN`, `GITLAB_TOKEN`" in rows[2]
    publish = next(row for row in rows if "CML_PUBLISH" in row)
    assert publish.startswith(
        "| `--publish / --no-publish` | `CML_PUBLISH` | - | `publish` | in CI yes, from a shell no "
    )
    assert any(row.startswith("| `--baseline REV` | `CML_BASELINE` | `baseline` ") for row in rows)


def test_the_first_token_that_is_not_empty_is_taken() -> None:
    names = ["CML_REPO_TOKEN", "repo_token", "GITHUB_TOKEN", "GITLAB_TOKEN"]
    environ = {name: f"from {name}" for name in names}
    for name in names:
        assert config.token(environ) == f"from {name}"
        environ[name] = " "
    assert config.token(environ) is None
    assert config.token({}) is None
    assert config.token({"CI_JOB_TOKEN": "x", "GH_TOKEN": "y"}) is None


def test_a_token_pasted_with_a_newline_loses_it() -> None:
    assert config.token({"repo_token": "glpat-x\n"}) == "glpat-x"


def test_every_variable_that_a_token_is_read_from_is_hidden_from_stages() -> None:
    sources = {"CML_REPO_TOKEN", "repo_token", "GITHUB_TOKEN", "GITLAB_TOKEN"}
    forges = {"GH_TOKEN", "CI_JOB_TOKEN", "CI_REPOSITORY_URL", "ACTIONS_RUNTIME_TOKEN"}
    assert sources | forges <= config.TOKEN_NAMES
    assert not config.TOKEN_NAMES & {"CI", "PATH", "CI_COMMIT_SHA", "AWS_SESSION_TOKEN"}
