"""What the environment tells remotes of which there is no server here, and what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import remote_kit
from remote_kit import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab import Lab

OPEN = """\
import json, sys
from pathlib import Path
from cml import pipeline
with pipeline.open_project(Path.cwd()) as project:
    remote = project.repo.cloud.get_remote()
    print(json.dumps([remote.path, {SEEN}], default=str))
"""
REQUIRE = """\
import json, sys
from pathlib import Path
from cml import pipeline
from cml.errors import UsageError
hints = {}
for scheme, config in json.loads(sys.argv[1]).items():
    Path(".dvc/config").write_text(config)
    with pipeline.open_project(Path.cwd()) as project:
        try:
            pipeline.require_remote(project)
        except UsageError as error:
            hints[scheme] = error.hint
print(json.dumps(hints))
"""
# An interpreter in which some packages are not installed: every process of Python reads this first.
WITHOUT = """\
import sys
from importlib.machinery import PathFinder
class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        absent = name.partition(".")[0] in {packages!r}
        return None if absent else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def opened(lab: Lab, remote: Remote, seen: str, **env: str) -> list[Any]:
    """Open a remote in a process of its own; return its path, and what else is asked for."""
    lab.write(".dvc/config", remote.config)
    said = lab.run(sys.executable, "-c", OPEN.replace("{SEEN}", seen), **env)
    found: list[Any] = json.loads(said)
    return found


@pytest.mark.parametrize(
    ("url", "path"),
    [("oss://", "pail"), ("oss:///some/where", "pail/some/where"), ("oss://b/where", "b/where")],
)
def test_the_bucket_of_oss_may_come_from_the_environment(lab: Lab, url: str, path: str) -> None:
    found = opened(lab, Remote(url=url), "None", OSS_BUCKET="pail")

    assert found[0] == path


def test_oss_gets_its_key_and_endpoint_from_the_environment(lab: Lab) -> None:
    given = {"OSS_ACCESS_KEY_ID": "id", "OSS_ACCESS_KEY_SECRET": "s3cret"}
    given |= {"OSS_ENDPOINT": "https://oss.example.org", "OSS_BUCKET": "pail"}
    key = "remote.fs.fs._auth.credentials_provider.get_credentials()"
    seen = f"remote.fs.fs_args, remote.fs.fs._endpoint, {key}.get_access_key_id()"
    _, args, endpoint, who = opened(lab, Remote(url="oss://"), seen, **given)

    assert (args["key"], args["secret"]) == ("id", "s3cret")
    assert (endpoint, who) == ("https://oss.example.org", "id")


def test_oss_without_a_bucket_is_an_error_that_says_so(lab: Lab) -> None:
    lab.write(".dvc/config", Remote(url="oss://").config)
    lab.commit("Move the data")
    done = lab.cml("--publish")

    assert done.returncode == 2
    assert "names no bucket" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["GDRIVE_CREDENTIALS_DATA", "GDRIVE_USER_CREDENTIALS_DATA"])
def test_google_drive_gets_its_key_as_text(lab: Lab, name: str) -> None:
    script = (
        "import os\nfrom cml import credentials\nwith credentials.laid_out(os.environ):\n"
        + "".join(f"    {line}\n" for line in OPEN.splitlines())
    ).replace("{SEEN}", "remote.fs._settings")
    remote = Remote(url="gdrive://folder/a", options={"gdrive_use_service_account": "true"})
    lab.write(".dvc/config", remote.config)
    path, settings = json.loads(lab.run(sys.executable, "-c", script, **{name: '{"type": "x"}'}))

    assert path == "folder/a"
    assert (settings["client_json"], settings["use_service_account"]) == ('{"type": "x"}', True)


@pytest.mark.parametrize("logged_in", [False, True])
def test_google_drive_without_credentials_waits_for_no_browser(
    lab: Lab, *, logged_in: bool
) -> None:
    options = {"gdrive_client_id": "c", "gdrive_client_secret": "s"}
    lab.write(".dvc/config", Remote(url="gdrive://folder/a", options=options).config)
    lab.commit("Move the data")
    if logged_in:
        lab.write("../home/.cache/pydrive2fs/c/default.json", "{}")
        assert opened(lab, Remote(url="gdrive://folder/a", options=options), "None")[0]
        return
    done = lab.cml("--publish")

    assert done.returncode == 2, done.stderr
    assert "GDRIVE_CREDENTIALS_DATA" in done.stdout + done.stderr
    assert lab.runs == []


@pytest.fixture
def private(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve S3 with a certificate of its own; yield its address, and the file of that."""
    import boto3

    key, certificate, port = tmp_path / "key", tmp_path / "certificate", remote_kit.free_port()
    make = [remote_kit.program("openssl"), "req", "-x509", "-nodes", "-subj", "/CN=storage"]
    make += ["-newkey", "rsa:2048", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    server = [str(remote_kit.BIN / "moto_server"), "-H", remote_kit.HOST, "-p", str(port)]
    server += ["--ssl", "--ssl-cert", str(certificate), "--ssl-key", str(key)]
    url = f"https://{remote_kit.HOST}:{port}"
    who = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    with remote_kit.serving(server, port, tmp_path):
        client = boto3.client("s3", endpoint_url=url, verify=str(certificate), **who)
        client.create_bucket(Bucket="bucket")
        yield url, certificate


def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(
    lab: Lab, private: tuple[str, Path]
) -> None:
    url, certificate = private
    lab.write(".dvc/config", Remote(url="s3://bucket/a", options={"endpointurl": url}).config)
    lab.commit("Move the data")
    lab.change_rate(2.0)
    env = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    refused = lab.cml("--publish", **env)
    assert refused.returncode == 3, refused.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stdout
    done = lab.cml("--publish", **env, AWS_CA_BUNDLE=str(certificate))
    assert done.returncode == 0, done.stderr


def test_hdfs_gets_its_host_and_user_from_the_configuration(lab: Lab) -> None:
    remote = Remote(url="hdfs://name.example.org:8020/some/where", options={"user": "ada"})
    path, args = opened(lab, remote, "remote.fs.fs_args")

    assert path == "/some/where"
    assert (args["host"], args["port"], args["user"]) == ("name.example.org", 8020, "ada")


def test_stages_find_the_google_key_in_a_file(lab: Lab) -> None:
    account = {"type": "service_account", "client_email": "a", "private_key": "k", "token_uri": "u"}
    spy = (
        "import json, os\nkey = json.load(open(os.environ['GOOGLE_APPLICATION_CREDENTIALS']))\n"
        "json.dump(key, open('../seen.json', 'w'))\n"
    )
    lab.write("train.py", spy + (lab.work / "train.py").read_text())
    lab.commit("Use a service of Google's")
    done = lab.cml(GOOGLE_APPLICATION_CREDENTIALS=json.dumps(account))

    assert done.returncode == 0, done.stderr
    assert json.loads((lab.root / "seen.json").read_text()) == account


def test_a_missing_extra_names_the_line_that_installs_it(lab: Lab) -> None:
    schemes = ("s3", "gs", "azure", "oss", "ssh", "webdav", "webdavs", "hdfs", "gdrive")
    remotes = {scheme: Remote(url=f"{scheme}://bucket/where").config for scheme in schemes}
    packages = [
        f"dvc_{scheme.removesuffix('s') if 'dav' in scheme else scheme}" for scheme in schemes
    ]
    site = lab.write("../site/sitecustomize.py", WITHOUT.format(packages=packages)).parent
    said = lab.run(sys.executable, "-c", REQUIRE, json.dumps(remotes), PYTHONPATH=str(site))

    extras = {**{scheme: scheme for scheme in schemes}, "webdavs": "webdav"}
    assert json.loads(said) == {
        scheme: f"install it: `pip install 'dvc[{extra}]'`" for scheme, extra in extras.items()
    }


def test_doctor_names_the_line_that_installs_a_missing_extra(lab: Lab) -> None:
    done = without(lab, "dvc_s3", "s3", "doctor")

    assert done.returncode == 1, done.stderr
    assert "`pip install 'dvc[s3]'`" in done.stdout


@pytest.mark.parametrize(
    ("package", "scheme", "extra"),
    [("dvc_s3", "s3", "s3"), ("sshfs", "ssh", "ssh"), ("webdav4", "webdavs", "webdav")],
)
def test_a_run_that_would_save_ends_where_an_extra_or_a_part_of_it_is_missing(
    lab: Lab, package: str, scheme: str, extra: str
) -> None:
    done = without(lab, package, scheme, "--publish")

    assert done.returncode == 2, done.stderr
    assert f"`pip install 'dvc[{extra}]'`" in done.stdout
    assert lab.runs == []


def without(lab: Lab, package: str, scheme: str, *command: str) -> Any:
    site = lab.write("../site/sitecustomize.py", WITHOUT.format(packages=[package])).parent
    lab.write(".dvc/config", Remote(url=f"{scheme}://bucket/where").config)
    lab.commit("Move the data")
    return lab.cml(*command, PYTHONPATH=str(site))


def test_doctor_tells_which_credentials_are_there_but_not_what_they_are(lab: Lab) -> None:
    done = lab.cml("doctor", AWS_ACCESS_KEY_ID="id-1234", OSS_BUCKET="pail-5678", AWS_CA_BUNDLE="")

    assert "credentials: for DVC remotes: AWS_ACCESS_KEY_ID, OSS_BUCKET\n" in done.stdout
    assert "id-1234" not in done.stdout + done.stderr
    assert "pail-5678" not in done.stdout + done.stderr
