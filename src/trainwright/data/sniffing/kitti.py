"""KITTI's folders of pictures, labels and calibrations."""

from __future__ import annotations

from pathlib import Path

from trainwright.data.sniffing.annotated import annotated_guess
from trainwright.data.sniffing.guess import Guess
from trainwright.data.sources.kitti import KittiSource


def detect(path: Path) -> Guess | None:
    """A folder with `image_2`, `label_2` and `calib`, at the top or in `training`."""
    places = [path, path / "training"]
    if not any(all((place / name).is_dir() for name in ("image_2", "label_2", "calib")) for place in places):
        return None
    source = KittiSource(root=str(path))
    notes = ["KITTI's object benchmark; `type: boxes3d` in place of `boxes` learns the boxes in space"]
    return annotated_guess(source, {"name": "kitti", "root": str(path)}, notes)
