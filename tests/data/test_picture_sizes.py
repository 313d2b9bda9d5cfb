"""Sizes from headers: those that decoding gives, and each header read once."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from trainwright.data import picture_sizes
from trainwright.data.picture_sizes import PictureSizes, header_size
from trainwright.data.processors.image_decoding import Geometry, decode
from trainwright.data.types import BadSample, RawFile


def test_headers_say_what_decoding_gives(tmp_path, make_picture):
    picture = make_picture(20, 30)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, options in [
        ("a.png", {}),
        ("b.jpg", {}),
        ("c.jpg", {"exif": exif}),
        ("d.png", {"exif": exif}),
        ("e.bmp", {}),
    ]:
        picture.save(tmp_path / name, **options)
        file = RawFile(str(tmp_path / name))
        shape = decode(file.read(), "rgb", Geometry(None), "white", "pillow").shape
        assert header_size(file) == shape[:2], name
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "c.jpg", "c.jpg")
    assert header_size(RawFile(str(tmp_path / "z.zip"), "c.jpg")) == (30, 20)


def test_real_pictures(shared_data):
    for name in ["camvid/test/0001TP_008550.png", "deblur/set5/baby.bmp", "bad/exif_rotated_90.jpg"]:
        file = RawFile(str(shared_data / name))
        assert header_size(file) == decode(file.read(), "rgb", Geometry(None), "white", "pillow").shape[:2]
    for name in ["zero_byte.png", "text_named.jpg", "huge_header.png"]:
        with pytest.raises(BadSample):
            header_size(RawFile(str(shared_data / "bad" / name)))


def test_a_header_is_read_once_until_its_file_changes(tmp_path, monkeypatch):
    path = tmp_path / "a.png"

    def save(width, age):
        Image.fromarray(np.zeros((5, width), np.uint8)).save(path)
        os.utime(path, (age, age))

    read = []
    real = header_size
    monkeypatch.setattr(picture_sizes, "header_size", lambda file: read.append(file) or real(file))
    save(7, 1000)
    for _ in range(2):
        assert PictureSizes(tmp_path).all([RawFile(str(path))]) == [(5, 7)]
    assert len(read) == 1
    save(9, 2000)
    assert PictureSizes(tmp_path).all([RawFile(str(path)), RawFile(str(tmp_path / "gone.png"))]) == [
        (5, 9),
        None,
    ]
