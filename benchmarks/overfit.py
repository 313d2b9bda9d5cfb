"""Eight photos learned by heart from random weights: what a head can learn at all.

    python -m benchmarks.overfit fcos

trains on the first eight photos of COCO128 that have objects, with the boxes of these or with
their outlines, and scores the same photos again. For points the photos are the first eight of the COCO
sample in which everyone whose points are annotated covers a fiftieth of the picture or more.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trainwright
from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish

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
    "keypoint_rcnn": {
        "name": "keypoint_rcnn",
        "hidden": [256],
        "proposals": 100,
        "samples": 64,
        "point_depth": 2,
    },
}
TYPES = {"mask_rcnn": "instances", "keypoint_rcnn": "keypoints"}
SIZES = {"faster_rcnn": 192, "mask_rcnn": 192, "keypoint_rcnn": 192}
SHOWN = ("map50", "map", "pck", "ar_100", "unowned", "steps", "wall_s", "cpu_s")
LEAST_SHARE = 0.02


def photos(data: Path, folder: Path, type: str) -> dict[str, Any]:
    """A source of the photos that are learned.

    Args:
        data: The shared data.
        folder: Where they are linked to.
        type: Of the target.
    """
    return people(data, folder) if type == "keypoints" else things(data, folder, outlined=type == "instances")


def things(data: Path, folder: Path, *, outlined: bool) -> dict[str, Any]:
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
    return {"name": "yolo", "root": str(folder)}


def people(data: Path, folder: Path) -> dict[str, Any]:
    """COCO's people in the first photos in which none with annotated points is small."""
    root = data / "coco_mini"
    told = json.loads((root / "annotations" / "person_keypoints_train2017.json").read_text())
    shares = defaultdict(list)
    pixels = {image["id"]: image["height"] * image["width"] for image in told["images"]}
    for person in told["annotations"]:
        if person["num_keypoints"]:
            shares[person["image_id"]].append(person["area"] / pixels[person["image_id"]])
    chosen = [image for image in sorted(shares) if min(shares[image]) >= LEAST_SHARE][:PHOTOS]
    kept = told | {
        "images": [image for image in told["images"] if image["id"] in chosen],
        "annotations": [person for person in told["annotations"] if person["image_id"] in chosen],
    }
    file = folder / "people.json"
    file.write_text(json.dumps(kept))
    return {"name": "coco", "annotations": str(file), "images": str(root / "train2017")}


def recipe(source: dict[str, Any], head: str, steps: int) -> dict[str, Any]:
    """All photos in every step, no augmentation, no held-out split."""
    target: dict[str, Any] = {"type": TYPES.get(head, "boxes")}
    if target["type"] == "keypoints":
        target["metrics"] = ["pck", "keypoint_map"]
    return {
        "name": f"overfit_{head}",
        "data": {
            "source": source,
            "inputs": {"image": {"type": "image", "size": SIZES.get(head, 256)}},
            "targets": {"objects": target},
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


def measured(head: str, steps: int) -> dict[str, float]:
    """Scores of a head on the photos that it learned, and how long it took."""
    data = Path(os.environ["TRAINWRIGHT_SHARED_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "photos"
        root.mkdir()
        settings = recipe(photos(data, root, TYPES.get(head, "boxes")), head, steps)
        began = time.time(), time.process_time()
        run = trainwright.train(settings, runs_dir=Path(folder) / "runs")
        seconds = {"wall_s": time.time() - began[0], "cpu_s": time.process_time() - began[1]}
        scores = run.evaluate("train")
        # Fewer than asked for where it was interrupted.
        done = float(run.record.progress["step"])
    return {name: scores[name] for name in SHOWN if name in scores} | {"steps": done} | seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overfit", description=__doc__)
    parser.add_argument("head", choices=SETTINGS)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {key: str(value) for key, value in vars(options).items()}
    results = Results("overfit", settings, now(), machine.describe(), options.head)
    values = measured(options.head, options.steps)
    results.measurements.append(Measurement(options.head, options.head, 1, values))
    finish(results, SHOWN, dry=options.dry)


if __name__ == "__main__":
    main()
