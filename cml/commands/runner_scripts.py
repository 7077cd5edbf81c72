"""What a machine in a cloud does to run one job of a forge; no token of the forge is there."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cml.forges.base import Program, Registration

SECRET = "CML_RUNNER_JIT"  # noqa: S105 - the name of a variable

_FETCH = """set -eu
curl --fail --silent --show-error --location --output ~/gitlab-runner "$CML_RUNNER_PROGRAM_URL"
echo "$CML_RUNNER_PROGRAM_SHA256  $HOME/gitlab-runner" | sha256sum --check --status -
chmod 700 ~/gitlab-runner
"""
# The runner takes itself off GitLab's list. `printf` is a part of the shell: no process shows it.
_SINGLE = """set -eu
export CI_SERVER_TOKEN="$CML_RUNNER_JIT"
unset CML_RUNNER_JIT
remove() {{
  printf '%s' "$CI_SERVER_TOKEN" | curl --fail --silent --show-error \\
    --request DELETE --form 'token=<-' "$CI_SERVER_URL/api/v4/runners"
}}
trap remove EXIT
~/gitlab-runner run-single --max-builds 1 --wait-timeout {seconds} \\
  --executor docker --docker-image python:3.12{gpus}
"""


def setup(kind: str, package: str) -> str:
    """Return what makes a machine ready: our supervisor for GitHub, GitLab's program else.

    Args:
        kind: which credential the runner has, as `Registration` says.
        package: what pip installs, as `cml-run==1.0`.
    """
    if kind == "authentication":
        return _FETCH
    return (
        "set -eu\n"
        "python3 -m venv ~/cml-run\n"
        f"~/cml-run/bin/python -m pip install --quiet {shlex.quote(package)}\n"
    )


def run(kind: str, name: str, *, idle_minutes: int, gpu: bool) -> str:
    """Return how a machine runs one job; it ends when none came for so many minutes."""
    if kind == "authentication":
        gpus = " --docker-gpus all" if gpu else ""
        return _SINGLE.format(seconds=idle_minutes * 60, gpus=gpus)
    return (
        "exec ~/cml-run/bin/cml-run runner start --forge github --single"
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
