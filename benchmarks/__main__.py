"""Measure cml-run against what a user would run instead, and print one table.

`python benchmarks` measures everything; `python benchmarks skip many_tags` only these cases. A
target that is missed is told and is no failure: other programs on the machine may be the cause.
"""

from __future__ import annotations

import sys

import cases
import fixtures
from tabulate import tabulate

HEADINGS = ("case", "instead of", "unit", "theirs", "ours", "ratio", "target", "ok")


def main(names: list[str]) -> None:
    """Measure the cases of these names, or all."""
    known = {case.__name__: case for case in cases.ALL}
    if unknown := set(names) - known.keys():
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rows: list[cases.Row] = []
    for name in names or known:
        print(f"measuring {name}", file=sys.stderr)
        rows += known[name]()
    print(tabulate(map(line, rows), HEADINGS, disable_numparse=True))
    print(f"\nthe script: {cases.SCRIPT}")
    print("each number: the least of several interleaved runs, after one that is not counted")
    print(f"scratch folder: {fixtures.SCRATCH}")
    for row in rows:
        if not row.holds:
            print(f"TARGET MISSED: {row.case} ({row.unit})")


def line(row: cases.Row) -> tuple[str, ...]:
    """Return a row as the texts of its columns."""
    digits = {"s": ".2f", "MB": ".0f", "bytes": ",.0f", "requests": ".0f"}[row.unit]
    target = f"<= {row.target:,}" + (" bytes" if row.unit == "bytes" else "")
    return (
        row.case,
        row.instead,
        row.unit,
        format(row.theirs, digits),
        format(row.ours, digits),
        "-" if row.ratio is None else f"{row.ratio:.3f}",
        target,
        "yes" if row.holds else "NO",
    )


main(sys.argv[1:])
