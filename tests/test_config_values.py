import re
import string
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cml import config
from cml.errors import ExitCode, UsageError

ONE_LINE = "one line without control characters is expected, not"


def from_flags(**flags: object) -> config.Settings:
    return config.settings(flags, {}, None)


def from_environ(**environ: str) -> config.Settings:
    return config.settings({}, environ, None)


def mistake(
    flags: dict[str, object] | None = None, environ: dict[str, str] | None = None
) -> UsageError:
    with pytest.raises(UsageError) as caught:
        config.settings(flags or {}, environ or {}, None)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def named(*names: str) -> config.Targets:
    return config.Targets(kind="named", names=names)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a", ("a",)),
        ("a,b", ("a", "b")),
        ("a b", ("a", "b")),
        (" a,, b ,\n c\r\n", ("a", "b", "c")),
        ("b,a,b", ("b", "a")),
        ("dir/data é.dvc", ("dir/data", "é.dvc")),
        ("train@gpu:x", ("train@gpu:x",)),
    ],
)
def test_lists_are_split_on_commas_and_spaces(written: str, meant: tuple[str, ...]) -> None:
    assert from_environ(repro_targets=written).repro_targets == named(*meant)
    assert from_flags(update=written).update == meant


def test_a_list_flag_may_be_given_many_times() -> None:
    assert from_flags(dvc_pull=("a,b", "c")).dvc_pull == named("a", "b", "c")


NAMES = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1
).filter(lambda name: name not in {"-", "all"})


@given(
    names=st.lists(NAMES, min_size=1, unique=True),
    separators=st.lists(st.text(", \t\n", min_size=1), min_size=1),
)
def test_any_names_between_any_separators_come_back(
    names: list[str], separators: list[str]
) -> None:
    between = [separators[number % len(separators)] for number in range(len(names))]
    written = "".join(a + b for a, b in zip(between, names, strict=True)) + between[0]
    assert from_environ(CML_DVC_PULL=written).dvc_pull == named(*names)


def test_a_dash_skips_and_only_a_pull_knows_all() -> None:
    skipped = config.Targets(kind="none")
    found = from_environ(repro_targets="-", dvc_pull="-", metrics_diff_targets="-", dvc_update="-")
    assert (found.repro_targets, found.dvc_pull, found.metrics_diff_targets) == (skipped,) * 3
    assert found.update == ()
    assert from_flags(dvc_pull="all").dvc_pull == config.Targets(kind="all")
    assert from_flags(repro_targets="all").repro_targets == named("all")


@pytest.mark.parametrize("written", ["-,a", "a -", "all,a"])
def test_a_word_that_stands_for_all_or_none_stands_alone(written: str) -> None:
    error = mistake(flags={"dvc_pull": written})
    assert re.fullmatch(r"--dvc-pull: `(-|all)` stands alone, without other names", error.message)


YES_AND_NO = {"true": True, "1": True, "yes": True, "on": True}
YES_AND_NO |= {"false": False, "0": False, "no": False, "off": False}


@pytest.mark.parametrize(("written", "meant"), YES_AND_NO.items())
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_a_yes_and_a_no_are_known_in_any_capitalisation(
    written: str, meant: object, case: Callable[[str], str]
) -> None:
    assert from_environ(CML_PUBLISH=case(written)).publish is meant
    for text in (case(written), f"'{case(written)}'"):
        assert config.settings({}, {}, f"publish: {text}").publish is meant


@pytest.mark.parametrize(
    ("variable", "written", "message"),
    [
        ("CML_PUBLISH", "maybe", "true or false is expected, not 'maybe'"),
        ("CML_JOBS", "0", "a whole number of at least 1 is expected, not '0'"),
        ("CML_JOBS", "-1", "a whole number of at least 1 is expected, not '-1'"),
        ("CML_JOBS", "1.5", "a whole number of at least 1 is expected, not '1.5'"),
        ("CML_JOBS", "٣", "a whole number of at least 1 is expected, not '٣'"),
        ("CML_BASELINE", "--all", "a revision does not begin with `-`: '--all'"),
        ("CML_BASELINE", "a\nb", "one line without control characters is expected, not 'a\\nb'"),
        ("repro_targets", "a\x1b[1m", f"{ONE_LINE} 'a\\x1b[1m'"),
        ("metrics_format", "0\x000", f"{ONE_LINE} '0\\x000'"),
        ("CML_OUT", ".", "a folder of its own is expected, not '.'"),
        ("CML_OUT", "a/..", "a folder of its own is expected, not 'a/..'"),
        ("CML_OUT", "/", "a folder of its own is expected, not '/'"),
        ("CML_AUTHOR", "Ada", "`Name <mail@host>` is expected, not 'Ada'"),
        ("CML_AUTHOR", "<a@b>", "`Name <mail@host>` is expected, not '<a@b>'"),
        ("CML_AUTHOR", ".;. <a@b>", "`Name <mail@host>` is expected, not '.;. <a@b>'"),
        ("CML_COMMITTER", "Ada <ada>", "`Name <mail@host>` is expected, not 'Ada <ada>'"),
        ("CML_COMMITTER", "A <a@b> <c@d>", "`Name <mail@host>` is expected, not 'A <a@b> <c@d>'"),
        ("tag_prefix", "a b", "git allows no ' ' there in a tag's name: 'a b'"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named_with_what_was_expected(
    variable: str, written: str, message: str
) -> None:
    error = mistake(environ={variable: written})
    assert error.message == f"{variable}: {message}"
    assert error.hint


def test_a_wrong_flag_is_named() -> None:
    assert mistake(flags={"jobs": 0}).message.startswith("--jobs: a whole number of at least 1")
    assert mistake(flags={"baseline": ""}).message == (
        "--baseline: a text is expected, and it is empty"
    )


@pytest.mark.parametrize("name", ["", "a\nb", "a --> b", "<!--", "n" * 101, "a\u200bb"])
def test_a_name_that_could_break_a_comment_or_a_status_is_refused(name: str) -> None:
    error = mistake(flags={"name": name})
    assert error.message.startswith("--name: one line of 1 to 100 printable characters without <")


def test_names_in_any_script_are_kept() -> None:
    assert from_flags(name=" modèle 模型 (gpu) ").name == "modèle 模型 (gpu)"
    assert from_flags(name="n" * 100).name == "n" * 100


PIECES = st.sampled_from(
    [*string.ascii_letters, *string.punctuation, " ", "\t", "\x7f", "é", "..", "@{", ".lock", "//"]
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(prefix=st.lists(PIECES, min_size=1, max_size=6).map("".join))
@example(prefix="@")
@example(prefix="v/.x")
@example(prefix="a.lock/")
@example(prefix="refs/tags/")
def test_a_tag_prefix_is_refused_exactly_when_git_refuses_its_tags(prefix: str) -> None:
    prefix = prefix.strip() or "x"
    ref = f"refs/tags/{prefix}1234567"
    allowed = subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0
    if allowed and not prefix.startswith("-"):
        assert from_flags(tag_prefix=prefix).tag_prefix == prefix
    else:
        assert mistake(flags={"tag_prefix": prefix}).message.startswith("--tag-prefix: ")


def test_a_tag_prefix_too_long_for_a_file_name_is_refused() -> None:
    assert from_flags(tag_prefix="é" * 100).tag_prefix == "é" * 100
    error = mistake(flags={"tag_prefix": "é" * 101})
    assert error.message == "--tag-prefix: at most 200 bytes are expected, not 202"


def test_an_empty_tag_prefix_turns_the_files_off() -> None:
    assert config.settings({"tag_prefix": ""}, {}, "tag_prefix: exp-").tag_prefix is None
