"""The table of options as documents: the README's table and a commented cml.yaml."""

from cml.config import tokens
from cml.config.options import OPTIONS, Option

_WIDTH = 96
_HEADER = """\
# The settings of cml-run. Each line shows the default, or an example where that is no value:
# take away the `# ` in front of what you want to change. A lone - needs quotes here: '-'.
# Flags and variables win over this file.
"""
_CHECKS = """\
# Checks that decide the verdict. A pull request is judged by those of its baseline.
# checks:
#   metrics:accuracy:
#     target: 0.9..
#     direction: higher
#     max-drop: 0.01
"""


def markdown_table() -> str:
    """Write the table of all options, and of the token, in Markdown; it ends with a newline."""
    bare, *others = tokens.SOURCES[1:]
    rows = [
        ("flag", "variable", "bare variable", "cml.yaml", "default", "meaning"),
        ("---",) * 6,
        (
            "(environment only)",
            f"`{tokens.SOURCES[0]}`",
            f"`{bare}`",
            "-",
            ", ".join(f"`{name}`" for name in others),
            "The forge's token: never a flag, never in a URL, an argument or a log.",
        ),
        *(_row(option) for option in OPTIONS),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def template() -> str:
    """Write a cml.yaml in which every setting is explained and commented out."""
    return "\n".join([_HEADER, *(_entry(option) for option in OPTIONS if option.key), _CHECKS])


def _row(option: Option) -> tuple[str, ...]:
    flags = " / ".join(option.flags)
    metavar = f" {option.metavar}" if option.metavar else ""
    return (
        _code(flags and flags + metavar),
        _code(option.env),
        _code(option.bare),
        _code(option.key),
        option.otherwise or _code(option.default),
        option.help,
    )


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "-"


def _entry(option: Option) -> str:
    import textwrap

    otherwise = f" Default: {option.otherwise}." if option.otherwise else ""
    prose = textwrap.wrap(
        option.help + otherwise, _WIDTH, break_on_hyphens=False, break_long_words=False
    )
    example = option.example if option.default is None else option.default
    return "".join(f"# {line}\n" for line in [*prose, f"{option.key}: {example}"])
