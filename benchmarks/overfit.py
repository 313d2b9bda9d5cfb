"""Eight photos learned by heart from random weights: what a head can learn at all.

    python -m benchmarks.overfit fcos

trains on the first eight photos of COCO128 that have objects, with the boxes of these or with
their outlines, and scores the same photos again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import trainwright

PHOTOS = 8
SETTINGS: dict[str, dict[str, Any]] = {
    "fcos": {"name": "fcos", "depth": 2, "reach": 4},
    "retinanet": {"name": "retinanet", "depth": 2, "sizes": [2.0, 3.0]},
    "ssd": {"name": "ssd", "smallest": 0.1},
    "faster_rcnn": {"name": "faster_rcnn", "hidden": [256], "proposals": 100, "samples": 64},
    "mask_rcnn": {
        "name": "mask_rcnn",
        "hidden": [256],
        "proposals": 100,
        "samples": 64,
        "mask_depth": 2,
    },
}
OUTLINED = ("mask_rcnn",)
SIZES = {"faster_rcnn": 192, "mask_rcnn": 192}


def photos(data: Path, folder: Path, *, outlined: bool) -> Path:
    """A YOLO folder of the first photos that have objects."""
    kind = data / "coco128" / ("instance_segmentation" if outlined else "object_detection")
    labels = kind / "labels" / "train2017"
    chosen = [file for file in sorted(labels.glob("*.txt")) if file.read_text().strip()][:PHOTOS]
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for file in chosen:
        photo = data / "coco128" / "images" / "train2017" / f"{file.stem}.jpg"
        (folder / "images" / photo.name).symlink_to(photo)
        (folder / "labels" / file.name).symlink_to(file)
    names = (kind / "config.yaml").read_text().partition("names:")[2]
    (folder / "data.yaml").write_text("train: images\nnames:" + names)
    return folder


def recipe(root: Path, head: str, steps: int) -> dict[str, Any]:
    """All photos in every step, no augmentation, no held-out split."""
    return {
        "name": f"overfit_{head}",
        "data": {
            "source": {"name": "yolo", "root": str(root)},
            "inputs": {"image": {"type": "image", "size": SIZES.get(head, 256)}},
            "targets": {"objects": {"type": "instances" if head in OUTLINED else "boxes"}},
            "split": {},
        },
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [32, 64, 128, 256]},
            "neck": {"name": "fpn", "width": 64},
            "heads": {"objects": SETTINGS[head]},
        },
        "train": {
            "steps": steps,
            "batch_size": PHOTOS,
            "optimizer": {"name": "adamw", "lr": 2e-3},
            "schedule": {"name": "one_cycle"},
            "precision": "fp32",
        },
        "report": {"enabled": False},
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("head", choices=SETTINGS)
    parser.add_argument("--steps", type=int, default=300)
    arguments = parser.parse_args()
    data = Path(os.environ["TRAINWRIGHT_SHARED_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "photos"
        root.mkdir()
        settings = recipe(
            photos(data, root, outlined=arguments.head in OUTLINED), arguments.head, arguments.steps
        )
        began = time.time(), time.process_time()
        run = trainwright.train(settings, runs_dir=Path(folder) / "runs")
        seconds = {"wall_s": time.time() - began[0], "cpu_s": time.process_time() - began[1]}
        scores = run.evaluate("train")
        # Fewer than asked for where it was interrupted.
        steps = run.record.progress["step"]
    kept = {name: round(scores[name], 4) for name in ("map50", "map", "ar_100", "unowned") if name in scores}
    print(json.dumps({"head": arguments.head, "steps": steps} | kept | seconds))


if __name__ == "__main__":
    main()
