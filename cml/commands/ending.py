"""How a run ends: an error as a fact of its record, and a record as an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cml.errors import ExitCode, PipelineError
from cml.record import Failure

if TYPE_CHECKING:
    from collections.abc import Collection

    from cml.errors import CmlError
    from cml.record import Record

VERDICTS = {
    "fail": ExitCode.FAILED,
    "inconclusive": ExitCode.NO_VERDICT,
    "invalid": ExitCode.NO_VERDICT,
}


def failure(error: CmlError) -> Failure:
    """Return an error as a fact of the record."""
    stage, output = "", ""
    if isinstance(error, PipelineError):
        stage, output = error.stage or "", error.output
    return Failure(
        message=error.message,
        hint=error.hint,
        stage=stage or None,
        output=output,
        exit_code=error.exit_code,
    )


def exit_code(
    record: Record, *, refused: bool = False, fail_on: Collection[str] = tuple(VERDICTS)
) -> ExitCode:
    """Return what the record says to a shell; a verdict wins over a failure to publish.

    Args:
        record: the facts.
        refused: the forge has refused to be told of them.
        fail_on: the verdicts that are an error.
    """
    failed = ExitCode.PUBLISH if refused else ExitCode.PASSED
    if record.failure:
        failed = _failed(record.failure)
    if failed not in {ExitCode.PASSED, ExitCode.PUBLISH}:
        return failed
    verdict = record.verdict if record.verdict in fail_on else None
    return VERDICTS.get(verdict or "pass", failed)


def _failed(found: Failure) -> ExitCode:
    """Return a failure's exit code; in a bundle of strangers it may be any number."""
    known = {*ExitCode} - {ExitCode.PASSED}
    return ExitCode(found.exit_code) if found.exit_code in known else ExitCode.PIPELINE
