"""Judge model.json by the first 30 days of data/raw.csv: metrics.json."""

import json
from pathlib import Path

import numpy as np

model = json.loads(Path("model.json").read_text())
temperature, kwh = np.loadtxt("data/raw.csv", delimiter=",", skiprows=1, max_rows=30, unpack=True)
errors = kwh - np.polyval(model, temperature)
metrics = {"r2": round(1 - float(errors.var() / kwh.var()), 4)}
Path("metrics.json").write_text(json.dumps(metrics))
print(metrics)
