"""Take out of an environment what cml-run and DVC never use there; nobody else uses it."""

import gzip
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCES = {".a", ".c", ".cc", ".cpp", ".f", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"}
# Descriptions of services that DVC does not talk to.
GOOGLE = "googleapiclient/discovery_cache/documents"
AMAZON = "botocore/data"
AMAZON_KEPT = {"s3", "signin", "sso", "sso-oidc", "sts"}
# The Student and normal distributions need only these of SciPy.
SCIPY_KEPT = {"_external", "_lib", "linalg", "special"}
UNUSED = (
    "pip",  # nothing is installed or built here afterwards
    "pip-*",
    "setuptools",
    "setuptools-*",
    "_distutils_hack",
    "distutils-precedence.pth",
    "pyarrow",  # it reaches HDFS through Java and Hadoop, which the image does not have
    "pyarrow-*",
    "OpenSSL",  # held so old that it fails with our cryptography; Drive and OSS do without
    "py[Oo]pen[Ss][Ss][Ll]-*",
    "PIL",  # for writing TensorBoard's images; only its scalars are read
    "pillow.libs",
    "pillow-*",
    "tensorboard_data_server/bin",  # for TensorBoard's pages
    "tensorboard/webfiles.zip",
    "tensorboard/plugins/projector/tf_projector_plugin",
    "numpy/_core/_simd.*.so",  # for its tests, as the next
    "Crypto/SelfTest",
    "scipy/special/cython_special.*.so",  # for extensions that others compile
)
UNPACK = '''\
"""The library of vl-convert, which is packed: only plots need it, and it is large."""

import gzip
import os
import shutil
from importlib import machinery, util
from pathlib import Path

_packed = Path(__file__).with_name("vl_convert.abi3.so.gz")
_memory = os.memfd_create("vl_convert")
with gzip.open(_packed) as _source, os.fdopen(os.dup(_memory), "wb") as _target:
    shutil.copyfileobj(_source, _target, 1 << 20)
_file = f"/proc/self/fd/{_memory}"
_loader = machinery.ExtensionFileLoader("vl_convert.vl_convert", _file)
_spec = util.spec_from_file_location(_loader.name, _file, loader=_loader)
vl_convert = util.module_from_spec(_spec)
_loader.exec_module(vl_convert)
os.close(_memory)
globals().update({name: getattr(vl_convert, name) for name in vl_convert.__all__})
'''


def unused(site: Path) -> Iterator[Path]:
    """Yield files and folders that go."""
    yield from (path for name in UNUSED for path in site.glob(name))
    yield from site.glob("*.dist-info/RECORD")  # for who uninstalls
    yield from (path for path in site.rglob("*") if path.suffix in SOURCES and path.is_file())
    yield from (path for name in ("test", "tests") for path in site.rglob(name))
    yield from (path for path in (site / GOOGLE).glob("*.json") if path.name[:6] != "drive.")
    yield from (path for path in (site / AMAZON).glob("*/") if path.name not in AMAZON_KEPT)
    yield from (path for path in (site / "scipy").glob("*/") if path.name not in SCIPY_KEPT)


def strip(site: Path) -> None:
    """Take symbols for debuggers out of libraries, but for those that wheels have moved.

    Their loader finds no page of them afterwards.
    """
    found = [path for path in site.rglob("*.so") if path.relative_to(site).parts[0][-5:] != ".libs"]
    subprocess.run(["strip", "--strip-unneeded", *found], check=True)


def pack(site: Path) -> None:
    """Pack the library that draws plots."""
    library = site / "vl_convert" / "vl_convert.abi3.so"
    with library.open("rb") as source, gzip.open(f"{library}.gz", "wb", 6) as target:
        shutil.copyfileobj(source, target)
    library.unlink()
    library.with_name("__init__.py").write_text(UNPACK)


def isolate(environment: Path) -> None:
    """Let no variable of the job, such as PYTHONPATH, bear on our own commands."""
    for name in ("cml-run", "dvc_cml_run", "dvc"):
        script = environment / "bin" / name
        first, rest = script.read_text().split("\n", 1)
        script.write_text(f"{first} -I\n{rest}")


def main(environment: Path) -> None:
    """Trim an environment."""
    (site,) = environment.glob("lib/python*/site-packages")
    for path in list(unused(site)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    strip(site)
    pack(site)
    isolate(environment)


main(Path(sys.argv[1]))
