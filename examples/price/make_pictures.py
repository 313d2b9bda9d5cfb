"""Pictures of houses, and a table of their prices.

python make_pictures.py houses
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def price(width: float, floors: int, garage: bool, trees: int, rng: np.random.Generator) -> float:
    """In thousands: area times a rate, and factors for what is beside it; a tenth is anybody's guess."""
    value = 2.2 * width * floors * 1.25**garage * 1.08**trees
    return float(value * np.exp(rng.normal(0, 0.1)))


def picture(width: float, floors: int, garage: bool, trees: int, rng: np.random.Generator) -> Image.Image:
    """One house on a lawn, 64 pixels wide and high."""
    sky = (int(rng.integers(120, 180)), int(rng.integers(170, 220)), 235)
    image = Image.new("RGB", (64, 64), sky)
    draw = ImageDraw.Draw(image)
    ground = int(rng.integers(50, 56))
    draw.rectangle((0, ground, 64, 64), fill=(70, int(rng.integers(120, 170)), 60))
    left = float(rng.uniform(3, 46 - width))
    top = ground - 10 * floors
    wall = tuple(map(int, rng.integers(140, 240, 3)))
    draw.polygon([(left - 2, top), (left + width / 2, top - 8), (left + width + 2, top)], fill=(150, 60, 40))
    draw.rectangle((left, top, left + width, ground), fill=wall)
    for floor in range(floors):
        for x in np.arange(left + 3, left + width - 4, 7):
            draw.rectangle((x, top + 10 * floor + 3, x + 3, top + 10 * floor + 7), fill=(40, 50, 80))
    if garage:
        draw.rectangle((left + width, ground - 8, left + width + 10, ground), fill=(170, 170, 175))
        draw.rectangle((left + width + 2, ground - 6, left + width + 8, ground), fill=(90, 90, 95))
    for _ in range(trees):
        x = float(rng.uniform(2, 62))
        draw.rectangle((x - 1, ground, x + 1, ground + 5), fill=(90, 60, 30))
        draw.ellipse((x - 4, ground - 6, x + 4, ground + 2), fill=(30, int(rng.integers(80, 120)), 40))
    noisy = np.asarray(image, dtype=np.float64) + rng.normal(0, 6, (64, 64, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def make(folder: Path, counts: dict[str, int], seed: int) -> None:
    """Writes `FOLDER/SPLIT-NUMBER.png` and `FOLDER/houses.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "houses.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "price", "split"])
        for place, (split, count) in enumerate(counts.items()):
            for number in range(count):
                rng = np.random.default_rng((seed, place, number))
                width, floors = float(rng.uniform(14, 40)), int(rng.integers(1, 4))
                garage, trees = bool(rng.integers(0, 2)), int(rng.integers(0, 4))
                name = f"{split}-{number:04}.png"
                picture(width, floors, garage, trees, rng).save(folder / name)
                table.writerow([name, round(price(width, floors, garage, trees, rng), 2), split])


def main() -> None:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--train", type=int, default=800, help="houses to learn from [800]")
    parser.add_argument("--test", type=int, default=200, help="houses held out [200]")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    make(given.folder, {"train": given.train, "test": given.test}, given.seed)


if __name__ == "__main__":
    main()
