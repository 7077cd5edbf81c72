"""Judge model.json by the days in prepared/test.csv, which it has not seen."""

import json
from pathlib import Path

import numpy as np


def main() -> None:
    """Write metrics.json: the usual error in kWh, and the share of the variance explained."""
    coefficients = json.loads(Path("model.json").read_text())
    temperature, kwh = np.loadtxt("prepared/test.csv", delimiter=",", skiprows=1, unpack=True)
    errors = kwh - np.polyval(coefficients, temperature)
    metrics = {
        "r2": round(1 - float(errors.var() / kwh.var()), 4),
        "rmse": round(float(np.sqrt((errors**2).mean())), 4),
    }
    Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(", ".join(f"{name} {value}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
