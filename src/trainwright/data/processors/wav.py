"""WAV files: a reader that believes nothing the header says before it has looked.

The format is that of "Multimedia Programming Interface and Data Specifications 1.0" (IBM and
Microsoft, 1991), with the extensible form of `WAVEFORMATEXTENSIBLE`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainwright.data.types import BadSample

Samples = npt.NDArray[np.float32]
_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_OPEN_END = 0xFFFFFFFF  # what a program writes that did not know the length beforehand
MOST_CHANNELS = 64
HIGHEST_RATE = 1_000_000


@dataclass(frozen=True)
class WavHeader:
    """What the header says, checked.

    Attributes:
        rate: Samples a second.
        channels: Number of channels.
        bits: Bits of one sample.
        is_float: Whether samples are floating-point numbers.
        start: Byte where the samples begin.
        frames: Samples of each channel.
    """

    rate: int
    channels: int
    bits: int
    is_float: bool
    start: int
    frames: int


class OtherCoding(Exception):
    """A WAV file whose samples are neither PCM nor floating-point: for another reader."""


def is_wav(data: bytes) -> bool:
    """Whether the content is that of a WAV file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def read_header(data: bytes) -> WavHeader:
    """The checked header of a whole file.

    Raises:
        BadSample: The file is damaged, cut off, or has no samples.
        OtherCoding: It is in order, but coded in another way.
    """
    if not is_wav(data):
        raise BadSample("it is not a WAV file")
    format: tuple[int, ...] | None = None
    place = 12
    while place + 8 <= len(data):
        name, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if name == b"fmt ":
            format = _format(data[place + 8 : place + 8 + size])
        elif name == b"data":
            if format is None:
                raise BadSample("its samples come before the description of their format")
            return _checked(format, place + 8, size, len(data))
        place += 8 + size + size % 2  # chunks begin at even bytes
    raise BadSample("it ends before its samples begin" if format else "it has no description of its format")


def read_wav(data: bytes) -> tuple[Samples, int]:
    """Samples `[T, channels]` in [-1, 1] (floating-point files may exceed it), and their rate in Hz.

    Raises:
        BadSample: See `read_header`; or a sample is NaN or infinite.
        OtherCoding: See `read_header`.
    """
    header = read_header(data)
    count = header.frames * header.channels
    samples = _convert(data, header, count).reshape(header.frames, header.channels)
    if header.is_float and not np.isfinite(samples).all():
        raise BadSample("a sample is NaN or infinite")
    return samples, header.rate


def _format(chunk: bytes) -> tuple[int, ...]:
    """Coding, channels, rate, block size and bits. Raises `BadSample` where the chunk is too short."""
    if len(chunk) < 16:
        raise BadSample("the description of its format is cut off")
    coding, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if coding == _EXTENSIBLE:
        if len(chunk) < 40:
            raise BadSample("the extended description of its format is cut off")
        coding = struct.unpack_from("<H", chunk, 24)[0]
    return coding, channels, rate, block, bits


def _checked(format: tuple[int, ...], start: int, size: int, present: int) -> WavHeader:
    coding, channels, rate, block, bits = format
    if not 1 <= channels <= MOST_CHANNELS or not 1 <= rate <= HIGHEST_RATE:
        raise BadSample(f"its header claims {channels} channels and {rate} Hz")
    is_float = coding == _FLOAT
    if coding not in (_PCM, _FLOAT) or bits not in ((32, 64) if is_float else (8, 16, 24, 32)):
        raise OtherCoding(f"coding {coding:#06x} with {bits} bits")
    if block != channels * bits // 8:
        raise BadSample(f"its header claims {block} bytes for {channels} samples of {bits} bits")
    held = present - start
    if size == _OPEN_END:
        size = held - held % block
    if size == 0:
        raise BadSample("it has no samples")
    if size > held:
        raise BadSample(f"it is cut off: {held // block} of {size // block} samples are there")
    if size % block:
        raise BadSample("its samples end within one of them")
    return WavHeader(rate, channels, bits, is_float, start, size // block)


def _convert(data: bytes, header: WavHeader, count: int) -> Samples:
    if header.is_float:
        kind = f"<f{header.bits // 8}"
        with np.errstate(over="ignore"):
            return np.frombuffer(data, kind, count, header.start).astype(np.float32)
    if header.bits == 8:  # the only unsigned width
        middle = np.float32(128)
        return (np.frombuffer(data, np.uint8, count, header.start).astype(np.float32) - middle) / middle
    if header.bits == 24:
        raw = np.frombuffer(data, np.uint8, 3 * count, header.start).reshape(count, 3)
        wide = np.zeros((count, 4), dtype=np.uint8)
        wide[:, 1:] = raw  # the upper three bytes of 32 bits, so that the sign is right
        return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)
    scale = np.float32(2 ** (header.bits - 1))
    return np.frombuffer(data, f"<i{header.bits // 8}", count, header.start).astype(np.float32) / scale
