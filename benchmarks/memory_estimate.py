"""How near the estimate of a training's memory comes to what it then takes, for six models on the CPU.

DATA=/path/to/data python -m benchmarks.memory_estimate
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, processes
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

# Trains, and prints the rise of the peak over what the imports of a training take.
TRAIN = """
import json, sys
from trainwright.allocator import keep_freed_memory
keep_freed_memory()
import trainwright.workflows.session
from trainwright.machine.process_memory import peak_bytes, resident_bytes
begun_at = resident_bytes()
from trainwright.workflows.training import train
train(json.loads(sys.argv[1]), runs_dir=sys.argv[2])
print(json.dumps({"rise": peak_bytes() - begun_at}))
"""
# Prints what the probe says of the same.
ESTIMATE = """
import json, sys
from trainwright import recipe as recipes
from trainwright.engine.memory_bound import Counted
from trainwright.engine.runtime import Execution
from trainwright.workflows.room import probe_sizes
from trainwright.workflows.step_probe import probe_steps
loaded = recipes.load(json.loads(sys.argv[1]))
train = loaded.recipe.train
batch = train.batch_size
execution = Execution("cpu", channels_last=True, threads=train.threads, evaluation_batch=min(batch, 64))
found = probe_steps(loaded, execution, probe_sizes(Counted(0, 0, 0.0, 0), batch, 1 << 40), 1 << 34)
print(json.dumps({"estimate": found.estimate(0).host_bytes(batch) + found.mapped}))
"""
_TRAIN = {"precision": "fp32", "memory_format": "channels_last", "threads": 2}


def _photos(model: Any, size: int, batch: int, steps: int) -> dict[str, Any]:
    return {
        "name": "memory",
        "data": {
            "source": {"name": "folder", "root": "${DATA}/clothing10"},
            "inputs": {"image": {"type": "image", "size": size}},
            "targets": {"label": "category"},
            "split": {"val": 0.2},
            "augment": ["flip"],
        },
        "model": model,
        "train": {**_TRAIN, "steps": steps, "batch_size": batch},
        "report": {"enabled": False},
    }


def cases() -> dict[str, dict[str, Any]]:
    """Name and recipe of each model; a little more than an epoch, so that steps follow a checkpoint."""
    small = _photos("cnn", 32, 256, 50)
    small["data"]["source"]["root"] = "${DATA}/cifar10/cifar10_images.zip"
    table = _photos({"name": "mlp", "hidden": [1024, 1024, 1024]}, 1, 1024, 40)
    columns = ["F606W flux (muJy)", "F814W flux (muJy)", "F125W flux (muJy)", "F160W flux (muJy)"]
    table["data"] = {
        "source": {"name": "table", "path": "${DATA}/galaxy_photoz/mldata_lin_est.csv"},
        "inputs": {"fluxes": {"type": "number", "normalise": "log", "columns": columns}},
        "targets": {"redshift": "number"},
        "split": {"val": 0.1, "test": 0.2},
    }
    del table["train"]["memory_format"]
    return {
        "small CNN": small,
        "larger CNN": _photos({"name": "cnn", "widths": [64, 128, 256]}, 64, 64, 7),
        "resnet18": _photos("resnet18", 64, 64, 7),
        "efficientnet_b0": _photos("efficientnet_b0", 128, 32, 11),
        "mlp": table,
        "vit_tiny": _photos("vit_tiny_patch16_224", 224, 16, 19),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory_estimate", description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of models")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results("memory_estimate", {}, now(), machine.describe(), baseline="training")
    for name, recipe in cases().items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            # The first training fills the caches, as the check before it does. The peak hangs on where in a
            # step the checkpoint's writer stands, so the middle of three is taken.
            outcomes = [_run(TRAIN, recipe, str(Path(folder) / str(turn))) for turn in range(4)]
            estimate = _run(ESTIMATE, recipe)["estimate"]
        rises = [outcome["rise"] for outcome in outcomes[1:]]
        for number, rise in enumerate(rises, 1):
            for contestant, taken in (("training", rise), ("estimate", estimate)):
                results.measurements.append(Measurement(name, contestant, number, _mib(taken)))
        print(f"{name}: {estimate / statistics.median(rises) - 1:+.1%}", file=sys.stderr)
    finish(results, ("peak_rise_mib",), dry=options.dry)


def _mib(taken: int) -> dict[str, float]:
    return {"peak_rise_mib": taken / 2**20}


def _run(code: str, recipe: dict[str, Any], *words: str) -> dict[str, Any]:
    command = (sys.executable, "-c", code, json.dumps(recipe), *words)
    cache = {"DATA": os.environ["DATA"], "TRAINWRIGHT_CACHE": os.environ.get("TRAINWRIGHT_CACHE", "")}
    return processes.run(command, {key: value for key, value in cache.items() if value}).last_line()


if __name__ == "__main__":
    main()
