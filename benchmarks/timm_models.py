"""Builds every architecture that timm lists, without memory, and writes down what came of it.

    uv run python benchmarks/timm_models.py [--pattern 'vit_*'] [--output benchmarks/results/timm_models.csv]

A row tells the number of parameters with ten classes, the published image size, the size that was checked,
and either `ok` or the words in which the architecture was refused. Needs a few minutes and no network.
"""

from __future__ import annotations

import argparse
import csv
import gc
import sys
import time
import warnings
from pathlib import Path

from trainwright.data.types import TensorSpec
from trainwright.errors import TrainwrightError
from trainwright.models.inspect import check_model
from trainwright.models.timm_model import timm_model

CLASSES = 10
FIELDS = ["name", "parameters", "published_size", "result", "reason", "seconds"]
DEFAULT = Path(__file__).parent / "results" / "timm_models.csv"


def published_size(name: str) -> tuple[int, int, int]:
    """Channels, height and width that an architecture was published for."""
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(name)
    channels, height, width = (config.input_size if config else None) or (3, 224, 224)
    return channels, height, width


def examine(name: str) -> dict[str, object]:
    """One row: the architecture built on the meta device and sent one fake batch."""
    channels, height, width = published_size(name)
    spec = {"image": TensorSpec("image", (channels, height, width))}
    begin = time.perf_counter()
    row: dict[str, object] = {"name": name, "published_size": f"{width}x{height}"}
    try:
        summary = check_model(lambda: timm_model(name, channels, CLASSES, (height, width)), spec, CLASSES)
        row |= {"parameters": summary.parameters, "result": "ok", "reason": ""}
    except TrainwrightError as error:
        row |= {"parameters": "", "result": "refused", "reason": " | ".join(str(error).split("\n"))}
    except Exception as error:  # a defect to be found by this very script
        row |= {"parameters": "", "result": "failed", "reason": f"{type(error).__name__}: {error}"}
    row["seconds"] = f"{time.perf_counter() - begin:.2f}"
    return row


def main() -> int:
    """Examines all architectures; 1 when one of them failed without words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pattern", default="", help="such as 'vit_*'; all when absent")
    parser.add_argument("--output", type=Path, default=DEFAULT)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    import timm

    names = timm.list_models(options.pattern)
    counts: dict[str, int] = {}
    with options.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for number, name in enumerate(names, start=1):
            row = examine(name)
            writer.writerow(row)
            file.flush()
            counts[str(row["result"])] = counts.get(str(row["result"]), 0) + 1
            if row["result"] != "ok" or number % 100 == 0:
                print(f"{number}/{len(names)} {name}: {row['result']} {row['reason']}", flush=True)
            if number % 20 == 0:
                gc.collect()
    print(f"timm {timm.__version__}: {len(names)} architectures,", counts)
    return 1 if counts.get("failed") else 0


if __name__ == "__main__":
    sys.exit(main())
