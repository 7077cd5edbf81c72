"""The command `cml-run`: what is wrong becomes a message and an exit code here, and only here."""

from __future__ import annotations

import gc
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

import cml
from cml import console
from cml.cli import groups, options
from cml.errors import CmlError, ExitCode

if TYPE_CHECKING:
    from types import FrameType

EPILOG = """\b
Examples:
  cml-run                                    run, compare and show
  cml-run --publish --tag-prefix exp-        and save the results
  cml-run --baseline main --jobs 4           compare with main
  repro_targets=train,evaluate cml-run       the variables of 2020 work
"""
NAMES = (
    "check",
    "comment",
    "demo",
    "doctor",
    "init",
    "migrate",
    "plan",
    "post",
    "pr",
    "runner",
)


@click.group(
    cls=groups.Commands,
    names=NAMES,
    prefix="cml.cli.",
    invoke_without_command=True,
    epilog=EPILOG,
)
@click.version_option(cml.__version__, prog_name="cml-run")
@options.add
@click.option("--verbose", is_flag=True, help="Say more about each step, on stderr.")
@click.pass_context
def command(ctx: click.Context, /, *, verbose: bool, **flags: Any) -> None:
    """Turn this commit into a reviewed experiment: reproduce, compare, judge, report, save.

    Without a command this does the main job, in the git and DVC repository around the current
    folder. Each option can also be set by a variable or in cml.yaml.
    """
    console.setup(verbose=verbose)
    if ctx.invoked_subcommand is None:
        from cml.cli import job

        ctx.exit(job.run(flags))
    if any(value is not None for value in flags.values()):
        raise click.UsageError(f"put the options of {ctx.invoked_subcommand} behind its name")


def main() -> NoReturn:
    """Run the command line and end the process with the exit code that users rely on."""
    # Most of a short run is imports, which make many objects and hardly any garbage.
    gc.set_threshold(50_000, 30, 30)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(command(prog_name="cml-run", standalone_mode=False) or ExitCode.PASSED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except CmlError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("cml-run: interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except Exception:  # noqa: BLE001 (the last line of defence: a bug, told as one)
        import traceback

        traceback.print_exc()
        click.echo("cml-run: this is a bug in cml-run; please report the lines above", err=True)
        sys.exit(ExitCode.BUG)


def _complain(error: CmlError) -> None:
    console.log.error("%s", error.message)
    if error.hint:
        console.log.info("hint: %s", error.hint)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 (signal's signature)
    raise KeyboardInterrupt
