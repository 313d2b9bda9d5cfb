"""Redshifts of galaxies from their colours, beside scikit-learn's gradient boosting on the same split.

    python -m benchmarks.photometric_redshifts --seeds 0

The shipped recipe trains on its own training split; gradient boosting, with squared and with absolute error,
gets all rows that are not in the test split. What counts is sigma_MAD of `(predicted - true) / (1 + true)` on
the test split, and the 95 % interval of the difference (ours minus theirs) over resamples of the galaxies,
the same ones for both.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.datasets import shared_data
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish, show

WORK = "photometric_redshifts"
RESAMPLES = 2000

Doubles = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{WORK}", description=__doc__)
    parser.add_argument("--seeds", default="0", help="of split and training, with commas between")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results(
        WORK, {"seeds": options.seeds, "threads": str(options.threads)}, now(), machine.describe(), "ours"
    )
    table = np.genfromtxt(
        shared_data() / "galaxy_photoz" / "mldata_lin_est.csv", delimiter=",", skip_header=1
    )
    for seed in map(int, options.seeds.split(",")):
        rows, ours, seconds = _ours(seed, options.threads)
        true = table[rows, -1]
        dz = {"ours": _dz(ours, true)}
        values = {"sigma_mad": sigma_mad(dz["ours"]), "train_s": seconds}
        results.measurements.append(Measurement(WORK, "ours", seed, values))
        show(results.measurements[-1])
        for loss in ("squared_error", "absolute_error"):
            predicted, seconds = _boosting(table, rows, loss)
            dz[loss] = _dz(predicted, true)
            low, high = paired_interval(dz["ours"], dz[loss], seed)
            values = {
                "sigma_mad": sigma_mad(dz[loss]),
                "train_s": seconds,
                "ours_minus_this": sigma_mad(dz["ours"]) - sigma_mad(dz[loss]),
                "low": low,
                "high": high,
            }
            results.measurements.append(Measurement(WORK, f"boosting_{loss}", seed, values))
            show(results.measurements[-1])
    values = ("sigma_mad", "ours_minus_this", "low", "high", "train_s")
    finish(results, values, dry=options.dry)


def sigma_mad(dz: Doubles) -> float:
    """1.4826 times the median absolute deviation from the median."""
    return float(1.4826 * np.median(np.abs(dz - np.median(dz))))


def paired_interval(first: Doubles, second: Doubles, seed: int) -> tuple[float, float]:
    """95 % bootstrap interval of sigma_MAD of `first` minus that of `second`, over the same galaxies."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(first), len(first)) for _ in range(RESAMPLES))
    differences = [sigma_mad(first[rows]) - sigma_mad(second[rows]) for rows in drawn]
    low, high = np.quantile(differences, [0.025, 0.975])
    return float(low), float(high)


def _dz(predicted: Doubles, true: Doubles) -> Doubles:
    return (predicted - true) / (1 + true)


def _ours(seed: int, threads: int) -> tuple[NDArray[np.int64], Doubles, float]:
    """Rows of the test split, predictions of the shipped recipe, and seconds."""
    import trainwright as tw
    from trainwright.inference.predictions import read_predictions

    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        changes = {"train.seed": seed, "data.split.seed": seed, "train.threads": threads}
        changes["data.source.path"] = str(shared_data() / "galaxy_photoz" / "mldata_lin_est.csv")
        run = tw.train("galaxy_photoz", changes, runs_dir=folder)
        seconds = time.perf_counter() - begin
        found = read_predictions(Path(run.path) / "evaluation" / "test" / "predictions.parquet")
        return np.array(found["row"]), np.array(found["redshift_predicted"]), seconds


def _boosting(table: Doubles, test: NDArray[np.int64], loss: str) -> tuple[Doubles, float]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    rest = np.setdiff1d(np.arange(len(table)), test)
    begin = time.perf_counter()
    model = HistGradientBoostingRegressor(loss=loss, random_state=0).fit(table[rest, :-1], table[rest, -1])
    return model.predict(table[test, :-1]), time.perf_counter() - begin


if __name__ == "__main__":
    main()
