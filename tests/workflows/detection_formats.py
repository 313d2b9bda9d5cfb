"""Pictures with blocks of two colours, annotated alike in several formats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red": (220, 40, 40), "blue": (40, 40, 220)}
SIZE = (48, 64)


def scenes(root: Path, count: int = 8) -> Path:
    """`images/` with pictures, whose annotations the other functions write beside it."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(90, 130, (*SIZE, 3), dtype=np.uint8)
        for name, (left, top, right, bottom) in boxes(number):
            pixels[top:bottom, left:right] = COLOURS[name]
        Image.fromarray(pixels).save(root / "images" / f"{number}.png")
    return root


def boxes(number: int) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Class and left, top, right, bottom of the blocks of a picture."""
    left, top = 3 * number, 2 * number
    return [("red", (left, top, left + 16, top + 14)), ("blue", (left + 20, 30, left + 36, 46))]


def voc(root: Path, count: int = 8) -> Path:
    """`Annotations/` with an XML file per picture; VOC calls the first pixel 1."""
    folder = scenes(root, count) / "Annotations"
    folder.mkdir()
    for number in range(count):
        objects = "".join(
            f"<object><name>{name}</name><bndbox><xmin>{a + 1}</xmin><ymin>{b + 1}</ymin>"
            f"<xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>"
            for name, (a, b, c, d) in boxes(number)
        )
        size = f"<size><width>{SIZE[1]}</width><height>{SIZE[0]}</height><depth>3</depth></size>"
        xml = f"<annotation><filename>{number}.png</filename>{size}{objects}</annotation>"
        (folder / f"{number}.xml").write_text(xml)
    return root


def yolo(root: Path, count: int = 8) -> Path:
    """`labels/` and a `data.yaml`, which has the classes in another order."""
    scenes(root, count)
    (root / "labels").mkdir()
    names = ["blue", "red"]
    for number in range(count):
        lines = [
            f"{names.index(name)} {(a + c) / 128} {(b + d) / 96} {(c - a) / 64} {(d - b) / 48}"
            for name, (a, b, c, d) in boxes(number)
        ]
        (root / "labels" / f"{number}.txt").write_text("\n".join(lines) + "\n")
    (root / "data.yaml").write_text(f"train: images\nnames: [{', '.join(names)}]\n")
    return root


def coco(root: Path, count: int = 8, *, outlines: bool = True, points: bool = False, **more: int) -> Path:
    """`annotations/instances.json`: ids with gaps, classes in another order, perhaps `more` of them by id."""
    scenes(root, count)
    (root / "annotations").mkdir()
    ids = {"blue": 7, "red": 12, **more}
    annotations = []
    for number in range(count):
        for name, (a, b, c, d) in [*boxes(number), *((name, (2, 40, 12, 46)) for name in more)]:
            item = {"id": len(annotations) + 1, "image_id": 100 + 3 * number, "category_id": ids[name]}
            item |= {"bbox": [a, b, c - a, d - b], "area": (c - a) * (d - b), "iscrowd": 0}
            if outlines:
                item["segmentation"] = [[a, b, c, b, c, d, a, d]]
            if points:
                item |= {"keypoints": [a, b, 2, c, d, 2], "num_keypoints": 2}
            annotations.append(item)
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    if points:
        categories = [{**item, "keypoints": ["first", "last"]} for item in categories]
    images = [
        {"id": 100 + 3 * number, "file_name": f"{number}.png", "width": SIZE[1], "height": SIZE[0]}
        for number in range(count)
    ]
    file = root / "annotations" / "instances.json"
    file.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return file


def detector(source: dict[str, object], type: str = "boxes", head: str = "fcos") -> dict[str, object]:
    """A recipe of a detector that hardly begins to learn."""
    return {
        "name": "detector",
        "data": {
            "source": source,
            "inputs": {"image": {"type": "image", "size": list(SIZE)}},
            "targets": {"objects": {"type": type}},
            "split": {"val": 0.25},
        },
        "model": {
            "name": "pyramid",
            "backbone": {"name": "small", "widths": [8, 8], "blocks": [1, 1]},
            "neck": {"name": "fpn", "width": 8},
            "heads": {"objects": {"name": head, "detections": 20}},
        },
        "train": {"steps": 3, "threads": 1, "device": "cpu", "precision": "fp32", "batch_size": 4},
        "report": {"enabled": False},
    }
