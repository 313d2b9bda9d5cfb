"""Planted leakage: test images of the CIFAR subset, resized and recompressed, hidden in its training split.

Twenty (or more) test images are resized to 28 or 36 pixels and back, saved as JPEG of quality 75 and put
into `train`; `trainwright data check` has to find all of them. On the untouched set it may flag at most
1 % of the test images; what it flags there are the near-duplicates that CIFAR is known for (Barz and
Denzler, "Do We Train on Test Data?", 2020), shown as pictures with `--page`.

python -m benchmarks.leakage --planted 20 --rounds 3 --page leakage.html
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks import machine
from benchmarks.datasets import shared_data
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish, show
from trainwright.data.checks.look_alikes import CROWD, find_look_alikes
from trainwright.data.checks.subject import Subject
from trainwright.workflows.gate import CheckedData, check_data, write_page

SIZES = (28, 36)
QUALITY = 75


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leakage", description=__doc__)
    parser.add_argument("--planted", type=int, default=20, help="copies in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", metavar="FILE", help="page of what the untouched set has of its own")
    parser.add_argument("--dry", action="store_true", help="do not store the results")
    options = parser.parse_args(arguments)
    results = Results(
        "leakage",
        {"planted": str(options.planted), "rounds": str(options.rounds)},
        now(),
        machine.describe(),
        baseline="untouched",
    )
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "cifar10"
        unpack(shared_data() / "cifar10" / "cifar10_images.zip", root)
        checked, values = measure(root)
        results.measurements.append(Measurement("leakage", "untouched", 0, values))
        show(results.measurements[-1])
        if options.page and checked.data is not None:
            write_page(Path(options.page), checked.data, checked.findings, "CIFAR subset, untouched")
        for number in range(1, options.rounds + 1):
            planted = plant(root, options.planted, seed=number)
            checked, values = measure(root)
            found = found_copies(checked, planted)
            results.measurements.append(
                Measurement("leakage", "planted", number, values | {"planted": len(planted), "found": found})
            )
            show(results.measurements[-1])
            for path in planted:
                (root / path).unlink()
    finish(results, ("found", "flagged_test_images", "check_s", "compare_s", "peak_mib"), dry=options.dry)


def unpack(archive: Path, root: Path) -> None:
    """Lays the archive out as `train/CLASS` and `test/CLASS`."""
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            parts = Path(member.filename).parts
            if not member.is_dir() and {"train", "test"} & set(parts):
                target = root.joinpath(*parts[-3:])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(opened.read(member))


def plant(root: Path, count: int, seed: int) -> dict[str, str]:
    """Writes changed copies of test images into `train`; gives copy -> original, relative to the root."""
    chosen = random.Random(seed).sample(sorted(root.glob("test/*/*")), count)
    planted = {}
    for place, original in enumerate(chosen):
        size = SIZES[place % len(SIZES)]
        copy = root / "train" / original.parent.name / f"planted-{place}.jpg"
        copy.write_bytes(changed(original.read_bytes(), size))
        planted[str(copy.relative_to(root))] = str(original.relative_to(root))
    return planted


def changed(data: bytes, size: int) -> bytes:
    """A picture recompressed, resized, and resized back and recompressed."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    whole = image.size
    for wanted in ((size, size), whole):
        file = io.BytesIO()
        image.resize(wanted, Image.Resampling.BILINEAR).save(file, "JPEG", quality=QUALITY)
        image = Image.open(io.BytesIO(file.getvalue()))
    return file.getvalue()


def measure(root: Path) -> tuple[CheckedData, dict[str, float]]:
    """A thorough check, and the comparison of test with train alone."""
    begin = time.perf_counter()
    checked = check_data(_recipe(root))
    check_s = time.perf_counter() - begin
    assert checked.data is not None
    subject = Subject(checked.data)
    pixels = checked.data.arrays["image"]
    begin = time.perf_counter()
    test, train = (subject.splits[name] for name in ("test", "train"))
    found = find_look_alikes(pixels, test, train, subject.sample(subject.rows, CROWD))
    return checked, {
        "check_s": check_s,
        "compare_s": time.perf_counter() - begin,
        "pairs": float(len(test) * len(train)),
        "flagged_test_images": float(len(set(found.left.tolist()))),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def found_copies(checked: CheckedData, planted: dict[str, str]) -> int:
    """How many copies `data fix` would leave out because of their original."""
    reasons = {fix.sample: fix.reason for fix in checked.findings.fixes}
    return sum(reasons.get(copy, "").endswith(original) for copy, original in planted.items())


def _recipe(root: Path) -> dict[str, Any]:
    return {
        "name": "leakage",
        "data": {
            "source": {"name": "folder", "root": str(root)},
            "inputs": {"image": {"type": "image"}},
            "targets": {"label": {"type": "category"}},
        },
        "model": {"name": "cnn"},
    }


if __name__ == "__main__":
    main()
