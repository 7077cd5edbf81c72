"""A polynomial through the days of a table; what both projects share."""

import argparse
import json
import random
from pathlib import Path

import numpy as np


def main() -> None:
    """Fit a polynomial to most days of days.csv; write model.json, and of the rest metrics.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--degree", type=int, required=True)
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    days = np.loadtxt("days.csv", delimiter=",", skiprows=1)
    order = random.Random(options.seed).sample(range(len(days)), len(days))
    held_out = round(len(days) * options.test_share)
    test, train = days[order[:held_out]].T, days[order[held_out:]].T
    coefficients = np.polyfit(*train, options.degree).round(8)
    errors = test[1] - np.polyval(coefficients, test[0])
    metrics = {
        "r2": round(1 - float(errors.var() / test[1].var()), 4),
        "rmse": round(float(np.sqrt((errors**2).mean())), 4),
    }
    Path("model.json").write_text(json.dumps(coefficients.tolist()) + "\n")
    Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(", ".join(f"{name} {value}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
