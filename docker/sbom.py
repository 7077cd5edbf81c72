"""Write what is in the image as CycloneDX 1.5: Debian's packages, and those of this environment.

Source of the format: https://cyclonedx.org/docs/1.5/json/ and, for `purl`,
https://github.com/package-url/purl-spec
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from urllib.parse import quote

Component = dict[str, str]


def component(kind: str, name: str, version: str) -> Component:
    """Return one entry."""
    purl = f"pkg:{kind}/{quote(name)}@{quote(version)}"
    return {"type": "library", "name": name, "version": version, "bom-ref": purl, "purl": purl}


def python_packages() -> Iterator[Component]:
    """Yield the packages beside cml-run."""
    for found in metadata.distributions():
        yield component("pypi", found.name.lower().replace("_", "-"), found.version)


def system_packages() -> Iterator[Component]:
    """Yield the packages of Debian or Ubuntu."""
    distribution = platform.freedesktop_os_release()["ID"]
    listed = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in listed.splitlines():
        yield component(f"deb/{distribution}", *line.split())


components = {found["purl"]: found for found in [*python_packages(), *system_packages()]}
json.dump(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": sorted(components.values(), key=lambda found: found["purl"]),
    },
    sys.stdout,
    indent=1,
)
