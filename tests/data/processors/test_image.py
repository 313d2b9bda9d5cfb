"""Images: every kind of file and array to uint8 pixels, and normalised tensors to pictures and back."""

import io
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from trainwright.data.processors import image_decoding
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import RecipeError

HAS_SIMPLEJPEG = ImageProcessor().decoder == "simplejpeg"
DECODERS = ["pillow", *(["simplejpeg"] if HAS_SIMPLEJPEG else [])]


def pixels_of(image: Image.Image) -> np.ndarray:
    return np.atleast_3d(np.asarray(image))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated.jpg", "cut off"),
        ("zero_byte.png", "empty"),
        ("text_named.jpg", "not an image"),
        ("huge_header.png", "pixels"),
    ],
)
def test_broken_files_are_refused_with_the_reason(shared_data, name, reason, decoder):
    processor = ImageProcessor(size=32, mode="rgb", decoder=decoder)
    with pytest.raises(BadSample, match=reason):
        processor.encode(RawFile(str(shared_data / "bad" / name)))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    "name",
    ["cmyk.jpg", "gray16.png", "gray_alpha.png", "palette_transparent.png", "png_named.jpg", "one_pixel.png"],
)
def test_unusual_files_are_read(shared_data, name, decoder):
    processor = ImageProcessor(size=[20, 30], mode="rgb", decoder=decoder)
    pixels = processor.encode(str(shared_data / "bad" / name))
    assert pixels.shape == (20, 30, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("decoder", DECODERS)
def test_exif_orientation_is_applied(shared_data, decoder):
    path = shared_data / "bad" / "exif_rotated_90.jpg"
    with Image.open(path) as image:
        upright = np.asarray(ImageOps.exif_transpose(image.convert("RGB")))
    processor = ImageProcessor(mode="rgb", decoder=decoder)
    processor.inspect([RawFile(str(path))])
    assert processor.size == upright.shape[:2]
    assert np.array_equal(processor.encode(path), upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations(make_picture, to_bytes, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = to_bytes(make_picture(24, 40), "JPEG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    for decoder in DECODERS:
        assert np.array_equal(ImageProcessor(mode="rgb", decoder=decoder).encode(data), expected)


def test_sixteen_bit_values_are_scaled_not_clipped(to_bytes):
    values = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    pixels = ImageProcessor(mode="gray").encode(to_bytes(Image.fromarray(values)))
    assert pixels[0, :, 0].tolist() == [0, 1, 128, 255]
    assert np.array_equal(ImageProcessor(mode="gray").encode(values), pixels)


def test_transparency_by_the_three_rules(to_bytes):
    image = Image.new("RGBA", (2, 2), (200, 100, 0, 0))
    found = {
        alpha: ImageProcessor(mode="rgb", alpha=alpha).encode(to_bytes(image))[0, 0].tolist()
        for alpha in ("white", "black", "ignore")
    }
    assert found == {"white": [255, 255, 255], "black": [0, 0, 0], "ignore": [200, 100, 0]}


@pytest.mark.skipif(not HAS_SIMPLEJPEG, reason="simplejpeg is not installed")
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_both_decoders_give_the_same_pixels(make_picture, to_bytes, mode, subsampling):
    options = {} if mode == "L" else {"subsampling": subsampling}
    data = to_bytes(make_picture(37, 53, mode=mode), "JPEG", quality=80, **options)
    both = [ImageProcessor(mode="rgb", decoder=decoder).encode(data) for decoder in DECODERS]
    assert np.array_equal(*both)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_reduced_decoding_is_near_the_full_one(make_picture, to_bytes, decoder, resize):
    data = to_bytes(make_picture(400, 600), "JPEG", quality=95)
    full, reduced = (
        ImageProcessor(size=[40, 50], mode="rgb", resize=resize, decoder=decoder, reduce=reduce).encode(data)
        for reduce in (False, True)
    )
    # The picture has waves of 3.5 pixels at this size, the hardest case for a reduced decode.
    assert np.abs(full.astype(int) - reduced).mean() < 4


@pytest.mark.skipif(not HAS_SIMPLEJPEG, reason="simplejpeg is not installed")
@pytest.mark.parametrize(
    ("size", "eighths"),
    [(224, 5), (200, 4), (201, 5), (250, 5), (251, 6), (300, 6), (301, 8), (400, 8), (49, 1)],
)
def test_a_jpeg_is_decoded_at_the_least_scale_that_holds_the_size(
    make_picture, to_bytes, monkeypatch, size, eighths
):
    seen = []
    resize = image_decoding.resize
    monkeypatch.setattr(
        image_decoding, "resize", lambda image, *rest: seen.append(image.size) or resize(image, *rest)
    )
    data = to_bytes(make_picture(400, 536), "JPEG")
    pixels = ImageProcessor(size=size, mode="rgb", decoder="simplejpeg").encode(data)
    assert pixels.shape == (size, size, 3)
    assert seen == [(536 * eighths // 8, 400 * eighths // 8)]


def test_stretch_and_letterbox_and_crop_on_a_striped_picture():
    stripes = np.zeros((10, 30, 3), dtype=np.uint8)
    stripes[:, 10:20] = 200  # only the middle third is light
    box = {"size": 10, "mode": "rgb", "interpolation": "nearest"}
    crop = ImageProcessor(**box, resize="crop").encode(stripes)
    assert (crop == 200).all()
    letterbox = ImageProcessor(**box, resize="letterbox", fill=7).encode(stripes)
    assert (letterbox[[0, 1, 2, 7, 8, 9]] == 7).all()
    assert letterbox[4, 5, 0] == 200 and letterbox[4, 0, 0] == 0
    stretch = ImageProcessor(**box, resize="stretch").encode(stripes)
    assert (stretch[:, 4:6] == 200).all() and (stretch[:, 0] == 0).all()


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["stretch", "crop", "letterbox"]))
def test_any_size_is_brought_to_the_wanted_one(height, width, resize):
    image = np.full((height, width, 3), 90, dtype=np.uint8)
    pixels = ImageProcessor(size=[9, 14], mode="rgb", resize=resize, fill=90).encode(image)
    assert pixels.shape == (9, 14, 3)
    assert (pixels == 90).all()


def test_size_and_mode_come_from_the_training_images(make_picture, to_bytes):
    gray = [to_bytes(make_picture(12, 16, seed, "L")) for seed in range(3)]
    processor = ImageProcessor()
    processor.inspect(gray)
    assert (processor.size, processor.mode) == ((12, 16), "gray")
    assert processor.spec().shape == (1, 12, 16)
    with pytest.raises(BadSample, match="16x12 where the training images are 12x16"):
        processor.encode(to_bytes(make_picture(16, 12)))
    mixed = ImageProcessor()
    mixed.inspect([*gray, to_bytes(make_picture(12, 16))])
    assert mixed.mode == "rgb"


def test_images_of_several_sizes_need_a_size(make_picture, to_bytes):
    with pytest.raises(RecipeError, match="differ in size") as error:
        ImageProcessor().inspect([to_bytes(make_picture(4, 5)), to_bytes(make_picture(5, 4))])
    assert "4x5, 5x4" in error.value.why


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),  # training values in [0, 1]
        (np.array([[0.0, 127.6, 255.0]]), [0, 128, 255]),
        (np.array([[False, True, True]]), [0, 255, 255]),
        (np.array([[3, 4, 5]], dtype=np.int64), [3, 4, 5]),
    ],
)
def test_arrays_of_several_types(array, expected):
    processor = ImageProcessor(mode="gray")
    processor.inspect([array, array])
    assert processor.encode(array).ravel().tolist() == expected


def test_channels_first_arrays_and_tensors_and_pictures():
    array = np.arange(3 * 8 * 9, dtype=np.uint8).reshape(3, 8, 9)
    expected = array.transpose(1, 2, 0)
    processor = ImageProcessor(mode="rgb")
    for value in (array, torch.from_numpy(array), expected, Image.fromarray(expected)):
        assert np.array_equal(processor.encode(value), expected)


@pytest.mark.parametrize(
    "value",
    [np.array([[np.nan]]), np.array([[300]]), np.array([[-1]]), np.zeros((0, 4)), np.zeros(5), "no.png"],
)
def test_values_that_are_no_pictures_are_bad_samples(value):
    with pytest.raises(BadSample):
        ImageProcessor(mode="gray").encode(value)


def test_a_fitting_array_is_not_copied():
    images = np.zeros((5, 8, 9), dtype=np.uint8)
    processor = ImageProcessor()
    processor.inspect(images)
    assert np.shares_memory(processor.encode_all(images), images)
    assert processor.encode_all(images).shape == (5, 8, 9, 1)


NORMALISE = [
    "none",
    "unit",
    "symmetric",
    "imagenet",
    "dataset",
    {"mean": [0.1, 0.2, 0.3], "std": [1, 2, 0.5]},
]


def naive(pixels: np.ndarray, normalise) -> np.ndarray:
    """The textbook form, channel by channel, in float64 `[B, C, H, W]`."""
    values = pixels.astype(np.float64).transpose(0, 3, 1, 2)
    if normalise == "none":
        return values
    values /= 255
    if normalise == "unit":
        return values
    if normalise == "symmetric":
        return 2 * values - 1
    if normalise == "imagenet":
        mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    elif normalise == "dataset":
        mean, std = values.mean(axis=(0, 2, 3)), values.std(axis=(0, 2, 3))
    else:
        mean, std = normalise["mean"], normalise["std"]
    return (values - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))


@pytest.mark.parametrize("size", [(6, 7), (90, 100)])  # constants per image, and per row
@pytest.mark.parametrize("normalise", NORMALISE, ids=str)
def test_tensors_are_normalised_and_decoded_back(normalise, size):
    images = np.random.default_rng(0).integers(0, 256, (4, *size, 3), dtype=np.uint8)
    processor = ImageProcessor(normalise=normalise)
    processor.inspect(images)
    processor.fit(images)
    again = ImageProcessor.from_state(json.loads(json.dumps(processor.state())))
    tensor = again.to_tensor(torch.from_numpy(images))
    assert tensor.dtype == torch.float32
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(tensor.numpy(), naive(images, normalise), rtol=1e-4, atol=1e-5)
    for image, value in zip(images, tensor, strict=True):
        assert np.array_equal(again.decode(value), image)


def test_one_number_normalises_a_gray_image_and_to_tensor_leaves_its_input_alone():
    images = np.arange(2 * 5 * 5, dtype=np.uint8).reshape(2, 5, 5)
    processor = ImageProcessor(normalise="imagenet")
    processor.inspect(images)
    stored = torch.from_numpy(processor.encode_all(images).copy())
    before = stored.clone()
    tensor = processor.to_tensor(stored)
    assert torch.equal(stored, before)
    mean, std = np.mean([0.485, 0.456, 0.406]), np.mean([0.229, 0.224, 0.225])
    np.testing.assert_allclose(tensor.numpy()[:, 0], (images / 255 - mean) / std, rtol=1e-5)
    assert processor.to_tensor(stored, torch.bfloat16).dtype == torch.bfloat16


def test_dataset_statistics_are_exact_over_many_chunks():
    images = np.random.default_rng(1).integers(0, 256, (700, 20, 30, 3), dtype=np.uint8)
    processor = ImageProcessor(size=[20, 30], mode="rgb")
    processor.fit(images)
    flat = images.reshape(-1, 3).astype(np.float64) / 255
    np.testing.assert_allclose(processor.mean, flat.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(processor.std, flat.std(axis=0), rtol=1e-9)


def test_normalisation_does_not_invalidate_a_cache_but_pixels_do():
    keys = [
        ImageProcessor(size=8, mode="rgb", **options).cache_key()
        for options in ({"normalise": "unit"}, {"normalise": "imagenet"}, {"resize": "crop"})
    ]
    assert keys[0] == keys[1] != keys[2]
    json.dumps(keys)


@pytest.mark.parametrize(
    "normalise", [{"mean": [0.5]}, {"mean": [0.5], "std": [0.0]}, {"mean": [0.5], "std": [1.0, 1.0]}]
)
def test_senseless_statistics_are_refused(normalise):
    with pytest.raises(RecipeError):
        ImageProcessor(normalise=normalise)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about the damage
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_files_give_a_picture_or_a_bad_sample(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
    file = io.BytesIO()
    Image.fromarray(np.arange(600, dtype=np.uint8).reshape(10, 20, 3)).save(file, kind)
    content = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    processor = ImageProcessor(size=8, mode="rgb", decoder=data.draw(st.sampled_from(DECODERS)))
    try:
        assert processor.encode(bytes(content)).shape == (8, 8, 3)
    except BadSample as error:
        assert error.reason
