"""Class maps as PNGs that can be learned from again."""

import io

import numpy as np
import pytest
from PIL import Image

from trainwright.data.processors.mask import MaskProcessor
from trainwright.inference.answer_pictures import ClassMap, class_maps


class Stored:
    """What a map needs of a processor, without a geometry: maps are doubled in size."""

    def __init__(self, **parameters):
        made = MaskProcessor(**parameters)
        self.classes, self.palette, self.void_id = made.classes, made.palette, made.void_id
        self.file_ids, self.file_void = made.file_ids, made.file_void

    def decode(self, ids, size):
        ids = ids.astype(np.int64)
        return ids if size is None else ids.repeat(2, 0).repeat(2, 1)


IDS = np.array([[0, 1, 1], [2, 255, 0]], dtype=np.uint8)


def read(map):
    return Image.open(io.BytesIO(map.png()))


def test_pixels_are_the_ids_of_the_training_files():
    kept = ClassMap(IDS, (4, 6), Stored(classes=["a", "b", "c"], ids=[7, 24, 26], void=[0, 1]))
    image = read(kept)
    assert (image.mode, image.size) == ("P", (6, 4))
    assert np.asarray(image)[::2, ::2].tolist() == [[7, 24, 24], [26, 0, 7]]


def test_colours_are_those_of_the_palette():
    palette = {"sky": [1, 2, 3], "road": [40, 50, 60], "car": [200, 0, 9]}
    rgb = np.asarray(read(ClassMap(IDS, None, Stored(palette=palette))).convert("RGB"))
    assert rgb.tolist() == [[[1, 2, 3], [40, 50, 60], [40, 50, 60]], [[200, 0, 9], [128] * 3, [1, 2, 3]]]


def test_large_ids_need_sixteen_bits():
    classes = [str(place) for place in range(300)]
    ids = np.array([[0, 299], [256, -1]], dtype=np.int16)
    assert np.asarray(read(ClassMap(ids, None, Stored(classes=classes, void=[65535])))).tolist() == [
        [0, 299],
        [256, 65535],
    ]


def test_the_id_of_no_class_is_one_that_no_class_has():
    assert Stored(classes=["a", "b"], void=[]).file_void == 255
    assert Stored(classes=["a", "b"], ids=[0, 255], void=[]).file_void == 1
    assert Stored(classes=["a", "b"], void=[11, 12]).file_void == 11


def test_shares_are_of_all_pixels_of_the_picture():
    [kept] = class_maps(Stored(classes=["a", "b", "c"]), IDS[None], [(4, 6)])
    assert kept.shares() == pytest.approx([2 / 6, 2 / 6, 1 / 6])
