"""What the tests of the data layer share."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from trainwright import registry
from trainwright.data.prepare import prepare
from trainwright.data.types import PreparedData
from trainwright.recipe.schema import Data

Column = dict[str, Any]


def column(options: Column) -> Column:
    """A column as the recipe's loader leaves it: with the processor's defaults filled in."""
    own = {key: value for key, value in options.items() if key in ("column", "loss", "metrics")}
    spec = {key: value for key, value in options.items() if key not in own and key != "type"}
    filled = registry.validate("processor", {"name": options["type"], **spec})
    filled.pop("name")
    return {"type": options["type"], **filled, **own}


def data_section(
    source: dict[str, Any], inputs: dict[str, Column], targets: dict[str, Column], **rest: Any
) -> Data:
    """A recipe's data section."""
    return Data.model_validate(
        {
            "source": registry.validate("source", source),
            "inputs": {name: column(options) for name, options in inputs.items()},
            "targets": {name: column(options) for name, options in targets.items()},
            **rest,
        }
    )


@pytest.fixture
def make_data() -> Callable[..., Data]:
    return data_section


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., PreparedData]:
    """Prepares with a cache of the test's own, decoding in this process unless told otherwise."""

    def run(data: Data, *, workers: int = 0, **rest: Any) -> PreparedData:
        return prepare(data, cache_dir=tmp_path / "cache", workers=workers, **rest)

    return run


def picture(height: int, width: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A smooth picture, which JPEG keeps nearly as it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [
        (128 + 100 * np.sin((rows * (1 + k) + columns * (2 - k) + 7 * seed) / 20)).astype(np.uint8)
        for k in range(3)
    ]
    image = Image.fromarray(np.stack(channels, axis=2))
    return image.convert(mode)


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.fixture
def make_picture() -> Callable[..., Image.Image]:
    return picture


@pytest.fixture
def to_bytes() -> Callable[..., bytes]:
    return encoded


@pytest.fixture
def class_folders(tmp_path: Path) -> Callable[..., Path]:
    """Makes `photos/CLASS/N.png`, or with splits `photos/SPLIT/CLASS/N.png`."""

    def make(
        classes: tuple[str, ...] = ("cat", "dog"),
        count: int = 6,
        splits: tuple[str, ...] = ("",),
        size: tuple[int, int] = (12, 16),
        suffix: str = "png",
    ) -> Path:
        root = tmp_path / "photos"
        for number, split in enumerate(splits):
            for place, name in enumerate(classes):
                folder = root / split / name
                folder.mkdir(parents=True)
                for index in range(count):
                    image = picture(*size, seed=100 * number + 10 * place + index)
                    format = "JPEG" if suffix == "jpg" else "PNG"
                    (folder / f"{index}.{suffix}").write_bytes(encoded(image, format))
        return root

    return make
