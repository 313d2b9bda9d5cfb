"""Pictures of vans and crates on a plain, in KITTI's folders: boxes in the picture and in space.

python make_pictures.py boxes_in_space && trainwright train boxes_in_space
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (96, 192)  # height and width in pixels
CAMERA = np.array([[150.0, 0, 96, 0], [0, 150, 40, 0], [0, 0, 1, 0]])
ABOVE_GROUND = 1.6  # metres
KINDS = {"van": ((2.0, 1.9, 4.6), (200, 60, 40)), "crate": ((1.2, 1.3, 1.6), (50, 110, 190))}
# Corners of each side, of the eight: four of the bottom, from the front left on around, and those above.
FACES = {
    "front": (0, 1, 5, 4),
    "right": (1, 2, 6, 5),
    "back": (2, 3, 7, 6),
    "left": (3, 0, 4, 7),
    "top": (4, 5, 6, 7),
}
LIGHT = {"front": 1.25, "right": 0.8, "back": 0.6, "left": 0.7, "top": 1.0}


def corners_of(box: np.ndarray) -> np.ndarray:
    """The eight corners `[8, 3]` of a box: x, y, z of its centre, height, width, length, yaw."""
    x, y, z, height, width, length, yaw = box
    ahead = np.array([np.cos(yaw), 0, -np.sin(yaw)]) * length / 2
    aside = np.array([np.sin(yaw), 0, np.cos(yaw)]) * width / 2
    flat = np.array([ahead + aside, ahead - aside, -ahead - aside, -ahead + aside])
    down = np.array([0, height / 2, 0])
    return np.concatenate([flat + down, flat - down]) + np.array([x, y, z])


def in_picture(points: np.ndarray) -> np.ndarray:
    """x and y in pixels `[n, 2]` of points in space."""
    seen = points @ CAMERA[:, :3].T + CAMERA[:, 3]
    return seen[:, :2] / seen[:, 2:]


def boxes_of(rng: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """One to three objects that stand apart and can be seen whole in width."""
    found: list[tuple[str, np.ndarray]] = []
    wanted = int(rng.integers(1, 4))
    for _ in range(100):
        kind = str(rng.choice(list(KINDS)))
        size = np.array(KINDS[kind][0]) * rng.uniform(0.9, 1.1, 3)
        z = rng.uniform(6, 22)
        x = rng.uniform(-0.45, 0.45) * z
        box = np.array([x, ABOVE_GROUND - size[0] / 2, z, *size, rng.uniform(-np.pi, np.pi)])
        left, right = in_picture(corners_of(box))[:, 0].min(), in_picture(corners_of(box))[:, 0].max()
        apart = all(np.hypot(box[0] - other[0], box[2] - other[2]) > 5 for _, other in found)
        beside = all(
            right < spot[:, 0].min() or left > spot[:, 0].max()
            for spot in (in_picture(corners_of(other)) for _, other in found)
        )
        if left > 0 and right < SIZE[1] and apart and beside:
            found.append((kind, box))
        if len(found) == wanted:
            break
    return found


def picture(rng: np.random.Generator, objects: list[tuple[str, np.ndarray]]) -> Image.Image:
    """Sky, plain, and the visible sides of every object; the front is the brightest and has a stripe."""
    height, width = SIZE
    sky, plain = rng.integers(120, 230, 3), rng.integers(60, 140, 3)
    image = Image.new("RGB", (width, height), tuple(map(int, sky)))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, int(CAMERA[1, 2]), width, height), fill=tuple(map(int, plain)))
    for kind, box in sorted(objects, key=lambda item: -item[1][2]):
        colour = np.array(KINDS[kind][1]) * rng.uniform(0.8, 1.2)
        corners = corners_of(box)
        for name, places in FACES.items():
            side = corners[list(places)]
            normal = np.cross(side[1] - side[0], side[2] - side[0])
            outwards = normal * np.sign(normal @ (side.mean(axis=0) - box[:3]))
            if outwards @ side.mean(axis=0) >= 0:  # turned away from the camera
                continue
            shade = tuple(map(int, (colour * LIGHT[name]).clip(0, 255)))
            pen.polygon([tuple(point) for point in in_picture(side)], fill=shade)
            if name == "front":
                band = np.concatenate(
                    [0.7 * side[:2] + 0.3 * side[[3, 2]], 0.4 * side[[1, 0]] + 0.6 * side[[2, 3]]]
                )
                pen.polygon([tuple(point) for point in in_picture(band)], fill=(240, 240, 200))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)), dtype=np.float64)
    return Image.fromarray((blurred + rng.normal(0, 4, blurred.shape)).clip(0, 255).astype(np.uint8))


def line_of(kind: str, box: np.ndarray) -> str:
    """A line of a label file."""
    x, y, z, *size, yaw = box
    places = in_picture(corners_of(box))
    corners = [*places.min(axis=0), *places.max(axis=0)]
    left, top, right, bottom = np.clip(corners, 0, [SIZE[1], SIZE[0]] * 2)
    numbers = [yaw - np.arctan2(x, z), left, top, right, bottom, *size, x, y + size[0] / 2, z, yaw]
    return " ".join([kind, "0.00", "0", *(f"{number:.3f}" for number in numbers)])


def make(folder: Path, counts: dict[str, int], seed: int) -> None:
    """Writes `FOLDER/SPLIT/image_2`, `label_2` and `calib`."""
    for place, (split, count) in enumerate(counts.items()):
        for part in ("image_2", "label_2", "calib"):
            (folder / split / part).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            rng = np.random.default_rng((seed, place, number))
            objects = boxes_of(rng)
            picture(rng, objects).save(folder / split / "image_2" / f"{number:06}.png")
            lines = [line_of(kind, box) for kind, box in objects]
            (folder / split / "label_2" / f"{number:06}.txt").write_text("\n".join(lines) + "\n")
            camera = " ".join(f"{value:g}" for value in CAMERA.ravel())
            (folder / split / "calib" / f"{number:06}.txt").write_text(f"P2: {camera}\n")


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=800, help="pictures to learn from [800]")
    parser.add_argument("--test", type=int, default=150, help="pictures held out [150]")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make(given.folder, {"training": given.train, "testing": given.test}, given.seed)


if __name__ == "__main__":
    main()
