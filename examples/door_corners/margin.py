"""How much better a run finds the corners than the mean corners of the training pictures.

python margin.py runs/door_corners-...
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

from trainwright.metrics import bootstrap


def main(run: Path, table: Path) -> None:
    """Prints the mean distance of both, and the 95 % bootstrap interval of the difference."""
    with table.open(newline="") as file:
        rows = [[float(value) for value in row[1:]] for row in list(csv.reader(file))[1:]]
    mean = np.array(rows).mean(axis=0).reshape(4, 2)
    columns = parquet.read_table(run / "evaluation/test/predictions.parquet").to_pydict()
    true, found = (
        np.array([objects[0]["points"] for objects in columns[name]])[..., :2]
        for name in ("objects", "objects_predicted")
    )
    errors = np.stack([np.linalg.norm(guess - true, axis=2).mean(axis=1) for guess in (found, mean)], axis=1)
    drawn = bootstrap.resample_means(errors)
    low, high = bootstrap.interval(drawn[:, 1] - drawn[:, 0])
    ours, theirs = errors.mean(axis=0)
    print(f"mean distance of {len(true)} doors: head {ours:.2f} px, mean corners {theirs:.2f} px")
    print(f"margin {theirs - ours:.2f} px, 95 % interval {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("doors/train.csv"))
