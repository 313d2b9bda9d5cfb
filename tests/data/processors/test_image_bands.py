"""Images of 16 bits and of many bands: every value is kept, whatever file it comes from."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from trainwright.data.augment.chain import Chain
from trainwright.data.augment.colour_jitter import ColourJitter
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.augment.rotation import Rotation
from trainwright.data.processors import image_bands, tiff_samples
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.types import BadSample
from trainwright.errors import RecipeError


def noise(*shape: int, seed: int = 0, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def png16(values: np.ndarray) -> bytes:
    """A PNG of 16 bits per value by hand, for Pillow writes gray ones only."""
    height, width, channels = values.shape

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def tiff(values: np.ndarray, *, order: str = "<", planar: bool = False, deflate: bool = False, rows: int = 3,
         tile: int = 0, predictor: int = 1, orientation: int = 1) -> bytes:  # fmt: skip
    """A TIFF of any number of samples by hand."""
    height, width, samples = values.shape
    planes = [values[..., band : band + 1] for band in range(samples)] if planar else [values]
    parts = []
    for plane in planes:
        for top in range(0, height, tile or rows):
            for left in range(0, width, tile or width):
                block = plane[top : top + (tile or rows), left : left + (tile or width)]
                if tile:
                    spare = [(0, tile - block.shape[0]), (0, tile - block.shape[1]), (0, 0)]
                    block = np.pad(block, spare)
                if predictor == 2:
                    block = np.diff(block, axis=1, prepend=block[:, :1] * 0)
                data = block.astype(block.dtype.newbyteorder(order)).tobytes()
                parts.append(zlib.compress(data) if deflate else data)
    bits = values.dtype.itemsize * 8
    entries = {
        256: [width], 257: [height], 258: [bits] * samples, 259: [8 if deflate else 1], 262: [1],
        274: [orientation], 277: [samples], 284: [2 if planar else 1], 317: [predictor],
        **({322: [tile], 323: [tile]} if tile else {278: [rows]}),
    }  # fmt: skip
    offsets = np.cumsum([8, *map(len, parts)])
    entries[324 if tile else 273] = offsets[:-1].tolist()
    entries[325 if tile else 279] = [len(part) for part in parts]
    start = int(offsets[-1])
    at, table, extra = start + 2 + 12 * len(entries) + 4, b"", b""
    for tag, items in sorted(entries.items()):
        wide = len(items) * 4 > 4
        body = struct.pack(f"{order}{len(items)}I", *items)
        where = struct.pack(f"{order}I", at + len(extra)) if wide else body
        extra += body if wide else b""
        table += struct.pack(f"{order}HHI", tag, 4, len(items)) + where
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    directory = struct.pack(f"{order}H", len(entries)) + table + b"\0\0\0\0" + extra
    return head + b"".join(parts) + directory


@pytest.mark.parametrize(("channels", "mode"), [(1, "gray"), (3, "rgb"), (4, "rgba")])
def test_every_value_of_a_16_bit_png_is_kept(channels, mode):
    values = noise(5, 7, channels)
    processor = ImageProcessor(mode=mode, depth=16)
    stored = processor.encode(png16(values))
    assert stored.dtype == np.uint16
    assert np.array_equal(stored, values)
    assert np.array_equal(processor.encode(values), values)
    assert np.array_equal(processor.encode(npy(values)), values)


def test_transparency_of_16_bits_is_laid_on_white():
    values = noise(5, 7, 2)
    stored = ImageProcessor(mode="gray", depth=16).encode(png16(values))
    share = values[..., 1:] / 65535
    assert np.abs(stored - (values[..., :1] * share + 65535 * (1 - share))).max() <= 0.5
    ignored = ImageProcessor(mode="gray", depth=16, alpha="ignore").encode(png16(values))
    assert np.array_equal(ignored, values[..., :1])


def test_a_16_bit_tiff_in_colour_is_kept_as_tifffile_writes_it():
    tifffile = pytest.importorskip("tifffile")
    values = noise(6, 9, 3)
    for order in "<>":
        file = io.BytesIO()
        tifffile.imwrite(file, values, byteorder=order, photometric="rgb")
        assert np.array_equal(ImageProcessor(mode="rgb", depth=16).encode(file.getvalue()), values)


def test_8_bit_files_at_16_bits_are_the_same_picture(make_picture, to_bytes):
    for format in ("PNG", "JPEG"):
        data = to_bytes(make_picture(12, 16), format)
        eight = ImageProcessor(mode="rgb", decoder="pillow").encode(data)
        assert np.array_equal(ImageProcessor(mode="rgb", depth=16).encode(data), eight.astype(int) * 257)


@settings(max_examples=30)
@given(
    st.integers(5, 9), st.integers(1, 8), st.integers(1, 8), st.sampled_from([np.uint8, np.uint16]),
    st.sampled_from("<>"), st.booleans(), st.booleans(), st.sampled_from([0, 2, 16]), st.sampled_from([1, 2]),
)  # fmt: skip
def test_tiff_files_of_many_samples(bands, height, width, dtype, order, planar, deflate, tile, predictor):
    values = noise(height, width, bands, dtype=dtype)
    data = tiff(values, order=order, planar=planar, deflate=deflate, tile=tile, predictor=predictor)
    processor = ImageProcessor(depth=16 if dtype == np.uint16 else 8)
    processor.inspect([data])
    assert (processor.mode, processor.size, processor.spec().shape[0]) == ("bands", (height, width), bands)
    assert np.array_equal(processor.encode(data), values)


def test_the_handmade_tiff_is_one_that_tifffile_reads():
    tifffile = pytest.importorskip("tifffile")
    values = noise(20, 11, 6)
    for options in ({}, {"planar": True}, {"tile": 16}, {"deflate": True, "order": ">"}):
        read = tifffile.imread(io.BytesIO(tiff(values, **options)))
        assert np.array_equal(read if read.shape == values.shape else read.transpose(1, 2, 0), values)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_tiff_is_a_bad_sample_or_a_picture(data):
    values = noise(4, 5, 6, dtype=np.uint8)
    file = bytearray(tiff(values, deflate=data.draw(st.booleans())))
    for place in data.draw(st.lists(st.integers(0, len(file) - 1), max_size=4)):
        file[place] = data.draw(st.integers(0, 255))
    cut = bytes(file[: data.draw(st.integers(0, len(file)))])
    try:
        stored = ImageProcessor(mode="bands").encode(cut)
    except BadSample as error:
        assert error.reason
    else:
        assert stored.dtype == np.uint8 and stored.ndim == 3


def test_compression_that_is_not_read_is_named():
    data = tiff(noise(4, 5, 6))
    place = data.index(struct.pack("<HHII", 259, 4, 1, 1))
    lzw = data[:place] + struct.pack("<HHII", 259, 4, 1, 5) + data[place + 12 :]
    with pytest.raises(BadSample, match=r"6 samples per pixel with LZW compression is not read; save it"):
        ImageProcessor(mode="bands").encode(lzw)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_bands_are_turned_upright(orientation):
    values = noise(4, 7, 5)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(values[..., 2])
    picture.getexif().update(exif)
    upright = np.asarray(ImageOps.exif_transpose(picture))
    stored = ImageProcessor(mode="bands", depth=16).encode(tiff(values, orientation=orientation))
    assert np.array_equal(stored[..., 2], upright)
    assert image_bands.form_of(tiff(values, orientation=orientation)).size == upright.shape


def test_pages_of_a_tiff_are_bands_where_asked(to_bytes):
    pages = [Image.fromarray(noise(6, 8, seed=place)) for place in range(7)]
    data = to_bytes(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    processor = ImageProcessor(mode="bands", depth=16)
    processor.inspect([data])
    assert processor.spec().shape == (7, 6, 8)
    assert np.array_equal(processor.encode(data), np.stack([np.asarray(page) for page in pages], axis=2))
    first = ImageProcessor(mode="gray", depth=16).encode(data)
    assert np.array_equal(first[..., 0], np.asarray(pages[0]))


def test_another_number_of_bands_is_refused():
    processor = ImageProcessor(mode="bands")
    processor.inspect([noise(9, 9, 6, dtype=np.uint8)])
    with pytest.raises(BadSample, match="it has 5 bands where the training images have 6"):
        processor.encode(noise(9, 9, 5, dtype=np.uint8))
    with pytest.raises(RecipeError, match="differ in their number of bands"):
        ImageProcessor(mode="bands").inspect([noise(9, 9, 6), noise(9, 9, 7)])
    with pytest.raises(BadSample, match="6 bands; give the image column mode: bands"):
        ImageProcessor(mode="rgb", depth=16).encode(noise(9, 9, 6))


def test_floats_are_kept_to_16_bits():
    values = np.random.default_rng(0).random((9, 9, 6))
    processor = ImageProcessor(depth=16)
    processor.inspect([values])
    assert np.abs(processor.encode(values) / 65535 - values).max() <= 0.5 / 65535 + 1e-12
    with pytest.raises(BadSample, match=r"from 0 to 1$"):
        processor.encode(values + 1)


def test_channels_first_is_known_by_the_shorter_axis():
    values = noise(6, 20, 30, dtype=np.uint8)
    processor = ImageProcessor()
    processor.inspect([values])
    assert processor.size == (20, 30)
    assert np.array_equal(processor.encode(values), values.transpose(1, 2, 0))


def test_resizing_is_that_of_8_bits(make_picture):
    small = np.asarray(make_picture(40, 60))
    for resize in ("stretch", "crop", "letterbox"):
        options = {"size": [20, 24], "mode": "rgb", "resize": resize, "fill": 9}
        eight = ImageProcessor(**options).encode(small)
        sixteen = ImageProcessor(**options, depth=16).encode(small)
        assert np.abs(sixteen / 257 - eight).max() <= 1.0  # Pillow rounds between its two passes


def test_statistics_and_tensors_are_those_of_the_values():
    images = np.stack([noise(8, 8, 5, seed=seed) >> (seed % 3) for seed in range(40)])
    processor = ImageProcessor(depth=16)
    processor.inspect(list(images))
    stored = processor.encode_all(images)
    assert stored is images
    processor.fit(stored)
    made = processor.to_tensor(torch.from_numpy(stored)).numpy()
    wide = images.astype(np.float64)
    expected = (wide - wide.mean((0, 1, 2))) / wide.std((0, 1, 2))
    assert np.abs(made.transpose(0, 2, 3, 1) - expected).max() < 1e-4
    again = ImageProcessor.from_state(processor.state())
    assert torch.equal(again.to_tensor(torch.from_numpy(stored)), torch.from_numpy(made))
    assert np.abs(processor.decode(made[3]).astype(int) - images[3] / 257).max() <= 0.51


def test_statistics_per_pixel_of_16_bits():
    images = noise(50, 3, 4, 5)
    processor = ImageProcessor(depth=16, normalise="pixel", size=[3, 4], mode="bands")
    processor.inspect(list(images))
    processor.fit(images)
    wide = images.astype(np.float64) / 257
    assert np.abs(processor.pixels.median - np.median(wide, axis=0)).max() < 1e-3
    made = processor.to_tensor(torch.from_numpy(images)).numpy().transpose(0, 2, 3, 1)
    assert np.abs(made - (wide - wide.mean(0)) / wide.std(0)).max() < 1e-4


def test_augmentation_keeps_what_8_bits_would_lose():
    images = (noise(4, 12, 12, 6) % 200).astype(np.uint16)  # all of it black in 8 bits
    processor = ImageProcessor(depth=16, normalise="none")
    processor.inspect(list(images))
    stored = torch.from_numpy(images)
    for augment in (Flip(), RandomCrop(padding=2), Rotation(degrees=20), ColourJitter()):
        chain = Chain([augment], {"image": processor}, {}, seed=0)
        varied = chain({"image": stored}, np.arange(4), 0, 4)["image"]
        assert varied.dtype == torch.float32
        assert len(torch.unique(varied)) > 50
        assert processor.to_tensor(varied).shape == (4, 6, 12, 12)
    nothing = Chain([Flip(probability=0.0)], {"image": processor}, {}, seed=0)
    same = nothing({"image": stored}, np.arange(4), 0, 4)["image"]
    assert torch.equal(processor.to_tensor(same), processor.to_tensor(stored))


def test_a_mean_for_another_number_of_channels_is_refused():
    processor = ImageProcessor(normalise={"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]})
    with pytest.raises(RecipeError, match="names 3 means for images of 6 channels"):
        processor.inspect([noise(9, 9, 6)])


@pytest.mark.parametrize("damage", ["cut", "object", "magic", "empty"])
def test_damaged_npy_files_are_bad_samples(damage):
    data = npy(noise(4, 4, 6))
    made = {
        "cut": data[:-3],
        "object": data.replace(b"'<u2'", b"'|O' "),
        "magic": data.replace(b"'shape'", b"'shade'"),
        "empty": npy(np.zeros((0, 4, 6), dtype=np.uint8)),
    }[damage]
    for processor in (ImageProcessor(mode="bands"), ImageProcessor(mode="rgb")):
        with pytest.raises(BadSample):
            processor.encode(made)


def test_a_picture_to_look_at_has_three_bands_and_8_bits():
    assert image_bands.as_seen(noise(4, 5, 7)).shape == (4, 5, 3)
    assert image_bands.as_seen(noise(4, 5, 2, dtype=np.uint8)).shape == (4, 5, 1)
    dark = (noise(4, 5, 1) % 16).astype(np.uint16)
    shown = image_bands.as_seen(dark)
    assert shown.dtype == np.uint8 and shown.max() == 255 and shown.min() == 0


def test_a_header_that_is_none_of_tiff():
    assert tiff_samples.header(b"II*\x00\xff\xff\xff\x7f") is None
    assert tiff_samples.header(b"") is None
