"""What a machine in a cloud does to run one job of a forge; no token of the forge is there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.base import Program, Registration

SECRET = "CML_RUNNER_JIT"  # noqa: S105 - the name of a variable

# The runner is taken off GitLab's list with its own token, whatever happened. `printf` is a part of
# the shell: no process shows it.
_REMOVED = """set -eu
remove() {
  printf '%s' "$CML_RUNNER_JIT" | curl --fail --silent --show-error \\
    --request DELETE --form 'token=<-' "$CI_SERVER_URL/api/v4/runners"
}
trap remove EXIT
"""


def setup(package: str) -> str:
    """Return what makes a machine ready: our supervisor, which fetches the runner program.

    Args:
        package: what pip installs, as `cml-run==1.0`.
    """
    return (
        "set -eu\n"
        "python3 -m venv ~/cml-run\n"
        f"~/cml-run/bin/python -m pip install --quiet {shlex.quote(package)}\n"
    )


def run(kind: str, name: str, *, idle_minutes: int) -> str:
    """Return how a machine runs one job; it ends when none came for so many minutes.

    Args:
        kind: which credential the runner has, as `Registration` says.
        name: what it is called.
        idle_minutes: how long it waits for its job.
    """
    before, forge = (_REMOVED, "gitlab") if kind == "authentication" else ("exec ", "github")
    return (
        f"{before}~/cml-run/bin/cml-run runner start --forge {forge} --single"
        f" --name {shlex.quote(name)} --idle-timeout {idle_minutes}\n"
    )


def envs(registration: Registration, program: Program) -> Mapping[str, str]:
    """Return what may be seen: which program to fetch, and whose jobs it takes."""
    # Some clouds have no user but root; the machine is there for this one job.
    own = {"RUNNER_ALLOW_RUNASROOT": "1"}
    if registration.kind == "authentication":
        own = {"CI_SERVER_URL": registration.url}
    return {
        **own,
        "CML_RUNNER_PROGRAM_URL": program.url,
        "CML_RUNNER_PROGRAM_SHA256": program.sha256,
    }
