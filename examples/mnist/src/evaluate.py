"""Judge model.npz by the digits that it was not trained with."""

import csv
import json
from pathlib import Path

import network
import numpy as np
from sklearn.metrics import accuracy_score, f1_score


def main() -> None:
    """Write metrics.json, and the answer to each digit to predictions.csv."""
    with np.load("prepared/test.npz") as test, np.load("model.npz") as model:
        numbers, images, labels = test["id"], test["images"], test["labels"]
        weights = dict(model)
    guesses = network.probabilities(weights, images).argmax(axis=1)
    metrics = {
        "accuracy": round(float(accuracy_score(labels, guesses)), 4),
        "f1": round(float(f1_score(labels, guesses, average="macro")), 4),
        "loss": round(network.loss(weights, images, labels), 4),
    }
    Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    with Path("predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "label", "prediction"])
        writer.writerows(zip(numbers, labels, guesses, strict=True))
    print(", ".join(f"{name} {value}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
