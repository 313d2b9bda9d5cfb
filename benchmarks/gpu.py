"""On a machine with an NVIDIA GPU: the four workloads, and resnet50 on photos against a synthetic loop.

    python -m benchmarks.gpu --work W1,W2,W3,photos --rounds 3

The synthetic loop trains the same network on one batch of noise that never leaves the accelerator, and
so is the ceiling for training from decoded photos. The photos are cut from those of `clothing10`.
`--device cpu --photos 64 --work photos` tries it out without a GPU.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from benchmarks import machine
from benchmarks.datasets import cache_folder, prepare, shared_data
from benchmarks.results import Measurement, Results, now
from benchmarks.running import RECIPES, Conditions, measure, run_ours, run_script
from benchmarks.training import SHOWN, finish, schedule, show
from benchmarks.workloads import CONTESTANTS, PACKAGES, Contestant

TABLE = ("ours", "ours_auto", "bare", "bare_bf16")
PHOTO_WIDTH, PHOTO_HEIGHT, CLASSES, VAL_PHOTOS = 400, 300, 10, 256


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--work", default="W1,W2,W3,photos", help=f"of {', '.join(PACKAGES)}, photos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=8192, help="training photos to make")
    parser.add_argument("--set", action="append", default=[], help="override of our photo recipe")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    works = options.work.split(",")
    conditions = Conditions(device=options.device)
    results = Results(
        "gpu",
        {key: str(value) for key, value in vars(options).items()},
        now(),
        machine.describe(),
        baseline="bare",
    )
    try:
        for work in (work for work in works if work in PACKAGES):
            prepare(work)
            for name in ("ours", "ours_auto"):
                show(measure(work, name, CONTESTANTS[name], 0, conditions))
            for _, name, number in schedule([work], TABLE, options.rounds, 0):
                results.measurements.append(measure(work, name, CONTESTANTS[name], number, conditions))
                show(results.measurements[-1])
        if "photos" in works:
            make_photos(options.photos)
            for number in range(options.rounds + 1):
                for name in ("bare", "ours", "bare_compiled", "ours_compiled"):
                    found = measure_photos(name, number, options.photos, conditions, tuple(options.set))
                    show(found)
                    if number:  # round 0 decodes the photos and compiles
                        results.measurements.append(found)
    finally:
        finish(results, SHOWN, dry=options.dry)


def make_photos(count: int) -> None:
    """Writes `photos/train/CLASS` and `photos/val/CLASS`: random windows of the photos of `clothing10`."""
    folder = cache_folder() / "photos"
    if folder.exists() and sum(1 for _ in folder.glob("train/*/*.jpg")) == count:
        return
    shutil.rmtree(folder, ignore_errors=True)
    draw = random.Random(0)
    sources = sorted((shared_data() / "clothing10").glob("*/*.jpg"))
    for number in range(count + VAL_PHOTOS):
        split = "train" if number < count else "val"
        target = folder / split / f"class{number % CLASSES}" / f"{number:06}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(draw.choice(sources)) as photo:
            wide, tall = (draw.uniform(0.5, 1) * side for side in photo.size)
            left, top = draw.uniform(0, photo.width - wide), draw.uniform(0, photo.height - tall)
            box = (left, top, left + wide, top + tall)
            photo.convert("RGB").resize((PHOTO_WIDTH, PHOTO_HEIGHT), box=box).save(target, quality=90)


def measure_photos(
    name: str, number: int, photos: int, conditions: Conditions, overrides: tuple[str, ...]
) -> Measurement:
    """One training of resnet50, ours or the synthetic loop."""
    scratch = Path(tempfile.mkdtemp(prefix="benchmark-"))
    compiled = name.endswith("_compiled")
    try:
        if name.startswith("ours"):
            chosen = (f"train.compile={str(compiled).lower()}", *overrides)
            ours = run_ours(str(RECIPES / "photos.yaml"), chosen, scratch, conditions)
            values, note = ours.values, ours.execution
        else:
            arguments = (str(photos), *(["--compile"] if compiled else []))
            values, note = run_script(
                "photos.synthetic", Contestant("synthetic"), scratch, conditions, arguments
            )
        return Measurement("photos", name, number, values, note)
    except (ValueError, KeyError, OSError) as error:
        return Measurement("photos", name, number, {}, error=f"{type(error).__name__}: {error}"[-1000:])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
