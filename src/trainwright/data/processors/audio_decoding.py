"""From the bytes of a sound file to samples; WAV by a reader of our own, the rest by libsndfile."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.archive import ArchiveError
from trainwright.data.processors.wav import (
    HIGHEST_RATE,
    MOST_CHANNELS,
    OtherCoding,
    Samples,
    is_wav,
    read_header,
    read_wav,
)
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import MissingExtra

_LARGEST = 1 << 30  # bytes of a file; an hour of stereo at 96 kHz and 24 bits is 2 GB
_MOST_SAMPLES = 1 << 28  # of all channels, 1 GiB as float32


def read_bytes(raw: Any) -> bytes:
    """The content of a sound file. Raises `BadSample` where it cannot be read or is empty."""
    file = raw if isinstance(raw, RawFile) else RawFile(str(raw))
    try:
        size = file.size()
        if size > _LARGEST:
            raise BadSample(f"the file has {size:,} bytes; at most {_LARGEST:,} are read")
        data = file.read()
    except FileNotFoundError:
        raise BadSample("the file does not exist") from None
    except (OSError, KeyError, ArchiveError) as error:
        raise BadSample(f"the file cannot be read: {error}") from error
    if not data:
        raise BadSample("the file is empty")
    return data


def is_file(raw: Any) -> bool:
    """Whether a raw value is a file, and not samples."""
    return isinstance(raw, RawFile | str | Path)


def decode(data: bytes) -> tuple[Samples, int]:
    """Samples `[T, channels]` and their rate in Hz.

    Raises:
        BadSample: The content is damaged, or no sound.
        MissingExtra: It is no plain WAV file, and soundfile is not installed.
    """
    if is_wav(data):
        try:
            return read_wav(data)
        except OtherCoding:
            pass
    with _opened(data) as file:
        try:
            samples = file.read(dtype="float32", always_2d=True)
        except RuntimeError as error:
            raise BadSample(f"it cannot be decoded: {error}") from error
        if len(samples) != file.frames:
            raise BadSample(f"it is cut off: {len(samples)} of {file.frames} samples are there")
        if not np.isfinite(samples).all():
            raise BadSample("a sample is NaN or infinite")
        return samples, int(file.samplerate)


def frames_and_rate(data: bytes) -> tuple[int, int]:
    """Samples per channel, and their rate in Hz, from the header. Raises as `decode`."""
    if is_wav(data):
        try:
            header = read_header(data)
            return header.frames, header.rate
        except OtherCoding:
            pass
    with _opened(data) as file:
        return int(file.frames), int(file.samplerate)


def _opened(data: bytes) -> Any:
    """The content through libsndfile, its claims checked. Raises `BadSample` or `MissingExtra`."""
    if importlib.util.find_spec("soundfile") is None:
        if is_wav(data) or data[:4] in (b"fLaC", b"OggS", b"FORM", b"RF64") or data[:3] == b"ID3":
            raise MissingExtra("soundfile", "audio")
        raise BadSample("it is not a WAV file (other formats need soundfile: trainwright[audio])")
    import soundfile

    try:
        file = soundfile.SoundFile(io.BytesIO(data))
    except (RuntimeError, TypeError, ValueError) as error:
        raise BadSample(f"it is no sound file that can be read: {error}") from error
    samples = file.frames * file.channels
    if not 1 <= file.channels <= MOST_CHANNELS or not 1 <= file.samplerate <= HIGHEST_RATE:
        raise BadSample(f"its header claims {file.channels} channels and {file.samplerate} Hz")
    if samples == 0:
        raise BadSample("it has no samples")
    if samples > _MOST_SAMPLES:
        raise BadSample(f"its header claims {samples:,} samples; at most {_MOST_SAMPLES:,} are read")
    return file
