"""A runner's machine that knows nothing of this environment: its PATH and its python3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import act_kit

if TYPE_CHECKING:
    from lab import Lab

ROOT = Path(__file__).parent.parent
PYTHON = Path(sys.base_prefix, "bin", "python3")
# Makes environments that are filled already, by a pip that says what it was asked for and knew.
STAND_IN = """\
#!/bin/sh
if [ "$1 $2 $3" != "-I -m venv" ]; then exec {base} "$@"; fi
{base} -m venv --without-pip "$4" || exit
printf '#!/bin/sh\\nexit 9\\n' > "$4/bin/dvc"
chmod +x "$4/bin/dvc"
cd "$4"/lib/python3*/site-packages
printf '%s\\n' '{packages}' '{root}' > tests.pth
cat > pip.py << 'END'
import os, sys
with open("{log}", "a") as log:
    print(*sys.argv[1:], *(name for name in os.environ if name[:3] in ("PIP", "PYT")), file=log)
    print(*(name for name in os.environ if name[:3] in ("CML", "GIT", "rep")), file=log)
END
"""


def path(lab: Lab, python: str | None = None) -> str:
    """Return the PATH of a runner; `python` is the text of another python3."""
    folder = lab.root / "machine"
    folder.mkdir(exist_ok=True)
    packages = next(Path(sys.prefix).glob("lib/python3*/site-packages"))
    log = lab.root / "pip.log"
    text = python or STAND_IN.format(base=PYTHON, packages=packages, root=ROOT, log=log)
    for name, content in (("python3", text), ("pip", act_kit.PIP.format(log=log))):
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o755)
    ours = str(Path(sys.prefix, "bin"))
    found = (part for part in os.environ["PATH"].split(os.pathsep) if part != ours)
    return os.pathsep.join([str(folder), *found])


def reachable(folder: Path) -> bool:
    """Tell whether packages can be had here."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), "click"]
    return not subprocess.run(command, capture_output=True, check=False).returncode
