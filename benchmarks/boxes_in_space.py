"""Boxes in space from one picture: the shipped recipe on held-out pictures, beside the mean.

    python -m benchmarks.boxes_in_space

makes the pictures of `examples/boxes_in_space`, trains the recipe `boxes_in_space` on one thread and scores
the test pictures. `mean` has the same finds, and tells of each, on its ray from the camera, the mean depth,
size and heading of the training objects of its class: what a score is worth when nothing is read from the
picture but where an object is seen, and of which class it is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine
from benchmarks.processes import ROOT
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish, show

WORK = "boxes_in_space"
CLASSES = ("crate", "van")
SHOWN = ("map3d", "map_bev", "map_distance", "depth_error", "size_error", "yaw_error", "cpu_s")

Doubles = NDArray[np.float64]
Scene = list[tuple[str, float, Doubles]]
"""Objects of a picture: class, score, and x, y, z of the centre, height, width, length, yaw."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{WORK}", description=__doc__)
    parser.add_argument("--epochs", type=int, default=0, help="0 leaves those of the recipe")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    settings = {key: str(value) for key, value in vars(options).items()}
    results = Results(WORK, settings, now(), machine.describe(), "ours")
    with tempfile.TemporaryDirectory() as folder:
        for name, values in measured(Path(folder), options.epochs).items():
            results.measurements.append(Measurement(WORK, name, 1, values))
            show(results.measurements[-1])
    finish(results, SHOWN, dry=options.dry)


def measured(folder: Path, epochs: int) -> dict[str, dict[str, float]]:
    """Scores of the recipe and of the mean on the test pictures."""
    import trainwright

    pictures = folder / WORK
    subprocess.run([sys.executable, ROOT / "examples" / WORK / "make_pictures.py", pictures], check=True)
    os.environ["DATA"] = str(folder)
    settings = {"train.threads": 1, "report.enabled": False} | ({"train.epochs": epochs} if epochs else {})
    began = time.process_time()
    run = trainwright.train(WORK, settings, runs_dir=folder / "runs")
    seconds = time.process_time() - began
    files = sorted((pictures / "testing" / "image_2").iterdir())
    truth = [labelled(pictures / "testing" / "label_2" / f"{file.stem}.txt") for file in files]
    found = [told(record["objects_predicted"]) for record in run.predict(files).records()]
    learned = [labelled(file) for file in sorted((pictures / "training" / "label_2").iterdir())]
    return {
        "ours": scored(found, truth) | {"cpu_s": seconds},
        "mean": scored(at_the_mean(found, learned), truth),
    }


def labelled(file: Path) -> Scene:
    """Objects of a label file of KITTI, whose place is the middle of the bottom."""
    scene = []
    for line in file.read_text().splitlines():
        label, *numbers = line.split()
        height, width, length, x, y, z, yaw = map(float, numbers[7:14])
        scene.append((label, 1.0, np.array([x, y - height / 2, z, height, width, length, yaw])))
    return scene


def told(objects: str | list[dict[str, Any]]) -> Scene:
    """Objects as `predict` tells them."""
    records = json.loads(objects) if isinstance(objects, str) else objects
    return [
        (
            record["class"],
            record["score"],
            np.array([*record["box3d"]["centre"], *record["box3d"]["size"], record["box3d"]["yaw"]]),
        )
        for record in records
    ]


def at_the_mean(found: list[Scene], learned: list[Scene]) -> list[Scene]:
    """The finds, each moved along its ray to the mean depth of its class, in its mean size and heading."""
    means = {}
    for label in CLASSES:
        boxes = np.stack([box for scene in learned for name, _, box in scene if name == label])
        heading = np.arctan2(np.sin(boxes[:, 6]).mean(), np.cos(boxes[:, 6]).mean())
        means[label] = boxes[:, 2].mean(), np.append(boxes[:, 3:6].mean(0), heading)
    return [
        [
            (label, score, np.append(box[:3] * means[label][0] / box[2], means[label][1]))
            for label, score, box in scene
        ]
        for scene in found
    ]


def scored(found: list[Scene], truth: list[Scene]) -> dict[str, float]:
    """The metric `map3d`."""
    from trainwright.metrics.map3d import map3d

    return map3d(_padded(found), _padded(truth))


def _padded(scenes: list[Scene]) -> dict[str, NDArray[Any]]:
    """Objects of all pictures as one array by name; rows without an object have class -1."""
    most = max(1, *map(len, scenes))
    labels = np.full((len(scenes), most), -1)
    scores, boxes = np.zeros(labels.shape), np.zeros((*labels.shape, 7))
    for row, scene in enumerate(scenes):
        for place, (label, score, box) in enumerate(scene):
            labels[row, place], scores[row, place] = CLASSES.index(label), score
            boxes[row, place] = box
    return {"labels": labels, "scores": scores, "boxes3d": boxes}


if __name__ == "__main__":
    main()
