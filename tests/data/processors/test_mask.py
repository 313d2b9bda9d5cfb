"""Masks: every form of file, sizes and ids that are wrong, and the way back."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainwright.data.geometry import Geometry
from trainwright.data.processors.mask import MaskProcessor
from trainwright.data.types import BadSample, Beside, RawFile

IDS = np.random.default_rng(0).integers(0, 4, (20, 30)).astype(np.uint8)
COLOURS = np.array([[0, 0, 0], [255, 0, 0], [0, 128, 255], [7, 7, 9]], np.uint8)
PALETTE = {name: colour.tolist() for name, colour in zip("abcd", COLOURS, strict=True)}


def processor(size=(20, 30), resize="stretch", **options) -> MaskProcessor:
    made = MaskProcessor(**options)
    made.follow(Geometry(size, resize))
    return made


def saved(path: Path, image: Image.Image, **options) -> RawFile:
    image.save(path, **options)
    return RawFile(str(path))


def with_palette(ids: np.ndarray) -> Image.Image:
    image = Image.fromarray(ids, mode="P")
    image.putpalette(COLOURS.tobytes())
    return image


@pytest.mark.parametrize("form", ["palette", "gray", "gray as rgb", "16 bit", "array", "rgb"])
def test_every_form_of_a_mask_gives_the_same_ids(form, tmp_path):
    images = {
        "palette": lambda: with_palette(IDS),
        "gray": lambda: Image.fromarray(IDS),
        "gray as rgb": lambda: Image.fromarray(np.repeat(IDS[:, :, None], 3, axis=2)),
        "16 bit": lambda: Image.fromarray(IDS.astype(np.uint16)),
        "rgb": lambda: Image.fromarray(COLOURS[IDS]),
    }
    raw = IDS if form == "array" else saved(tmp_path / "mask.png", images[form]())
    made = processor(palette=PALETTE) if form == "rgb" else processor(classes=list("abcd"))
    found = made.encode(raw)
    assert found.dtype == np.uint8
    assert np.array_equal(found, IDS)
    assert made.classes == list("abcd")


def test_classes_and_their_pixels_come_from_the_training_masks():
    made = processor()
    stored = np.stack([IDS, np.where(IDS == 3, 255, IDS)])
    made.fit(stored)
    assert made.classes == ["0", "1", "2", "3"]
    assert made.counts == [int((stored == place).sum()) for place in range(4)]
    spec = made.spec()
    assert (spec.type, spec.shape, spec.dtype, spec.void) == ("mask", (20, 30), "int64", 255)
    assert made.to_tensor(torch.from_numpy(stored)).dtype == torch.int64


def test_unknown_ids_and_colours_are_named_with_their_pixels():
    with pytest.raises(BadSample, match=r"class id 3 \(\d+ pixels\) is not among the 3 classes"):
        processor(classes=list("abc")).encode(IDS)
    with pytest.raises(BadSample, match=r"colour \[7, 7, 9\] \(\d+ pixels\) is not among the 3 colours"):
        processor(palette={name: PALETTE[name] for name in "abc"}).encode(COLOURS[IDS])
    with pytest.raises(BadSample, match="holds colours; explain them with `palette`"):
        processor().encode(COLOURS[IDS])
    found = processor(classes=list("abc"), unknown="void").encode(IDS)
    assert np.array_equal(found, np.where(IDS == 3, 255, IDS))


def test_void_and_other_ids_are_translated():
    made = processor(classes=["road", "sky"], ids=[7, 40], void=[0, 255])
    assert made.encode(np.array([[7, 40, 0, 255]] * 4)).tolist()[0] == [0] * 8 + [1] * 7 + [255] * 15
    many = processor(size=(1, 3), classes=[str(place) for place in range(300)], void=[65535])
    found = many.encode(np.array([[299, 65535, 12]], np.uint16))
    assert (found.dtype, found.tolist(), many.void_id) == (np.int16, [[299, -1, 12]], -1)


def test_the_shared_bad_mask_is_refused_with_both_sizes_and_the_id(shared_data):
    file = RawFile(str(shared_data / "bad" / "mask_wrong_size_and_class.png"))
    with pytest.raises(BadSample, match="the mask is 60x80, its picture 120x160"):
        processor(classes=list("abc")).encode(Beside(file, np.zeros((120, 160, 3), np.uint8)))
    with pytest.raises(BadSample, match=r"class id 200 \(4800 pixels\) is not among the 3 classes"):
        processor(classes=list("abc")).encode(Beside(file, np.zeros((60, 80, 3), np.uint8)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["ids", "colours"])
def test_a_mask_of_the_stored_size_is_turned_with_its_picture(orientation, form, tmp_path):
    """The reference is Pillow, which turns the mask as if it were the picture."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = saved(tmp_path / "picture.jpg", Image.new("RGB", (30, 20)), exif=exif.tobytes())
    swaps = orientation >= 5
    turned = Image.fromarray(IDS)
    turned.info["exif"] = exif.tobytes()
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif.tobytes())
    from PIL import ImageOps

    expected = np.asarray(ImageOps.exif_transpose(Image.open(file))) if swaps else IDS
    made = processor(
        size=expected.shape, **({"classes": list("abcd")} if form == "ids" else {"palette": PALETTE})
    )
    raw = IDS if form == "ids" else COLOURS[IDS]
    assert np.array_equal(made.encode(Beside(raw, picture)), expected)
    upright = expected if form == "ids" else COLOURS[expected]
    assert np.array_equal(made.encode(Beside(upright, picture)), expected), "one that is upright stays so"


@given(st.integers(5, 40), st.integers(5, 40), st.sampled_from(["stretch", "crop", "letterbox"]))
def test_resizing_mixes_no_ids_and_the_border_is_void(tall, wide, resize):
    ids = np.where(IDS % 2, 9, 200).astype(np.uint8)
    found = processor(size=(tall, wide), resize=resize, classes=[str(i) for i in range(201)]).encode(ids)
    assert set(np.unique(found)) <= ({9, 200, 255} if resize == "letterbox" else {9, 200})


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_decode_gives_back_the_original_pixels_of_an_enlarged_mask(resize):
    made = processor(size=(80, 90), resize=resize, classes=list("abcd"))
    stored = made.encode(IDS)
    assert np.array_equal(made.decode(stored, size=(20, 30)), IDS)
    assert np.array_equal(made.decode(torch.from_numpy(stored)), stored)
    shares = np.stack([stored == place for place in range(4)]).astype(np.float32)
    assert np.array_equal(made.decode(torch.from_numpy(shares)), stored), "of shares the largest counts"


def test_damaged_files_are_bad(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(b"no image")
    for raw in (
        RawFile(str(path)),
        RawFile(str(tmp_path / "absent.png")),
        np.zeros((3, 4)),
        np.zeros((0, 4), int),
    ):
        with pytest.raises(BadSample):
            processor().encode(raw)


def test_a_restored_processor_encodes_alike():
    made = processor(size=(33, 44), resize="letterbox", palette=PALETTE)
    made.fit(made.encode(COLOURS[IDS])[None])
    restored = MaskProcessor.from_state(json.loads(json.dumps(made.state())))
    assert np.array_equal(restored.encode(COLOURS[IDS]), made.encode(COLOURS[IDS]))
    assert restored.spec() == made.spec()


def test_ids_have_the_names_that_the_source_gives_them():
    processor = MaskProcessor()
    processor.name_classes(["sky", "road", "car"])
    processor.fit(np.array([[[0, 1], [1, 255]]], dtype=np.uint8))
    assert (processor.classes, processor.counts) == (["sky", "road", "car"], [1, 2, 0])
    processor.fit(np.array([[[0, 4]]], dtype=np.uint8))
    assert processor.classes == ["sky", "road", "car", "3", "4"]


def test_later_masks_are_held_to_the_classes_that_training_masks_have():
    made = processor()
    assert made.strict() is None, "nothing has been learned"
    made.fit(IDS[None])
    stray = np.where(IDS == 1, 200, IDS)
    assert made.misfits(np.stack([IDS, stray, np.full_like(IDS, 255)])).tolist() == [1]
    with pytest.raises(BadSample, match=rf"class id 200 \({(IDS == 1).sum()} pixels\) is not among the 4"):
        made.strict().encode(stray)
    assert np.array_equal(made.strict().encode(IDS), IDS)
    assert processor(classes=list("abcd")).strict() is None


def test_what_training_masks_do_not_have_is_void_where_that_is_asked_for():
    made = processor(unknown="void")
    made.fit(IDS[None])
    stray = np.where(IDS == 1, 200, IDS)
    assert made.strict() is None
    assert np.array_equal(made.to_tensor(torch.from_numpy(stray)[None])[0], np.where(IDS == 1, 255, IDS))
    assert not made.holds_truth(np.full_like(IDS, 200))
