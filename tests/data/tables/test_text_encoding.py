"""Text of other encodings, read as UTF-8 from any place."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.data.tables import text_encoding
from trainwright.data.tables.text_encoding import AsUtf8, codec_name, decoded
from trainwright.errors import DataError

TEXT = "größe,straße\r\n1,ä\n" * 40


@pytest.mark.parametrize("encoding", ["latin1", "utf-16", "utf-16-be", "cp1252", "utf-8-sig"])
def test_any_place_can_be_read_again(encoding, monkeypatch):
    monkeypatch.setattr(text_encoding, "_CHUNK", 7)  # characters are torn between chunks
    expected = TEXT.encode()
    stream = AsUtf8(io.BytesIO(TEXT.encode(encoding)), encoding, "t.csv")
    assert b"".join(iter(lambda: stream.read(5), b"")) == expected
    for place in (100, 3, 0, len(expected)):
        assert stream.seek(place) == place
        assert stream.read() == expected[place:]


@given(text=st.text(max_size=60))
def test_the_first_byte_that_is_none_is_told(text):
    before = text.replace("\r", "").replace("\ufeff", "")
    data = before.encode("utf-8", "ignore") + b"\xff tail"
    shown = data[: -len(b"\xff tail")].decode()
    lines = shown.split("\n")
    with pytest.raises(DataError) as error:
        decoded(data, "utf-8", "here")
    assert error.value.what == f"not UTF-8, line {len(lines)}, column {len(lines[-1]) + 1}"
    assert error.value.where == "here"


def test_the_place_is_told_across_chunks(monkeypatch):
    monkeypatch.setattr(text_encoding, "_CHUNK", 4)
    data = "ab\ncdé\nxyz".encode("cp1252") + b"\x81"  # undefined there
    with pytest.raises(DataError, match="not cp1252, line 3, column 4"):
        AsUtf8(io.BytesIO(data), "cp1252", "t.csv").read()


def test_names_of_encodings():
    assert codec_name("UTF8", "x") == codec_name("utf-8-sig", "x") == "utf-8"
    for name in ("base64", "no-such", "rot13"):
        with pytest.raises(DataError, match="no encoding of text") as error:
            codec_name(name, "data.source.encoding")
        assert error.value.where == "data.source.encoding"
