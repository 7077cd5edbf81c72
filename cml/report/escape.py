"""Untrusted text made harmless in markdown, Mermaid and a terminal; knows nothing of records.

Every function here takes text that an attacker may have chosen. Code spans do most of the work:
neither GitHub nor GitLab looks for mentions, references, emoji, math or HTML inside them.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

CELL = 200
PARAGRAPH = 2000
LINE = 500
JOINER = "\u2060"

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_BACKTICKS = re.compile(r"`+")
# A span that touches a word could merge with the span that the word becomes.
_SPAN = re.compile(r"(?:^|(?<=\s)|(?<=\s\())`([^`]+)`(?=[),.;:!?]*(?:\s|$))")
_WORD = re.compile(r"""([("']*)(.*?)([)"',.;:!?]*)""", re.DOTALL)
_PLAIN_WORD = re.compile(r"""[\w./%=+,:;'"()\u0080-\U0010ffff-]*""")
_MARKED = re.compile(
    r"""://|::|(?i:www\.)"""
    r"""|^/"""  # GitLab quick actions
    r"""|(?<![^\W_])_|_(?![^\W_])"""  # emphasis
    r"""|:[\w+-]+:"""  # emoji
    r"""|%["\w]"""  # GitLab milestones
    r"""|\b(?:(?i:gh)|[A-Z][A-Z0-9]+)-\d"""  # GH-1, and the issues of other trackers
)
_OPERATORS = {"<": "&lt;", "<=": "&lt;=", ">": "&gt;", ">=": "&gt;=", "!=": "!=", "->": "-&gt;"}
_BLOCK_START = re.compile(r"(?:[-+]|\d{1,9}[.)])(?:\s|$)|-[\s-]*$")
_FIGURE = re.compile(
    r"[-+(]{0,2}\.?\d[\d.,:]*(?:[eE][-+]?\d+)?[A-Za-z%]{0,3}\)?(?: [A-Za-z%]{1,3})?|—|[a-z]+"
)
_COMMAND_LINE = re.compile(r"\s*(?:/[A-Za-z_]+(?:\s|$)|::)")


def visible(text: str, limit: int = CELL) -> str:
    r"""Return `text` on one line, at most `limit` characters, with nothing in it invisible.

    Control, bidirectional, zero-width and unpaired surrogate characters appear as Python writes
    them (`\n`, `\u202e`); the two joiners that scripts and emoji need stay. `##[`, which starts a
    workflow command anywhere in a line of a GitHub log, is broken by a word joiner.
    """
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(map(_shown, text))
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text.replace("##[", f"##{JOINER}[")


def _shown(char: str) -> str:
    if char.isprintable() or char in "\u200c\u200d":
        return char
    return char.encode("unicode_escape").decode("ascii")


def code(text: str, limit: int = CELL) -> str:
    """Return `text` as a markdown code span; the empty text as a pair of quotes."""
    text = visible(text, limit) or '""'
    if "`" not in text:
        # Markdown takes one space off each side, unless there is nothing but spaces.
        return f"` {text} `" if text[0] == text[-1] == " " and text.strip() else f"`{text}`"
    fence = _fence(text, at_least=1)
    return f"{fence} {text} {fence}"


def prose(text: str, limit: int = PARAGRAPH) -> str:
    """Return a sentence as markdown that stays a sentence.

    Parts in single backticks stay code. A word that a forge could take for markup, a link, a
    mention or a reference becomes code; line breaks become spaces.
    """
    text = " ".join(text[: 2 * limit].split())
    parts = _SPAN.split(text if len(text) <= limit else f"{text[: limit - 1]}…")
    for index, part in enumerate(parts):
        parts[index] = code(part, limit) if index % 2 else " ".join(map(_word, part.split(" ")))
    line = "".join(parts)
    return JOINER + line if _BLOCK_START.match(line) else line


def _word(word: str) -> str:
    if word.isprintable() and _PLAIN_WORD.fullmatch(word) and not _MARKED.search(word):
        return word
    if word in _OPERATORS:
        return _OPERATORS[word]
    match = _WORD.fullmatch(word)
    before, core, after = match.groups() if match else ("", word, "")
    return f"{before}{code(core, PARAGRAPH)}{after}" if core else word


def figure(text: str) -> str:
    """Return the text of a number as markdown: as it is when it is plain, else as a sentence."""
    return text if _FIGURE.fullmatch(text) and len(text) <= CELL else prose(text, CELL)


def cell(markdown: str) -> str:
    """Return inline markdown of this room for use between the pipes of a table."""
    return markdown.replace("|", "\\|")


def output(text: str) -> list[str]:
    """Return the lines of a program's output as a terminal would leave them, without colours.

    Of a line that was overwritten (a progress bar) the last state stays.
    """
    lines = _ANSI.sub("", text).expandtabs(4).replace("\r\n", "\n").rstrip().split("\n")
    states = ([state for state in line.split("\r") if state] for line in lines)
    return [visible(seen[-1], LINE) if seen else "" for seen in states]


def fenced(lines: Iterable[str]) -> tuple[str, list[str]]:
    """Return a fence that no line closes, and the lines to put between two of it.

    A line that GitLab could take for a quick action, or a CI log for a workflow command, starts
    with a word joiner.
    """
    safe = [JOINER + line if _COMMAND_LINE.match(line) else line for line in lines]
    return _fence("\n".join(safe), at_least=3), safe


def _fence(text: str, at_least: int) -> str:
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(at_least, longest + 1)


def terminal(text: str, limit: int = CELL) -> str:
    """Return `text` on one line for a terminal, without colours and other escape sequences."""
    return log(visible(_ANSI.sub("", text[: 2 * limit]), limit))


def log(line: str) -> str:
    """Return a line for a terminal that may be a CI log: no `::` that starts a command."""
    return line.replace("::", f":{JOINER}:")


def address(url: str) -> str | None:
    """Return `url` fit for a markdown link, or None when it is not http, https or host-relative."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    relative = not parts.scheme and not parts.netloc and url.startswith("/")
    if not relative and (parts.scheme not in {"http", "https"} or not parts.netloc):
        return None
    return quote(url, safe=":/?#@!$&*+,;=%~-._", errors="replace").replace("&", "&amp;")


def file_address(path: str) -> str:
    """Return a file's path as a relative link."""
    return quote(path.lstrip("/"), safe="/-._~", errors="replace")
