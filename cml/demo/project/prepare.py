"""Split raw.csv into prepared/train.csv and prepared/test.csv, with every column in one scale."""

import argparse
import csv
import random
import statistics
from pathlib import Path


def main() -> None:
    """Shuffle, split, and scale by what the training rows show, never the test rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    with Path("raw.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    random.Random(options.seed).shuffle(rows)
    held_out = round(len(rows) * options.test_share)
    scales = [scale(column) for column in list(zip(*rows[held_out:]))[:-1]]
    write("test.csv", header, rows[:held_out], scales)
    write("train.csv", header, rows[held_out:], scales)
    print(f"{len(rows) - held_out} rows to train with, {held_out} to test with")


def scale(column: tuple[str, ...]) -> tuple[float, float]:
    """Return a column's mean and standard deviation."""
    values = [float(value) for value in column]
    return statistics.fmean(values), statistics.pstdev(values)


def write(
    name: str, header: list[str], rows: list[list[str]], scales: list[tuple[float, float]]
) -> None:
    """Write rows whose features have mean 0 and deviation 1; the last column is the label."""
    path = Path("prepared", name)
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for *features, label in rows:
            scaled = [
                round((float(value) - mean) / deviation, 4)
                for value, (mean, deviation) in zip(features, scales)
            ]
            writer.writerow([*scaled, label])


if __name__ == "__main__":
    main()
