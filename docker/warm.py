"""Load what runs load, so that its bytecode is there: users may not be able to write it."""

import subprocess
import sys
from pathlib import Path

LOAD = """
import importlib
from importlib.util import find_spec
for name in ("dvc_azure", "dvc_gdrive", "dvc_gs", "dvc_http", "dvc_oss", "dvc_s3", "dvc_ssh",
             "dvc_webdav", "github", "gitlab"):
    if find_spec(name):
        importlib.import_module(name)
"""

# Few runs reckon with chance: these are only tried, for what trimming may have broken.
TRY = "import pandas, scipy.special, tensorboard.util.tensor_util"

environment, extras = Path(sys.argv[1]), sys.argv[2]
python = environment / "bin" / "python"
subprocess.run([python, "-I", "-c", LOAD], check=True)
if extras != "run":
    subprocess.run([python, "-I", "-B", "-c", TRY], check=True)
subprocess.run([environment / "bin" / "cml-run", "demo"], check=True, stdout=subprocess.DEVNULL)
