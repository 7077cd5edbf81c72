"""Flags, environment and cml.yaml -> Settings: who wins, and whose mistake a wrong value is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cml.config import file, values
from cml.config.file import Given, Raw
from cml.config.options import OPTIONS, Option
from cml.config.values import Images, Person, Targets, Way
from cml.errors import UsageError
from cml.record import Forge


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the main job is asked to do; :data:`OPTIONS` describes each field.

    `publish` is None where nobody has decided: in CI yes, from a shell no. So is `release`: the
    forge decides. `forge` is None where the environment tells. `tag_prefix` is None
    where no tags are wanted. `out` is as written, relative to wherever the caller says.
    """

    baseline: str
    repro_targets: Targets
    dvc_pull: Targets
    update: tuple[str, ...]
    metrics_diff_targets: Targets
    metrics_format: str
    logdir: str | None
    fail_on: tuple[str, ...]
    tag_prefix: str | None
    forge: Forge | None
    publish: bool | None
    publish_as: Way
    release: bool | None
    images: Images
    out: Path
    jobs: int
    name: str
    author: Person
    committer: Person


@dataclass(frozen=True, kw_only=True)
class File:
    """The text of a cml.yaml, and what to call it in messages."""

    name: str = "cml.yaml"
    text: str = ""


def settings(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    text: str | None,
    *,
    filename: str = "cml.yaml",
    judging: File | None = None,
) -> Settings:
    """Settle every option: flag, `CML_NAME`, bare variable, cml.yaml, default; the first one wins.

    Args:
        flags: what stood on the command line, by the option's name; None and the empty tuple
            count as not given. A list may come as one text or as several.
        environ: the environment; a variable that is empty or blank counts as not set.
        text: the text of cml.yaml; None where there is no file.
        filename: what to call that file in messages.
        judging: another cml.yaml, which speaks in its place for the options that bear on the
            verdict; an empty one leaves them to flags, environment and defaults.

    Raises:
        UsageError: a wrong value, named with its flag, its variable, or its file, line and
            column. cml.yaml is checked as a whole, also where a flag or a variable wins.
        TypeError: a flag that is no option.
    """
    unknown = flags.keys() - {option.name for option in OPTIONS}
    if unknown:
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    written = file.read(text, filename) if text is not None else {}
    trusted = written if judging is None else file.read(judging.text, judging.name)
    chosen: dict[str, Any] = {}
    for option in OPTIONS:
        in_file = _parse(option, (trusted if option.judges else written).get(option.name))
        given = _flag(option, flags) or _variable(option, environ)
        chosen[option.name] = _parse(option, given) if given else in_file
    chosen["committer"] = chosen["committer"] or chosen["author"]
    return Settings(**chosen)


def _flag(option: Option, flags: Mapping[str, object]) -> Given | None:
    value = flags.get(option.name)
    if value is None or value == ():
        return None
    raw: Raw = str(value)
    if isinstance(value, (list, tuple)):
        raw = tuple(name for part in value for name in values.split(str(part)))
    return Given(raw=raw, where=option.flag or option.name)


def _variable(option: Option, environ: Mapping[str, str]) -> Given | None:
    for name in (option.env, option.bare):
        if name and environ.get(name, "").strip():
            return Given(raw=environ[name], where=name)
    return None


def _parse(option: Option, given: Given | None) -> object:
    if given is None:
        return option.absent if option.default is None else _value(option, option.default)
    try:
        return _value(option, given.raw)
    except ValueError as error:
        raise UsageError(f"{given.where}: {error}", hint=option.help) from error


def _value(option: Option, raw: Raw) -> object:
    if option.kind == "list":
        return option.parse(values.split(raw) if isinstance(raw, str) else raw)
    if isinstance(raw, str):
        return option.parse(raw.strip())
    raise ValueError("one value is expected, not a list")
