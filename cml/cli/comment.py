"""`cml-run comment`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cml.cli import job, options
from cml.errors import UsageError

if TYPE_CHECKING:
    from cml.forges.base import Subject

EPILOG = """\b
Examples:
  cml-run comment report.md
  echo "# All is well" | cml-run comment - --pr 7 --name greeting
"""
NAME = "comment"


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--pr", metavar="N", type=click.IntRange(1), help="Comment on this pull request.")
@click.option("--commit", metavar="SHA", help="Comment on this commit.")
@click.option("--issue", metavar="N", type=click.IntRange(1), help="Comment on this issue.")
@options.only("forge", "images", "name")
def command(
    *, file: Path, pr: int | None, commit: str | None, issue: int | None, **flags: Any
) -> None:
    """Show a Markdown file as a comment, in place of the earlier one of the same --name.

    Local pictures in it are hosted. Without --pr, --commit or --issue it goes to the pull request
    of the branch, or else to the commit. Without --name it is called `comment`.
    """
    from cml.commands import comment

    subject = _subject(pr, commit, issue)
    settings, around = job.gather({**flags, "name": flags["name"] or NAME, "publish": True})
    around = replace(around, forge=job.forge(settings, around.context, around.token))
    text, folder = _text(file)
    for url in comment.comment(settings, around, text, folder=folder, subject=subject):
        click.echo(url)


def _subject(pr: int | None, commit: str | None, issue: int | None) -> Subject | None:
    from cml.forges.base import Subject

    given = [
        *([Subject(kind="pull request", id=str(pr))] if pr else []),
        *([Subject(kind="commit", id=commit)] if commit else []),
        *([Subject(kind="issue", id=str(issue))] if issue else []),
    ]
    if len(given) > 1:
        raise click.UsageError("one of --pr, --commit and --issue is enough")
    return given[0] if given else None


def _text(file: Path) -> tuple[str, Path]:
    """Return a file's text, and the folder that its pictures are relative to."""
    try:
        if str(file) == "-":
            return sys.stdin.read(), Path.cwd()
        return file.read_text(encoding="utf-8"), file.parent
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
