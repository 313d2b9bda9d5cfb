"""What the peers share: torchvision's transforms, and the decoder by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from torchvision import transforms

from benchmarks.workloads.loading import MEAN, RATIO, SMALLEST, STD


def varied(size: int) -> transforms.Compose:
    """Crop, mirror and normalise one picture."""
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(size, scale=(SMALLEST, 1), ratio=(1 / RATIO, RATIO)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def decode(decoder: str) -> Callable[[bytes], Any]:
    """From a JPEG's bytes to a picture in RGB."""
    return _simplejpeg if decoder == "simplejpeg" else _pillow


def load(decoder: str) -> Callable[[str], Any]:
    """From a path to a picture in RGB."""
    made = decode(decoder)
    return lambda path: made(Path(path).read_bytes())


def _pillow(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _simplejpeg(data: bytes) -> Image.Image:
    import simplejpeg

    return Image.fromarray(simplejpeg.decode_jpeg(data))
