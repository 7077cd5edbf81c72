"""A network with one hidden layer as plain arrays, whichever library has trained it."""

import argparse
import csv
from pathlib import Path

import numpy as np


def options() -> argparse.Namespace:
    """Read what dvc.yaml passes on of `train` in params.yaml."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def digits(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images, one a row, and the labels of a part of the data."""
    with np.load(Path("prepared", f"{name}.npz")) as found:
        return found["images"], found["labels"]


def probabilities(model: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """Return for each image how likely it is to be each of the ten digits."""
    hidden = np.maximum(images @ model["weights_1"] + model["bias_1"], 0)
    scores = hidden @ model["weights_2"] + model["bias_2"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def loss(model: dict[str, np.ndarray], images: np.ndarray, labels: np.ndarray) -> float:
    """Return the cross-entropy, in nats per digit."""
    right = probabilities(model, images)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(right, 1e-12)).mean())


def losses(model: dict[str, np.ndarray]) -> tuple[float, float]:
    """Return the losses on the digits that it is trained with, and on those of validation."""
    return loss(model, *digits("train")), loss(model, *digits("validation"))


def save(model: dict[str, np.ndarray], history: list[tuple[float, float]]) -> None:
    """Write model.npz, and to loss.csv the losses by epoch: of the training, and of validation."""
    np.savez("model.npz", **model)
    with Path("loss.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["epoch", "train", "validation"])
        writer.writerows(
            (epoch, round(train, 5), round(validation, 5))
            for epoch, (train, validation) in enumerate(history, start=1)
        )
    print(f"loss on the validation set {history[0][1]:.3f} -> {history[-1][1]:.3f}")
