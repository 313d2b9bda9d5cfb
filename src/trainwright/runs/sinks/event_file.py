"""TensorBoard's event files, written without TensorBoard.

A file is a row of records, each with its length and two masked CRC-32C sums (the TFRecord form); a record
is an `Event` message of protocol buffers. Only the few fields that are needed are encoded here:
https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "brain.Event:2"
START = 1  # SessionLog.SessionStatus: readers drop what they have from this step on
SUCCESS, FAILURE, RUNNING = 1, 2, 3  # of the hparams plugin

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_DT_STRING = 7


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)  # Castagnoli's polynomial, reflected
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """CRC-32C (RFC 3720, B.4) of some bytes."""
    crc = 0xFFFFFFFF
    table = _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def record(message: bytes) -> bytes:
    """A message as a record of an event file."""
    length = struct.pack("<Q", len(message))
    return length + _masked(length) + message + _masked(message)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def event(time: float, step: int, *, summary: Sequence[bytes] = (), start: bool = False) -> bytes:
    """An event with summary values, or the mark that a session starts at a step."""
    parts = _double(1, time) + _integer(2, step)
    if start:
        parts += _message(7, _integer(1, START))
    if summary:
        parts += _message(5, b"".join(_message(1, value) for value in summary))
    return parts


def version(time: float) -> bytes:
    """The event that begins every file."""
    return _double(1, time) + _text(3, VERSION)


def scalar(tag: str, value: float) -> bytes:
    """A summary value with one number, kept as float32; what is too large for it is infinite."""
    return _text(1, tag) + _key(2, _FLOAT) + _float32(value)


def picture(tag: str, png: bytes) -> bytes:
    """A summary value with a PNG picture."""
    width, height = struct.unpack(">II", png[16:24])
    image = _integer(1, height) + _integer(2, width) + _integer(3, 4) + _blob(4, png)
    return _text(1, tag) + _message(4, image)


def text(tag: str, content: str) -> bytes:
    """A summary value with Markdown, for the text page."""
    shape = _message(2, _integer(1, 1))
    tensor = _integer(1, _DT_STRING) + _message(2, shape) + _blob(8, content.encode())
    return _text(1, tag) + _message(8, tensor) + _message(9, _message(1, _text(1, "text")))


def session_start(parameters: Mapping[str, Any], name: str, time: float) -> bytes:
    """A summary value with a run's hyperparameters, for the page that compares them."""
    entries = b"".join(
        _message(1, _text(1, key) + _message(2, _plain(value))) for key, value in parameters.items()
    )
    return _hyperparameters(
        "_hparams_/session_start_info", _message(3, entries + _text(4, name) + _double(5, time))
    )


def session_end(status: int, time: float) -> bytes:
    """A summary value that says how the run ended: `SUCCESS`, `FAILURE` or `RUNNING`."""
    return _hyperparameters("_hparams_/session_end_info", _message(4, _integer(1, status) + _double(2, time)))


def _hyperparameters(tag: str, content: bytes) -> bytes:
    plugin = _text(1, "hparams") + _blob(2, content)
    return _text(1, tag) + _message(9, _message(1, plugin))


def _plain(value: Any) -> bytes:
    """`google.protobuf.Value`."""
    if isinstance(value, bool):
        return _integer(4, int(value))
    if isinstance(value, int | float):
        return _double(2, float(value))
    return _text(3, "none" if value is None else str(value))


def _float32(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", float("inf") if value > 0 else float("-inf"))


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _integer(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _key(field, _DOUBLE) + struct.pack("<d", value)


def _blob(field: int, value: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _blob(field, value.encode())


def _message(field: int, value: bytes) -> bytes:
    return _blob(field, value)
