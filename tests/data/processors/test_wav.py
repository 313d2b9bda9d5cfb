"""WAV against libsndfile, damaged headers by hand, and a fuzz test: a sound or a named fault, never more."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.data.processors.wav import OtherCoding, read_wav
from trainwright.data.types import BadSample


def sound(frames=50, channels=2, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (frames, channels))


def written(subtype, samples, format="WAV", rate=8000):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format=format)
    return file.getvalue()


def header(coding=1, channels=1, rate=8000, bits=16, block=None, size=4, body=b"\0\0\1\0"):
    block = channels * bits // 8 % 65536 if block is None else block
    form = struct.pack("<HHIIHH", coding, channels, rate, rate * block % 2**32, block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + body
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("format", ["WAV", "WAVEX"])
def test_samples_are_those_of_libsndfile(subtype, format):
    data = written(subtype, sound(), format)
    samples, rate = read_wav(data)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    assert rate == 8000
    np.testing.assert_array_equal(samples, expected)


def test_other_codings_are_left_to_others():
    with pytest.raises(OtherCoding):
        read_wav(written("ULAW", sound()))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a WAV file"),
        (header()[:30], "format is cut off"),
        (header()[:38], "ends before its samples begin"),
        (b"RIFF\0\0\0\0WAVE", "no description of its format"),
        (b"RIFF\0\0\0\0WAVEdata\4\0\0\0\0\0\0\0", "before the description"),
        (header(channels=0), "0 channels"),
        (header(rate=0), "0 Hz"),
        (header(channels=60000), "60000 channels"),
        (header(block=7), "7 bytes for 1 samples"),
        (header(size=0), "no samples"),
        (header(size=3), "end within"),
        (header(size=4_000_000_000), "2 of 2000000000 samples are there"),
        (header(coding=3, bits=32, body=struct.pack("<f", np.nan)), "NaN"),
    ],
)
def test_damaged_files_are_bad_samples(data, reason):
    with pytest.raises(BadSample, match=reason):
        read_wav(data)


def test_a_stream_of_unknown_length_takes_the_rest():
    samples, _ = read_wav(header(size=0xFFFFFFFF, body=b"\0\0\1\0\2"))
    assert samples.ravel().tolist() == [0, 2**-15]


def test_chunks_of_other_kinds_are_passed_over():
    data = header()
    extra = b"LIST\3\0\0\0abc\0"  # an odd chunk is followed by a byte of padding
    samples, _ = read_wav(data[:12] + extra + data[12:])
    assert samples.ravel().tolist() == [0, 2**-15]


def test_the_shared_files(shared_data):
    for name, reason in [
        ("corrupt_header", "0 channels and 0 Hz"),
        ("truncated", "cut off: 2563 of 5148"),
        ("empty", "no samples"),
    ]:
        with pytest.raises(BadSample, match=reason):
            read_wav((shared_data / "bad" / f"{name}.wav").read_bytes())


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=6)), max_size=5),
    st.integers(0, 60),
    st.binary(max_size=30),
)
def test_any_damage_gives_a_sound_or_a_named_fault(patches, cut, tail):
    data = bytearray(header(body=bytes(range(16)), size=16))
    for place, patch in patches:
        data[place : place + len(patch)] = patch
    content = bytes(data[: len(data) - cut]) + tail
    try:
        samples, rate = read_wav(content)
    except (BadSample, OtherCoding):
        return
    assert samples.dtype == np.float32 and samples.ndim == 2
    assert 1 <= rate <= 1_000_000
    assert 0 < samples.size <= len(content)
    assert np.isfinite(samples).all()
