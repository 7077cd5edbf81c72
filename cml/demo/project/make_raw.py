"""Write raw.csv: what pumps measured, and whether they failed within the month.

Change the seed or the number of rows to see what new data does to the model:
python3 make_raw.py --rows 800 --seed 8
"""

import argparse
import csv
import math
import random
from pathlib import Path


def main() -> None:
    """Draw pumps that run hot with age; one that is hotter than its age explains tends to fail."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with Path("raw.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["hours", "temperature", "pressure", "vibration", "failed"])
        for _ in range(options.rows):
            writer.writerow(pump(draw))


def pump(draw: random.Random) -> list[float | int]:
    """Return hours run, degrees Celsius, bar, mm/s, and 1 for a pump that failed."""
    age, heat, pressure, vibration = (draw.gauss(0, 1) for _ in range(4))
    odds = math.exp(2.6 * heat + 0.9 * vibration - 0.4 * pressure - 0.8)
    failed = draw.random() < odds / (1 + odds)
    return [
        round(5000 + 1200 * age),
        round(60 + 8 * age + 3 * heat, 1),
        round(6 + 0.5 * pressure, 2),
        round(3 + 0.8 * vibration, 2),
        int(failed),
    ]


if __name__ == "__main__":
    main()
