import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cml import ci

SHA = "0123456789abcdef0123456789abcdef01234567"
MARKERS = ["[ci skip]", "[skip ci]", "[no ci]", "[skip actions]", "[actions skip]"]

PROSE = st.text(st.characters(exclude_characters="[]:", exclude_categories=["Cs"]))


@given(
    before=PROSE,
    marker=st.sampled_from(MARKERS),
    capitals=st.lists(st.booleans(), min_size=20, max_size=20),
    after=PROSE,
)
def test_a_marker_skips_anywhere_in_any_capitalisation(
    before: str, marker: str, capitals: list[bool], after: str
) -> None:
    written = "".join(
        letter.upper() if capital else letter
        for letter, capital in zip(marker, capitals, strict=False)
    )
    reason = ci.skip_reason(before + written + after)
    assert reason == f"the commit message says {written}"


@given(PROSE)
@example("")
@example("Teach the model to skip ci")
def test_a_message_without_marker_and_trailer_is_run(message: str) -> None:
    assert ci.skip_reason(message) is None


@pytest.mark.parametrize(
    "message", ["[skip  ci]", "[skip-ci]", "[skip\nci]", "[ci skip", "skip ci]", "[\u017fkip ci]"]
)
def test_what_only_looks_like_a_marker_is_run(message: str) -> None:
    assert ci.skip_reason(message) is None


@pytest.mark.parametrize(
    "message",
    [
        "Title\n\nskip-checks: true\n",
        "Title\n\n\nskip-checks:true",
        "Title\r\n\r\nSkip-Checks : TRUE\r\n\r\n",
        "Title\n\nBody.\n\nSigned-off-by: A <a@b>\nskip-checks: true\nCo-authored-by: B <b@b>\n",
        "Title\n\nBody.\n\nprose\nSigned-off-by: A <a@b>\nskip-checks: true\n",
        "# 12\n\nskip-checks: true\n# a comment\n",
    ],
)
def test_the_trailer_skips(message: str) -> None:
    assert ci.skip_reason(message) == "the commit message has the trailer skip-checks: true"


@pytest.mark.parametrize(
    "message",
    [
        "skip-checks: true",
        "Title\nskip-checks: true\n",
        "Title\n\nskip-checks: true\n\nBut then came more.\n",
        "Title\n\nI wonder what\nskip-checks: true\ndoes.\n",
        "Title\n\nskip-checks: false\n",
        "Title\n\nskip-checks: true story\n",
        "Title\n\n skip-checks: true\n",
        "Title\n\nKey: value\n skip-checks: true\n",
    ],
)
def test_what_is_no_trailer_is_run(message: str) -> None:
    assert ci.skip_reason(message) is None


LINES = st.sampled_from(
    [
        "",
        "  ",
        "skip-checks: true",
        "Skip-Checks:TRUE",
        "Signed-off-by: A <a@b>",
        "(cherry picked from commit 1234567)",
        "Key: value",
        "Key : value",
        "two words: value",
        "prose",
        " more",
        "# comment",
    ]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(LINES, max_size=8))
@example(["Title", "", "prose", "prose", "prose", "Signed-off-by: A <a@b>", "skip-checks: true"])
@example(["Title", "", *["prose"] * 6, "(cherry picked from commit 1)", "skip-checks: true"])
@example(["Title", "", *["prose"] * 7, "Signed-off-by: A <a@b>", "skip-checks: true"])
@example(["Title", "", "prose", *[" more"] * 6, "Signed-off-by: A <a@b>", "skip-checks: true"])
@example(["", "skip-checks: true", "# comment", " more", "skip-checks: true"])
@example(["Title", "", "skip-checks: true", "# comment", " more", "Signed-off-by: A <a@b>"])
def test_trailers_are_where_git_sees_them(lines: list[str]) -> None:
    message = "".join(f"{line}\n" for line in lines)
    seen = subprocess.run(
        ["git", "interpret-trailers", "--parse", "--no-divider"],
        input=message,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    skips = "skip-checks: true" in seen.lower().splitlines()
    assert (ci.skip_reason(message) is not None) is skips


SHAS = st.sampled_from([40, 64]).flatmap(
    lambda size: st.text("0123456789abcdef", min_size=size, max_size=size)
)


@given(sha=SHAS, length=st.integers(4, 40))
def test_a_result_message_is_read_back(sha: str, length: int) -> None:
    message = ci.result_message(sha, sha[:length])
    assert ci.is_result(message) == sha
    assert message.splitlines()[0] == f"cml-run: results of {sha[:length]} [ci skip]"
    assert ci.skip_reason(message) == f"the commit holds the results of {sha[:7]}"


def test_trailers_that_others_add_do_not_hide_a_result() -> None:
    message = ci.result_message(SHA, SHA[:7]) + "Change-Id: I1\nSigned-off-by: A <a@b>\n"
    assert ci.is_result(message) == SHA
    assert ci.is_result(message.replace("\n", "\r\n")) == SHA


@pytest.mark.parametrize(
    "message",
    [
        "",
        "cml-run: results of 0123456 [ci skip]\n",
        f"Merge results\n\nCml-Source: {SHA}\n",
        f"cml-run: results of 7777777 [ci skip]\n\nCml-Source: {SHA}\n",
        f"cml-run: results of 0123456 [ci skip]\n\nCml-Source: {SHA[:12]}\n",
        f"cml-run: results of 0123456 [ci skip]\nCml-Source: {SHA}\n",
        f"cml-run: results of 0123456 [ci skip]\n\nCml-Source: {SHA}\n\nMore prose.\n",
        f"cml-run: results of 0123456 [ci skip]\n\nCml-Source: {SHA}\nCml-Source: {'0' * 40}\n",
        f'Revert "cml-run: results of 0123456 [ci skip]"\n\nCml-Source: {SHA}\n',
    ],
)
def test_other_commits_hold_no_results(message: str) -> None:
    assert ci.is_result(message) is None


@pytest.mark.parametrize(
    ("sha", "short"), [(SHA, "7777777"), (SHA[:20], SHA[:7]), (SHA, ""), (SHA + "\n", SHA[:7])]
)
def test_a_result_message_is_not_written_for_what_is_no_sha(sha: str, short: str) -> None:
    with pytest.raises(ValueError, match="does not abbreviate"):
        ci.result_message(sha, short)
