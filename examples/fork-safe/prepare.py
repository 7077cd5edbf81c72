"""Split days.csv: some days to learn from, the others to judge by."""

import argparse
import random
from pathlib import Path


def main() -> None:
    """Shuffle the days, and write prepared/train.csv and prepared/test.csv."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-share", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    header, *days = Path("days.csv").read_text().splitlines()
    random.Random(options.seed).shuffle(days)
    held_out = round(len(days) * options.test_share)
    folder = Path("prepared")
    folder.mkdir(exist_ok=True)
    for name, rows in (("test.csv", days[:held_out]), ("train.csv", days[held_out:])):
        (folder / name).write_text("\n".join([header, *rows, ""]))
    print(f"{len(days) - held_out} days to learn from, {held_out} to judge by")


if __name__ == "__main__":
    main()
