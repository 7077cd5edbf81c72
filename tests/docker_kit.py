"""A Docker engine of the tests' own, images to stand in for those of registries, and ours on them.

No registry is asked: the bases are made from Debian's packages and from a Python of this machine.
Whatever a build here needs to reach its package index (certificates, an index of one's own) goes
into the bases, so that the Dockerfile is built as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess, Popen

ROOT = Path(__file__).parent.parent
DOCKER = Path("/usr/bin/docker")  # of Debian's package; others may be older or talk elsewhere
PYTHON_BASE = "python:3.12-slim-bookworm"
CUDA_BASE = "nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04"
HELPER = "cml-run-test/helper"
CERTIFICATES = "/usr/local/share/ca-certificates/of-this-machine.crt"
PACKAGES = (
    "ca-certificates,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,"
    "libuuid1,zlib1g,libexpat1,python3-pip-whl,python3-setuptools-whl"
)
LEFT_OUT = (
    "config-*", "dist-packages/*", "EXTERNALLY-MANAGED", "idlelib", "site-packages/*", "test",
    "__pycache__", "*.a",
)  # fmt: skip
DEBIAN = """\
FROM {unpacked}
COPY certificates.crt {certificates}
ENV PIP_CERT={certificates} {index}
"""
PYTHON = """\
FROM bookworm:certified
ADD python.tar /usr/local
RUN ldconfig && ln -s {name} /usr/local/bin/python3 && ln -s python3 /usr/local/bin/python \\
    && wheel=$(echo /usr/share/python-wheels/pip-*.whl) \\
    && python $wheel/pip install --quiet --no-index --ignore-installed \\
        --root-user-action=ignore --prefix /usr/local $wheel
CMD ["python3"]
"""
# NVIDIA's own entry point says a lot.
CUDA = """\
FROM trixie:certified
RUN printf '#!/bin/sh\\necho == CUDA ==\\nexec "$@"\\n' > /entry && chmod +x /entry
ENTRYPOINT ["/entry"]
"""
VARIANTS = {
    "cpu": (),
    "slim": ("--build-arg=REQUIREMENTS=run",),
    "cuda": ("--build-arg=VARIANT=cuda",),
}
LABELS = {"VERSION": "1.2.3", "REVISION": "a" * 40, "SOURCE": "https://forge.test/owner/repo"}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine; everything of it lies in `folder`."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment in which any program's `docker` is this one."""
        path = f"{DOCKER.parent}{os.pathsep}{os.environ['PATH']}"
        host = f"unix://{self.folder}/docker.sock"
        return {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "1", "PATH": path}

    def call(self, *args: str, check: bool = True) -> CompletedProcess[str]:
        """Call docker."""
        done = subprocess.run(
            [str(DOCKER), *args],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}"[-8000:]
        assert not check or done.returncode == 0, f"docker {' '.join(args)}\n{said}"
        return done

    def run(self, image: str, *args: str, options: tuple[str, ...] = ()) -> CompletedProcess[str]:
        """Run a command in a container that is gone afterwards, whether or not it fails."""
        return self.call("run", "--rm", "--network=host", *options, image, *args, check=False)

    def size(self, image: str) -> int:
        """Return an image's size in bytes, uncompressed, as docker reports it."""
        return int(self.call("image", "inspect", "--format={{.Size}}", image).stdout)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """An engine with the bases."""
    with engine() as made:
        make_bases(made)
        yield made


@dataclass(frozen=True, kw_only=True)
class Images:
    """Our images; each is built when it is first asked for."""

    engine: Engine
    built: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, variant: str) -> str:
        """Return an image's name."""
        if variant not in self.built:
            self.built[variant] = build(self.engine, variant)
        return self.built[variant]


@pytest.fixture(scope="session")
def images(docker_engine: Engine) -> Images:
    return Images(engine=docker_engine)


@contextmanager
def engine() -> Iterator[Engine]:
    """Start an engine in a folder that is gone afterwards; skip where none can be started."""
    for program in ("dockerd", "mmdebstrap"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install docker.io mmdebstrap")
    if os.geteuid() != 0 or not DOCKER.exists():
        pytest.skip("Docker's engine needs root, and Debian's docker.io")
    folder = Path(tempfile.mkdtemp(prefix="cml-docker-"))  # short: a socket's path is limited
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(_command(folder), stdout=output, stderr=output)
    try:
        made = Engine(folder=folder)
        _await(made, daemon, log)
        yield made
    finally:
        daemon.terminate()
        daemon.wait()
        _remove(folder)


def _command(folder: Path) -> list[str]:
    options = {
        "iptables": "false", "ip6tables": "false", "ip-forward": "false", "bridge": "none",
        "storage-driver": "overlay2", "data-root": f"{folder}/data", "exec-root": f"{folder}/run",
        "pidfile": f"{folder}/pid", "host": f"unix://{folder}/docker.sock",
    }  # fmt: skip
    return ["dockerd", *(f"--{name}={value}" for name, value in options.items())]


def _await(made: Engine, daemon: Popen[bytes], log: Path) -> None:
    while made.call("version", check=False).returncode:
        if daemon.poll() is not None:
            pytest.skip(f"Docker cannot be started here: {log.read_text().splitlines()[-1]}")
        time.sleep(0.1)


def _remove(folder: Path) -> None:
    """Take away what an engine has left mounted, the innermost first, and then its folder."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    mounted = [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]
    for point in sorted(mounted, reverse=True):
        subprocess.run(["umount", point], check=True)
    shutil.rmtree(folder)


def make_bases(made: Engine) -> None:
    """Make the images that the Dockerfile begins with, under the names that it knows them by."""
    context = made.folder / "bases"
    context.mkdir()
    _make_debian(made, "bookworm", PACKAGES)
    _build(made, PYTHON_BASE, PYTHON.format(name=_pack_python(context / "python.tar")))
    # Its libraries are named as those of Ubuntu 24.04, on which NVIDIA's image is.
    _make_debian(made, "trixie", "ca-certificates")
    _build(made, CUDA_BASE, CUDA)
    made.call("tag", PYTHON_BASE, HELPER)


def _make_debian(made: Engine, suite: str, packages: str) -> None:
    """Make an image of a Debian, which reaches the package index as this machine does."""
    context = made.folder / "bases"
    tar = context / "debian.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}"]
    subprocess.run([*command, suite, str(tar)], check=True)
    made.call("import", str(tar), suite)
    tar.unlink()
    known = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shutil.copyfile(known, context / "certificates.crt")
    index = " ".join(
        f"{name}={os.environ[name]}"
        for name in ("PIP_INDEX_URL", "PIP_TRUSTED_HOST", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
        if name in os.environ
    )
    text = DEBIAN.format(unpacked=suite, certificates=CERTIFICATES, index=index)
    _build(made, f"{suite}:certified", text)


def _build(made: Engine, tag: str, dockerfile: str) -> None:
    context = made.folder / "bases"
    (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    made.call("build", "--network=host", f"--tag={tag}", str(context))


def _pack_python(tar: Path) -> str:
    """Pack this machine's Python as it would lie in /usr/local; return its program's name."""
    prefix, name = Path(sys.base_prefix), f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = [f"bin/{name}", f"lib/{name}", *prefix.glob(f"lib/lib{name}.so*")]
    found += [item for item in (f"include/{name}",) if (prefix / item).exists()]
    names = [str(Path(prefix / item).relative_to(prefix)) for item in found]
    excluded = [f"--exclude={item}" for item in LEFT_OUT]
    subprocess.run(["tar", f"--directory={prefix}", *excluded, "-cf", str(tar), *names], check=True)
    return name


def build(made: Engine, variant: str) -> str:
    """Build one of our images, as the Dockerfile says; return its name."""
    tag = f"cml-run:{variant}"
    given = [f"--build-arg={name}={value}" for name, value in LABELS.items()]
    file = f"--file={ROOT / 'docker' / 'Dockerfile'}"
    made.call(
        "build", "--network=host", file, *VARIANTS[variant], *given, f"--tag={tag}", str(ROOT)
    )
    return tag
