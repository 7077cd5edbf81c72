"""Failures told to people; knows nothing of the rest of the house."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command; their numbers are a promise to users."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    PIPELINE = 3
    PUBLISH = 4
    NO_VERDICT = 5
    BUG = 70
    INTERRUPTED = 130


class CmlError(Exception):
    """Something went wrong that a user can understand: what happened, and what to do about it."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CmlError):
    """A wrong option, configuration or revision."""


class PipelineError(CmlError):
    """Data could not be pulled or pushed, or a stage failed."""

    exit_code = ExitCode.PIPELINE

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        stage: str | None = None,
        output: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.stage = stage
        self.output = output


class PublishError(CmlError):
    """The forge or the git remote refused."""

    exit_code = ExitCode.PUBLISH
