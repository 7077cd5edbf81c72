"""The words of the house as plain data, and their JSON; no computation.

A run makes a :class:`Record`, and all else is a view of it. Fields may be added, never renamed.
"""

from typing import Any, Literal

import msgspec
from msgspec import field
from msgspec.structs import replace as replace  # noqa: PLC0414 (how all others change a fact)

VERSION = 1

Forge = Literal["github", "gitlab", "terminal"]
Outcome = Literal["skipped", "unchanged", "changed", "failed"]
StageState = Literal["ran", "cached", "unchanged", "failed"]
Verdict = Literal["pass", "fail", "inconclusive", "invalid"]
Level = Literal["error", "warn", "off"]
Value = float | int | str | bool | None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Where we are. `sha` is the commit that people see: a pull request's head, not its merge.

    `private` is None where nothing tells; `closed` says that the pull request has just ended;
    `actor` is the account whose push set off the run, as the forge says.
    """

    forge: Forge = "terminal"
    repository: str | None = None
    event: str | None = None
    sha: str | None = None
    branch: str | None = None
    tag: str | None = None
    pull_request: int | None = None
    target: str | None = None
    trusted: bool = True
    private: bool | None = None
    closed: bool = False
    actor: str | None = None
    run_url: str | None = None


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The revision compared with, as named and as resolved."""

    revision: str
    sha: str


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the pipeline in this run."""

    name: str
    state: StageState
    seconds: float | None = None


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What moved between the DVC remote and here; files and bytes of data."""

    pulled_files: int = 0
    pulled_bytes: int = 0
    pushed_files: int = 0
    pushed_bytes: int = 0


class MetricChange(msgspec.Struct, frozen=True, kw_only=True):
    """A metric at the baseline and now.

    `problem` says why `new` cannot be judged, `old_problem` why nothing can be compared with `old`.
    """

    path: str
    name: str
    old: Value = None
    new: Value = None
    diff: float | int | None = None
    problem: str | None = None
    old_problem: str | None = None


class ParamChange(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that differs from the baseline; a list or mapping is given as JSON text."""

    path: str
    name: str
    old: Value = None
    new: Value = None


class Rename(msgspec.Struct, frozen=True, kw_only=True):
    """A data file that moved without changing."""

    old: str
    new: str


class DataChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Data tracked by DVC that differs from the baseline; paths in the repository."""

    added: list[str] = field(default_factory=list)
    modified: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    renamed: list[Rename] = field(default_factory=list)


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """Imported data brought up to date before the pipeline ran; `old` and `new` name versions."""

    path: str
    old: str | None = None
    new: str | None = None


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """A picture in the bundle; `file` is relative to the bundle, `chart` is it in Mermaid."""

    id: str
    file: str
    chart: str | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier result in the branch, found by its tag."""

    tag: str
    sha: str
    metrics: dict[str, Value] = field(default_factory=dict)


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """One rule applied to this run.

    Its status on the forge is `family/name`; without a family, of the name of the run. One that is
    not `shown` is left out of the report.
    """

    name: str
    status: Verdict
    level: Level = "error"
    value: Value = None
    target: str | None = None
    message: str = ""
    family: str | None = None
    shown: bool = True


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed; `output` is the end of the failed stage's output."""

    message: str
    hint: str | None = None
    stage: str | None = None
    output: str = ""
    exit_code: int = 3


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What left this machine.

    `parent` is the commit that `commit` stands on: the one that ran, or a newer one of its branch.
    `proposed` is the branch that waits for its pull request, whose address is `pull_request`.
    """

    commit: str | None = None
    tag: str | None = None
    ref: str | None = None
    proposed: str | None = None
    pull_request: str | None = None
    pushed: bool = False
    comment: str | None = None
    status: str | None = None
    note: str | None = None
    parent: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one run.

    `rules` is the commit whose checks judge. `problems` are sentences, each of which makes the
    verdict invalid. `policy_changes` are edits to the checks, which take effect once they are
    merged.
    """

    version: int = VERSION
    context: Context = field(default_factory=Context)
    outcome: Outcome = "unchanged"
    reason: str | None = None
    baseline: Baseline | None = None
    rules: Baseline | None = None
    stages: list[Stage] = field(default_factory=list)
    transfer: Transfer = field(default_factory=Transfer)
    updates: list[Update] = field(default_factory=list)
    metrics: list[MetricChange] = field(default_factory=list)
    params: list[ParamChange] = field(default_factory=list)
    data: DataChanges = field(default_factory=DataChanges)
    plots: list[Plot] = field(default_factory=list)
    experiments: list[Experiment] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    policy_changes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    failure: Failure | None = None
    published: Published = field(default_factory=Published)


def to_json(record: Record) -> bytes:
    r"""Encode a record as indented UTF-8 JSON; a number that is not finite becomes null.

    A byte of a file name that is not UTF-8 is written as Python shows it: `\udcff`.
    """
    try:
        encoded = msgspec.json.encode(record)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(_readable(plain(record)))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def plain(facts: Any) -> Any:
    """Return facts, or a dataclass that holds some, as what JSON knows: dicts, lists, scalars."""
    return msgspec.to_builtins(facts)


def _readable(data: Any) -> Any:
    """Return plain data whose every text can be encoded."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {_readable(key): _readable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_readable(item) for item in data]
    return data


def from_json(text: bytes) -> Record:
    """Decode a record, checking every type.

    Raises:
        ValueError: the text is not JSON, or not a record of a version that is known.
    """
    try:
        record = msgspec.json.decode(text, type=Record)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if record.version != VERSION:
        raise ValueError(f"record version {record.version} is not known, only {VERSION}")
    return record


def schema() -> dict[str, object]:
    """Return the JSON schema (draft 2020-12) of `record.json`."""
    import inspect

    found = msgspec.json.schema(Record)
    for part in found["$defs"].values():
        # Up to Python 3.12 a docstring keeps the indentation of its source.
        part["description"] = inspect.cleandoc(part["description"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
