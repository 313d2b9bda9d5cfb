"""How much better a run tells prices than the mean price of the training houses.

python margin.py runs/price-...
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

from trainwright.metrics import bootstrap


def main(run: Path, table: Path) -> None:
    """Prints the mean relative error of both, and the 95 % bootstrap interval of the difference."""
    with table.open(newline="") as file:
        mean = np.mean([float(row["price"]) for row in csv.DictReader(file) if row["split"] == "train"])
    columns = parquet.read_table(run / "evaluation/test/predictions.parquet").to_pydict()
    true, found = (np.array(columns[name], dtype=np.float64) for name in ("price", "price_predicted"))
    errors = np.stack([np.abs(found - true) / true, np.abs(mean - true) / true], axis=1) * 100
    drawn = bootstrap.resample_means(errors)
    low, high = bootstrap.interval(drawn[:, 1] - drawn[:, 0])
    ours, theirs = errors.mean(axis=0)
    print(f"mean relative error of {len(true)} prices: head {ours:.1f} %, mean price {theirs:.1f} %")
    print(f"margin {theirs - ours:.1f} points, 95 % interval {low:.1f} to {high:.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("houses/houses.csv"))
