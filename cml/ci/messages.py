"""What a commit message asks for, and the message of our own result commits; pure text."""

import re
from collections.abc import Iterator

_MARKER = re.compile(
    r"\[(?:ci skip|skip ci|no ci|skip actions|actions skip)\]", re.IGNORECASE | re.ASCII
)
_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:(.*)", re.DOTALL)
_GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")
_SUBJECT = re.compile(r"cml-run: results of ([0-9a-f]{4,64}) \[ci skip\]")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BLANK = " \t\r\n"


def skip_reason(message: str) -> str | None:
    """Tell why a commit wants no run; None where it wants one.

    Seen are results of our own, the markers `[ci skip]`, `[skip ci]`, `[no ci]`,
    `[skip actions]` and `[actions skip]` anywhere in the message, and the trailer
    `skip-checks: true`, in any capitalisation: those of
    https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs.

    Returns:
        A fragment of a sentence that names what was found, without a full stop.
    """
    source = is_result(message)
    if source:
        return f"the commit holds the results of {source[:7]}"
    marker = _MARKER.search(message)
    if marker:
        return f"the commit message says {marker[0]}"
    if ("skip-checks", "true") in (
        (key.lower(), value.lower()) for key, value in _trailers(message)
    ):
        return "the commit message has the trailer skip-checks: true"
    return None


def result_message(source_sha: str, short: str) -> str:
    """Write the message of a commit that holds results.

    Args:
        source_sha: the full sha of the commit whose pipeline was run: 40 or 64 hex digits.
        short: its abbreviation, at least 4 digits.

    Raises:
        ValueError: `source_sha` is no sha, or `short` does not abbreviate it.
    """
    message = f"cml-run: results of {short} [ci skip]\n\nCml-Source: {source_sha}\n"
    if is_result(message) != source_sha:
        raise ValueError(f"{short!r} does not abbreviate a full sha {source_sha!r}")
    return message


def is_result(message: str) -> str | None:
    """Return the source sha of a result commit of our own; None for all other commits."""
    subject = _SUBJECT.fullmatch(message.partition("\n")[0].rstrip(_BLANK))
    sources = {value for key, value in _trailers(message) if key == "Cml-Source"}
    if not subject or len(sources) != 1:
        return None
    source = sources.pop()
    return source if _SHA.fullmatch(source) and source.startswith(subject[1]) else None


def _trailers(message: str) -> list[tuple[str, str]]:
    """Read the trailers by the rules of git-interpret-trailers: a block at the message's end."""
    block, foreign = _trailer_block(message)
    found = [(line, _TRAILER.fullmatch(line)) for line in block]
    prose = [line for line, match in found if not match and not line.startswith(_GENERATED)]
    generated = any(line.startswith(_GENERATED) for line, _ in found)
    foreign += sum(1 + line.count("\n") for line in prose)
    if foreign and not (generated and 3 * (len(found) - len(prose)) >= foreign):
        return []
    return [(match[1], match[2].strip(_BLANK)) for _, match in found if match]


def _trailer_block(message: str) -> tuple[list[str], int]:
    """The lines of the last paragraph, continuations joined; the first one is the title.

    The number is that of continuations below a comment, which continue nothing.
    """
    lines = list(_uncommented(message))
    while lines and not lines[-1][0].strip(_BLANK):
        lines.pop()
    blanks = [number for number, (line, _) in enumerate(lines) if not line.strip(_BLANK)]
    block: list[str] = []
    foreign = 0
    for line, loose in lines[blanks[-1] + 1 :] if blanks else []:
        if block and loose:
            foreign += 1
        elif block and line[0] in _BLANK:
            block[-1] += "\n" + line
        else:
            block.append(line)
    return block, foreign


def _uncommented(message: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines that are no comments, each with whether it continues what a comment cut."""
    loose = False
    for line in message.split("\n"):
        if line.startswith("#"):
            loose = True
            continue
        loose = loose and line[:1] in _BLANK
        yield line, loose
