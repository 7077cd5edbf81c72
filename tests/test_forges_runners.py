"""Runners of one's own: announced, found, seen at work, and taken off again, on both forges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import forge_faults as faults
import pytest
from forge_github_runners import SHA256
from mirror_kit import Mirror, mirror
from told_kit import Told, on_github, on_gitlab, told

from cml.errors import PublishError
from cml.forges.base import Registration, Runner, RunnerHost, RunnerRequest
from cml.forges.gitlab import programs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["mirror", "on_github", "on_gitlab", "told"]

WANTED = RunnerRequest(name="gpu-1", labels=("cml", "gpu"))
PERSISTENT = RunnerRequest(name="gpu-1", labels=("gpu",), persistent=True)
OURS = {"github": "o", "gitlab": "g/sub"}


def host(told: Told, token: str | None = None, **environ: str) -> RunnerHost:
    found = told.open(token or told.owner, **environ)
    assert isinstance(found, RunnerHost)
    return found


def refusal(call: Callable[[], object]) -> PublishError:
    with pytest.raises(PublishError) as caught:
        call()
    return caught.value


def missing(told: Told) -> Registration:
    return Registration(
        id=999_999, name="gone", url=told.fake.server, kind="just-in-time", credential="x"
    )


@pytest.mark.parametrize("shared", [False, True])
def test_a_runner_is_announced_found_and_taken_off_again(told: Told, shared: bool) -> None:  # noqa: FBT001 - a case
    organisation = OURS[told.vendor] if shared else None
    wanted = RunnerRequest(name="gpu-1", labels=("cml", "gpu"), organisation=organisation)
    made = host(told).register_runner(wanted)

    assert made.credential == told.fake.runner_secrets[0]
    assert made.id is not None
    idle = Runner(id=made.id, name="gpu-1", online=False, busy=False)
    assert host(told).find_runner(made, organisation) == idle
    told.fake.set_runner("gpu-1", busy=True)
    busy = Runner(id=made.id, name="gpu-1", online=True, busy=True)
    assert host(told).find_runner(made, organisation) == busy
    told.fake.end_job("gpu-1")
    host(told).remove_runner(made, organisation)
    host(told).remove_runner(made, organisation)
    assert told.fake.runners == []
    assert host(told).find_runner(made, organisation) is None


def test_a_runner_serves_only_what_it_was_announced_for(told: Told) -> None:
    made = host(told).register_runner(WANTED)

    if told.vendor == "github":
        assert made.url == f"{told.fake.server}/o/r"
        assert host(told).find_runner(made, "o") is None
    else:
        assert made.url == told.fake.server
        (runner,) = told.fake.runners
        assert (runner["locked"], runner["run_untagged"]) == (True, False)


def test_labels_are_the_ones_asked_for(told: Told) -> None:
    host(told).register_runner(WANTED)

    (runner,) = told.fake.runners
    if told.vendor == "github":  # `runs-on: [self-hosted, gpu]` would wait for ever without
        assert [label["name"] for label in runner["labels"]] == ["self-hosted", "cml", "gpu"]
    else:
        assert runner["tag_list"] == ["cml", "gpu"]


def test_on_github_a_persistent_runner_is_found_by_its_name_on_any_page(on_github: Told) -> None:
    made = host(on_github).register_runner(PERSISTENT)
    assert (made.kind, made.id) == ("registration", None)
    assert host(on_github).find_runner(made, None) is None
    host(on_github).remove_runner(made, None)
    for number in range(130):
        on_github.fake.add_runner(f"other-{number}")
    number = on_github.fake.add_runner("gpu-1")
    for filters in (True, False):
        on_github.fake.filters_runners = filters
        found = host(on_github).find_runner(made, None)
        assert found == Runner(id=number, name="gpu-1", online=False, busy=False)

    host(on_github).remove_runner(made, None)
    assert len(on_github.fake.runners) == 130


def test_on_github_a_runner_of_one_job_is_gone_after_it(on_github: Told) -> None:
    made = host(on_github).register_runner(WANTED)
    assert made.kind == "just-in-time"
    on_github.fake.set_runner("gpu-1", busy=True)
    on_github.fake.end_job("gpu-1")

    assert host(on_github).find_runner(made, None) is None


def test_on_github_a_runner_at_work_is_not_taken_off(on_github: Told) -> None:
    made = host(on_github).register_runner(WANTED)
    on_github.fake.set_runner("gpu-1", busy=True)

    error = refusal(lambda: host(on_github).remove_runner(made, None))
    assert "currently running a job" in error.message
    assert len(on_github.fake.runners) == 1


def test_on_github_a_name_that_is_taken_is_told_with_what_to_do(on_github: Told) -> None:
    host(on_github).register_runner(WANTED)

    error = refusal(lambda: host(on_github).register_runner(WANTED))
    assert "register the runner gpu-1" in error.message
    assert "Choose another name" in str(error.hint)


def test_on_github_an_organisation_with_a_slash_is_no_repository(on_github: Told) -> None:
    wanted = RunnerRequest(name="x", labels=("gpu",), organisation="o/r")

    assert "404" in refusal(lambda: host(on_github).register_runner(wanted)).message
    assert on_github.fake.runners == []


@pytest.mark.parametrize("tells", [True, False])
def test_on_gitlab_a_job_under_way_is_seen_on_older_servers_too(
    on_gitlab: Told,
    tells: bool,  # noqa: FBT001 - a case
) -> None:
    made = host(on_gitlab).register_runner(WANTED)
    on_gitlab.fake.tells_of_jobs = tells
    for busy in (True, False):
        on_gitlab.fake.set_runner("gpu-1", busy=busy)
        found = host(on_gitlab).find_runner(made, None)
        assert found
        assert found.busy is busy


def test_on_gitlab_the_credential_is_the_runners_own_token(on_gitlab: Told) -> None:
    for wanted in (WANTED, PERSISTENT):
        made = host(on_gitlab).register_runner(wanted)
        assert made.kind == "authentication"
        assert made.credential.startswith("glrt-")


def test_only_githubs_public_repositories_run_what_strangers_send(
    on_github: Told, on_gitlab: Told
) -> None:
    assert host(on_github).runs_strangers_code(None)
    assert host(on_github).runs_strangers_code("o")
    on_github.fake.private = True
    assert not host(on_github).runs_strangers_code(None)
    assert host(on_github).runs_strangers_code("o")
    assert not host(on_gitlab).runs_strangers_code(None)


def test_the_token_of_a_job_is_told_which_permission_is_needed(on_github: Told) -> None:
    for organisation, permission in ((None, "Administration"), ("o", "Self-hosted runners")):
        wanted = RunnerRequest(name="x", labels=("gpu",), organisation=organisation)
        forge = host(on_github, on_github.fake.token)
        error = refusal(lambda forge=forge, wanted=wanted: forge.register_runner(wanted))  # type: ignore[misc]

        assert f"`{permission}: write`" in str(error.hint)
        assert "GITHUB_TOKEN of a job may not" in str(error.hint)


def test_who_does_not_maintain_the_project_is_told_so(on_gitlab: Told) -> None:
    on_gitlab.fake.role = "developer"
    error = refusal(lambda: host(on_gitlab).register_runner(WANTED))
    assert "role of a Maintainer" in str(error.hint)
    group = RunnerRequest(name="x", labels=("gpu",), organisation="g")
    assert "an Owner" in str(refusal(lambda: host(on_gitlab).register_runner(group)).hint)


@pytest.mark.parametrize("code", [401, 403, 404, 502])
def test_every_refusal_says_what_to_do_about_runners(told: Told, code: int) -> None:
    forge, made = host(told), missing(told)
    told.fake.fail("", "", faults.status(code), times=None)
    calls: list[Callable[[], object]] = [lambda: forge.register_runner(WANTED)]
    if code != 404:
        calls += [lambda: forge.find_runner(made, None), lambda: forge.remove_runner(made, None)]
    for call in calls:
        error = refusal(call)
        assert str(code) in error.message
        assert ("repo_token" if code < 500 else "Try again later") in str(error.hint)
        assert "cml-run post" not in str(error.hint)


def test_without_a_token_the_permission_is_named(told: Told) -> None:
    forge: Any = told.opened(None, {})

    assert "repo_token" in str(refusal(lambda: forge.register_runner(WANTED)).hint)


def test_no_secret_of_a_runner_is_in_any_message(told: Told) -> None:
    secret = "SECRET-OF-A-RUNNER"
    answers: list[object] = [
        {"runner": {"id": "x"}, "encoded_jit_config": secret, "id": "x", "token": [secret]},
        [secret],
        secret,
    ]
    for answer in answers:
        for wanted in (WANTED, PERSISTENT):
            told.fake.fail("POST", r"/runners", faults.Fault(faults.Answer(201, answer)))
            error = refusal(lambda wanted=wanted: host(told).register_runner(wanted))  # type: ignore[misc]
            assert secret not in f"{error.message} {error.hint} {error!r}"
    made = host(told).register_runner(WANTED)
    assert made.credential not in repr(made)
    assert not any(made.credential in request.shown for request in told.fake.log)


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "linux-x64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Darwin", "arm64", "osx-arm64"),
    ],
)
def test_on_github_the_newest_program_for_the_machine_is_told(
    on_github: Told, system: str, machine: str, name: str
) -> None:
    found = host(on_github).runner_program(system=system, machine=machine)

    assert f"actions-runner-{name}-2.335.0" in found.url
    assert (found.version, found.sha256) == ("2.335.0", SHA256)


def test_on_github_a_program_without_a_checksum_is_refused(on_github: Told) -> None:
    for wrong in ({"sha256_checksum": ""}, {"sha256_checksum": "5b"}, {"filename": "x.tar.gz"}):
        whole = dict(on_github.fake.programs[1])
        on_github.fake.programs[1] = {**whole, **wrong}
        error = refusal(lambda: host(on_github).runner_program(system="Linux", machine="x86_64"))
        assert "checksum" in error.message
        on_github.fake.programs[1] = whole
    del on_github.fake.programs[1]["sha256_checksum"]
    refusal(lambda: host(on_github).runner_program(system="Linux", machine="x86_64"))
    error = refusal(lambda: host(on_github).runner_program(system="Linux", machine="riscv64"))
    assert "riscv64" in error.message


@pytest.mark.parametrize("between", [b"\t", b"  ", b" *"])
def test_on_gitlab_the_program_comes_from_a_folder_of_one_version(
    on_gitlab: Told, mirror: Mirror, between: bytes
) -> None:
    address = mirror.address
    mirror.files["/v18.6.0/release.sha256"] = b"".join(
        digest * 32 + between + b"binaries/gitlab-runner-" + name + b"\n"
        for digest, name in ((b"aa", b"linux-arm64"), (b"Bb", b"linux-amd64"))
    )
    forge = host(on_gitlab, CML_RUNNER_DOWNLOADS=f"{address}/v18.6.0/")
    found = forge.runner_program(system="Linux", machine="x86_64")

    assert found.url == f"{address}/v18.6.0/binaries/gitlab-runner-linux-amd64"
    assert (found.version, found.sha256) == ("18.6.0", "bb" * 32)
    assert on_gitlab.fake.token not in "".join(mirror.seen)
    error = refusal(lambda: forge.runner_program(system="Linux", machine="riscv64"))
    assert "no checksum of binaries/gitlab-runner-linux-riscv64" in error.message


def test_on_gitlab_the_newest_version_is_asked_for(
    on_gitlab: Told, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = mirror.address
    monkeypatch.setattr(programs, "NEWEST", f"{address}/newest")
    monkeypatch.setattr(programs, "DOWNLOADS", address)
    mirror.files["/newest"] = b'{"tag_name": "v18.7.1"}'
    name = b"binaries/gitlab-runner-linux-amd64"
    mirror.files["/v18.7.1/release.sha256"] = b"c0" * 32 + b"\t" + name

    found = host(on_gitlab).runner_program(system="Linux", machine="x86_64")
    assert (found.version, found.sha256) == ("18.7.1", "c0" * 32)
    for answer in (b"<html>", b"[]", b"{}", b'{"tag_name": "../../evil"}'):
        mirror.files["/newest"] = answer
        error = refusal(lambda: host(on_gitlab).runner_program(system="Linux", machine="x86_64"))
        assert "CML_RUNNER_DOWNLOADS" in str(error.hint)


def test_on_gitlab_a_folder_without_checksums_is_refused(on_gitlab: Told, mirror: Mirror) -> None:
    address = mirror.address
    for folder, says in ((f"{address}/v1.2.3", "404"), (f"{address}/newest", "no version")):
        forge = host(on_gitlab, CML_RUNNER_DOWNLOADS=folder)
        error = refusal(lambda forge=forge: forge.runner_program(system="Linux", machine="arm64"))  # type: ignore[misc]
        assert says in error.message
