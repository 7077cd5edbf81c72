"""Judge model.json by prepared/test.csv: metrics.json, and each guess in confusion.csv."""

import csv
import json
import math
from pathlib import Path

THRESHOLD = 0.5


def main() -> None:
    """Write accuracy, area under the ROC curve and log loss, all on rows not trained with."""
    model = json.loads(Path("model.json").read_text())
    with Path("prepared/test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [int(row["failed"]) for row in rows]
    guesses = [probability(model, row) for row in rows]
    metrics = {
        "accuracy": sum((p > THRESHOLD) == bool(y) for p, y in zip(guesses, labels)) / len(rows),
        "auc": area_under_curve(guesses, labels),
        "log_loss": -sum(math.log(p if y else 1 - p) for p, y in zip(guesses, labels)) / len(rows),
    }
    rounded = {name: round(value, 6) for name, value in metrics.items()}
    Path("metrics.json").write_text(json.dumps(rounded, indent=2) + "\n")
    words = ("works", "fails")
    with Path("confusion.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["actual", "predicted"])
        writer.writerows((words[y], words[p > THRESHOLD]) for p, y in zip(guesses, labels))
    print(", ".join(f"{name} {value:.3f}" for name, value in rounded.items()))


def probability(model: dict[str, float], row: dict[str, str]) -> float:
    """Return how likely the pump is to fail."""
    names = [name for name in model if name != "bias"]
    score = model["bias"] + sum(model[name] * float(row[name]) for name in names)
    return 1 / (1 + math.exp(-score))


def area_under_curve(guesses: list[float], labels: list[int]) -> float:
    """Return the share of (failed, working) pairs that are in the right order; a tie is half."""
    failed = [p for p, y in zip(guesses, labels) if y]
    working = [p for p, y in zip(guesses, labels) if not y]
    wins = sum((a > b) + (a == b) / 2 for a in failed for b in working)
    return wins / (len(failed) * len(working))


if __name__ == "__main__":
    main()
