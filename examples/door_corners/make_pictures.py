"""Pictures of a garage door seen askew, and tables of its four corners.

python make_pictures.py doors
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")


def door(rng: np.random.Generator, size: int) -> np.ndarray:
    """Corners of a door in pixels, float64 `[4, 2]`: a rectangle whose corners are moved one by one."""
    half = rng.uniform(0.16, 0.3, 2) * size
    middle = rng.uniform(0.38, 0.62, 2) * size
    rectangle = middle + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return rectangle + rng.uniform(-0.06, 0.06, (4, 2)) * size


def picture(rng: np.random.Generator, corners: np.ndarray, size: int) -> Image.Image:
    """A wall with windows, the door with its panels, and shrubs that may hide a part of it."""
    wall, colour = rng.integers(60, 220, 3), rng.integers(40, 240, 3)
    if np.abs(wall - colour).sum() < 90:  # nobody could see that door
        colour = 255 - wall
    image = Image.new("RGB", (size, size), tuple(map(int, wall)))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 3)):
        x, y = rng.uniform(0, 0.9, 2) * size
        draw.rectangle((x, y, x + 0.12 * size, y + 0.1 * size), fill=tuple(map(int, rng.integers(0, 255, 3))))
    draw.polygon([tuple(corner) for corner in corners], fill=tuple(map(int, colour)))
    for share in np.arange(1, 4) / 4:
        left = corners[0] + share * (corners[3] - corners[0])
        right = corners[1] + share * (corners[2] - corners[1])
        draw.line([tuple(left), tuple(right)], fill=tuple(map(int, colour * 0.7)))
    for _ in range(rng.integers(0, 3)):
        x, y = rng.uniform(0, size), rng.uniform(0.6, 1.0) * size
        radius = rng.uniform(0.04, 0.1) * size
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=(30, int(rng.integers(60, 140)), 40)
        )
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float64)
    noisy = blurred * rng.uniform(0.7, 1.15) + rng.normal(0, 6, blurred.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def make(folder: Path, counts: dict[str, int], size: int, seed: int) -> None:
    """Writes `FOLDER/SPLIT/NUMBER.png` and `FOLDER/SPLIT.csv` with x and y of every corner."""
    for place, (split, count) in enumerate(counts.items()):
        (folder / split).mkdir(parents=True, exist_ok=True)
        with (folder / f"{split}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["picture", *(f"{name}_{axis}" for name in CORNERS for axis in "xy")])
            for number in range(count):
                rng = np.random.default_rng((seed, place, number))
                corners = door(rng, size)
                picture(rng, corners, size).save(folder / split / f"{number:04}.png")
                table.writerow([f"{number:04}.png", *corners.round(2).reshape(-1).tolist()])


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=600, help="pictures to learn from [600]")
    parser.add_argument("--test", type=int, default=150, help="pictures held out [150]")
    parser.add_argument("--size", type=int, default=64, help="side in pixels [64]")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make(given.folder, {"train": given.train, "test": given.test}, given.size, given.seed)


if __name__ == "__main__":
    main()
