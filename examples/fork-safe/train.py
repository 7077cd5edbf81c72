"""Fit a polynomial to prepared/train.csv: its coefficients, and the curve to look at."""

import argparse
import json
from pathlib import Path

import numpy as np


def main() -> None:
    """Write model.json, and curve.csv from the coldest day to the warmest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--degree", type=int, required=True)
    degree = parser.parse_args().degree
    temperature, kwh = np.loadtxt("prepared/train.csv", delimiter=",", skiprows=1, unpack=True)
    coefficients = np.polyfit(temperature, kwh, degree).round(8)
    Path("model.json").write_text(json.dumps(coefficients.tolist()) + "\n")
    grid = np.linspace(temperature.min(), temperature.max(), 25)
    curve = np.column_stack([grid, np.polyval(coefficients, grid)])
    np.savetxt("curve.csv", curve, "%.3f", delimiter=",", header="temperature,kwh", comments="")
    print(f"a polynomial of degree {degree} through {len(kwh)} days")


if __name__ == "__main__":
    main()
