"""Class folders, as `init` takes them."""

import numpy as np
import pytest

from trainwright.data.sniffing import sniff
from trainwright.errors import DataError


def test_cifar_and_photos(shared_data):
    cifar = sniff(shared_data / "cifar10" / "cifar10_images.zip")
    assert cifar.source["name"] == "folder"
    assert cifar.inputs == {"image": {"type": "image", "size": [32, 32]}}
    assert cifar.split == {"val": 0.1}
    photos = sniff(shared_data / "clothing10")
    assert photos.inputs["image"] == {"type": "image", "size": 224, "resize": "crop"}
    assert any("LICENSE" in note for note in photos.notes)


def test_pictures_of_which_none_can_be_read_are_named(shared_data, tmp_path):
    for label, name in (("a", "zero_byte.png"), ("b", "text_named.jpg")):
        (tmp_path / label).mkdir()
        (tmp_path / label / name).write_bytes((shared_data / "bad" / name).read_bytes())
    with pytest.raises(DataError, match="not one of 2 images that were looked at can be read") as error:
        sniff(tmp_path)
    assert "the file is empty (0 bytes)" in error.value.why and "not an image" in error.value.why


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((12, 10, 7), np.float32, {"mode": "bands", "depth": 32}),
        ((12, 10, 7), np.uint8, {"mode": "bands"}),
        ((12, 10, 3), np.uint16, {"depth": 16}),
        ((12, 10, 3), np.uint8, {}),
    ],
)
def test_arrays_in_files_keep_their_bands_and_depth(tmp_path, shape, dtype, expected):
    generator = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(3):
            np.save(tmp_path / label / f"{number}.npy", (generator.random(shape) * 200).astype(dtype))
    guess = sniff(tmp_path)
    assert guess.inputs["image"] == {"type": "image", "size": [12, 10], **expected}
