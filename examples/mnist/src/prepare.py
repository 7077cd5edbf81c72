"""Split the handwritten digits that scikit-learn ships: 1,797 pictures of 8 by 8 pixels."""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def main() -> None:
    """Write prepared/train.npz, validation.npz and test.npz, each with all ten digits in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--validation-share", type=float, required=True)
    parser.add_argument("--test-share", type=float, required=True)
    options = parser.parse_args()
    images, labels = load_digits(return_X_y=True)
    rows = np.arange(len(labels))
    rest, test = split(rows, labels, options.test_share, options.seed)
    train, validation = split(rest, labels, options.validation_share, options.seed)
    folder = Path("prepared")
    folder.mkdir(exist_ok=True)
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        scaled = (images[part] / 16).astype(np.float32)
        np.savez(folder / f"{name}.npz", id=part, images=scaled, labels=labels[part])
        print(f"{name}: {len(part)} digits")


def split(
    rows: np.ndarray, labels: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the larger and the smaller part of some rows, both in the order of the data."""
    larger, smaller = train_test_split(
        rows, test_size=share, random_state=seed, stratify=labels[rows]
    )
    return np.sort(larger), np.sort(smaller)


if __name__ == "__main__":
    main()
