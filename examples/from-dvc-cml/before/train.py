"""Fit a polynomial to most days of data/raw.csv: model.json."""

import json
from pathlib import Path

import numpy as np
import yaml

degree = yaml.safe_load(Path("params.yaml").read_text())["degree"]
temperature, kwh = np.loadtxt("data/raw.csv", delimiter=",", skiprows=31, unpack=True)
model = np.polyfit(temperature, kwh, degree).round(8).tolist()
Path("model.json").write_text(json.dumps(model))
