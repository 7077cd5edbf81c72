"""Fit a logistic regression to prepared/train.csv: model.json, and the loss by epoch, loss.csv."""

import argparse
import csv
import json
import math
from pathlib import Path


def main() -> None:
    """Walk down the gradient of the log loss, one step for each epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()
    with Path("prepared/train.csv").open(newline="") as file:
        names, *lines = csv.reader(file)
    rows = [[1.0, *map(float, line)] for line in lines]
    weights = [0.0] * len(names)
    losses = []
    for _ in range(options.epochs):
        loss, gradient = look_around(weights, rows)
        weights = [w - options.rate * g for w, g in zip(weights, gradient)]
        losses.append(loss)
    save(dict(zip(["bias", *names], weights)), losses)
    print(f"log loss {losses[0]:.3f} -> {losses[-1]:.3f} in {options.epochs} epochs")


def look_around(weights: list[float], rows: list[list[float]]) -> tuple[float, list[float]]:
    """Return the mean log loss and its gradient; a row ends with its label."""
    loss, gradient = 0.0, [0.0] * len(weights)
    for *features, label in rows:
        score = sum(w * x for w, x in zip(weights, features))
        guess = 1 / (1 + math.exp(-score))
        loss -= math.log(guess if label else 1 - guess) / len(rows)
        for i, x in enumerate(features):
            gradient[i] += (guess - label) * x / len(rows)
    return loss, gradient


def save(model: dict[str, float], losses: list[float]) -> None:
    """Write the weights by name, and the loss before each step."""
    weights = {name: round(weight, 6) for name, weight in model.items()}
    Path("model.json").write_text(json.dumps(weights, indent=2) + "\n")
    with Path("loss.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", "loss"])
        writer.writerows((epoch, round(loss, 6)) for epoch, loss in enumerate(losses, start=1))


if __name__ == "__main__":
    main()
