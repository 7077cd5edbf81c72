"""What a person has to do beyond a migration: notes on DVC's configuration and on CI files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cml.legacy import remotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from cml.legacy.change import Change

_JSON_KEY = (
    "put the service account's JSON key file in `gdrive_service_account_json_file_path`, with "
    "`gdrive_use_service_account = true`"
)
_REMOTE = "name the storage as a remote: `dvc remote add -d storage URL`"
# Options that DVC 3 refuses to start with, by section and name, and what to do about each. Found by
# comparing the configuration schemas of DVC 0.20 to 2.58 with that of 3.67.
REFUSED = {
    ("core", "loglevel"): "remove it, and call DVC with `-v` or `-q`",
    ("core", "cloud"): _REMOTE,
    ("core", "storagepath"): _REMOTE,
    ("aws", "storagepath"): _REMOTE,
    ("gcp", "storagepath"): _REMOTE,
    ("local", "storagepath"): _REMOTE,
    ("gdrive", "gdrive_service_account_email"): "remove it: the JSON key file names the account",
    ("gdrive", "gdrive_service_account_p12_file_path"): _JSON_KEY,
    ("hdfs", "verify"): "remove it: DVC 3 cannot verify files on HDFS",
    ("webhdfs", "hdfscli_config"): "remove it, and give `user` and `token` of the remote",
    ("webhdfs", "webhdfs_alias"): "remove it, and give the host in the remote's `url`",
    ("webhdfs", "webhdfs_token"): "call it `token`",
}
_WORKFLOW = re.compile(r"(?:^|/)(?:\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.yml)$")


def notes(root: Path, tracked: Iterable[str], changes: Sequence[Change] = ()) -> list[str]:
    """Return sentences on what a migration leaves to a person, each with its file and line.

    Args:
        root: the folder that `tracked` and the changes' paths are relative to.
        tracked: the names that git tracks.
        changes: the migration, whose removed files CI files may name.
    """
    names = sorted(set(tracked))
    moved = {change.path.as_posix(): change.stages for change in changes if change.text is None}
    found = [note for name in names if _WORKFLOW.search(name) for note in _ci(root, name, moved)]
    folders = [name.removesuffix("config") for name in names if f"/{name}".endswith("/.dvc/config")]
    for name in (folder + config for folder in folders for config in ("config", "config.local")):
        found += _config(root, name)
    return found


def _ci(root: Path, name: str, moved: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for number, line in enumerate(_lines(root / name), start=1):
        if re.search(r"\bdvc_cml_run\b", line):
            yield (
                f"{name}:{number} calls dvc_cml_run: call `cml-run` instead; the variables that "
                "dvc_cml_run read, such as repro_targets and baseline, keep working"
            )
        for path, stages in moved.items():
            if stages and re.search(rf"(?<![\w./-])(?:\./)?{re.escape(path)}(?![\w/-]|\.\w)", line):
                yield f"{name}:{number} names {path}, which is now the stage {stages[0]}"


def _config(root: Path, name: str) -> Iterator[str]:
    schemes = {
        section: value.partition("://")[0]
        for _, section, option, value in remotes.options(root / name)
        if option == "url"
    }
    for number, section, option, _ in remotes.options(root / name):
        kind = schemes.get(section, section)
        if what := REFUSED.get((kind, option)):
            yield f"{name}:{number}: DVC 3 refuses `{option}` in [{section}]: {what}"
        elif section == "feature" and option != "machine":
            yield f"{name}:{number}: DVC 3 ignores `{option}` in [feature]: remove it"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
