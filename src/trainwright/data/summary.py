"""What the data came to, for `data/` of the run directory."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

from trainwright.data.counting import class_counts
from trainwright.data.processors.number import NumberProcessor
from trainwright.data.types import Dropped, PreparedData, Processor


def summary(data: PreparedData) -> dict[str, Any]:
    """Sizes, classes, ranges and what was left out, as JSON.

    Returns:
        `fingerprint`; `sizes` per split; `dropped` with `count` and `reasons`; `notices`; and per column
        under `inputs` and `targets` its `type`, `shape`, and by type: of a category `classes` and
        `counts` per split, of a number `low`, `high` and `mean` of the training split, of an image `mean`
        and `std` in units of [0, 1] where they were measured.
    """
    dropped = data.all_dropped()
    return {
        "fingerprint": data.fingerprint,
        "sizes": {name: len(rows) for name, rows in data.splits.items()},
        "dropped": {
            "count": len({(item.row, item.name) for item in dropped}),
            "reasons": dict(Counter(item.reason for item in dropped).most_common(20)),
        },
        "notices": list(data.notices),
        "inputs": {name: _column(data, name, processor) for name, processor in data.inputs.items()},
        "targets": {name: _column(data, name, processor) for name, processor in data.targets.items()},
    }


def write_dropped(path: Path, dropped: list[Dropped]) -> None:
    """Writes one CSV line per dropped sample: its name, row (empty for what is no row), column, reason."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", "row", "column", "reason"])
    for item in dropped:
        writer.writerow([item.name, item.row if item.row >= 0 else "", item.column, item.reason])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text.getvalue(), encoding="utf-8")
    temporary.replace(path)


def _column(data: PreparedData, name: str, processor: Processor) -> dict[str, Any]:
    spec = processor.spec()
    about: dict[str, Any] = {"type": spec.type, "shape": list(spec.shape)}
    values = data.arrays.get(name)
    if spec.type == "category" and values is not None:
        about["classes"] = list(spec.classes)
        about["counts"] = {
            split: class_counts(values, rows, len(spec.classes)).tolist()
            for split, rows in data.splits.items()
        }
    elif isinstance(processor, NumberProcessor):
        about |= {"low": processor.low, "high": processor.high, "mean": processor.mean}
        about["columns"] = processor.columns
    elif spec.type == "image":
        fitted = processor.state().get("fitted", {})
        about |= {key: fitted[key] for key in ("mode", "mean", "std") if key in fitted}
        about["streamed"] = values is None
    return about
