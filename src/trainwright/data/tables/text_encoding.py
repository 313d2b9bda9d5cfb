"""Text of a stated encoding as UTF-8, and where the first byte stands that is none."""

from __future__ import annotations

import codecs
import io
from typing import IO

from trainwright.errors import DataError

_CHUNK = 1 << 20
_UTF8 = "utf-8"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def codec_name(encoding: str, where: str) -> str:
    """Python's name of an encoding; that of UTF-8 with and without a byte order mark is `utf-8`.

    Args:
        encoding: Any of its names, such as `latin1`.
        where: What asks for it, for the error.

    Raises:
        DataError: There is no such encoding of text.
    """
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # base64 and the like are codecs, but not of text
    except (LookupError, UnicodeError, TypeError) as error:
        raise DataError(
            f"{encoding!r} is no encoding of text", where=where, fix="such as utf-8, latin1, cp1252 or utf-16"
        ) from error
    return _UTF8 if name == "utf-8-sig" else name


def decoded(data: bytes, encoding: str, where: str) -> str:
    """Bytes as text, without a byte order mark.

    Args:
        data: Whole text.
        encoding: As `codec_name` takes it.
        where: What the bytes are called in an error.

    Raises:
        DataError: They are no such text; names line and column.
    """
    name = codec_name(encoding, where)
    try:
        return data.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise not_text(data, error, name, where) from error


def not_text(
    data: bytes, error: UnicodeDecodeError, encoding: str, where: str, line: int = 1, column: int = 0
) -> DataError:
    """The error for bytes that are no text.

    Args:
        data: The bytes.
        error: What decoding them said.
        encoding: Name of the encoding.
        where: What the bytes are called.
        line: Number of the line that they begin in.
        column: Characters of that line before them.
    """
    before = data[: error.start].decode(encoding, "replace")
    breaks = before.count("\n")
    number = line + breaks
    column = len(before) - before.rfind("\n") if breaks else column + len(before) + 1
    name = "UTF-8" if encoding == _UTF8 else encoding
    if data[:2] in _UTF16_MARKS and line == 1:
        fix = "it begins like UTF-16: give its encoding as utf-16"
    else:
        fix = "give its encoding, often latin1 or cp1252 (of a table source: `encoding`), or save it as UTF-8"
    return DataError(
        f"not {name}, line {number}, column {column}",
        where=where,
        why=f"byte {data[error.start]:#04x}",
        fix=fix,
    )


class AsUtf8(io.RawIOBase):
    """The bytes of a text file of another encoding, as UTF-8; going back reads from the start again.

    Args:
        file: The file.
        encoding: As `codec_name` gives it.
        where: What the file is called in an error.
    """

    def __init__(self, file: IO[bytes], encoding: str, where: str) -> None:
        self._file, self._encoding, self._where = file, encoding, where
        self._restart()

    def _restart(self) -> None:
        self._file.seek(0)
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._waiting = b""
        self._place, self._ended = 0, False
        self._position = (1, 0)  # line of the next chunk, and characters of it that came before

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always, at a price."""
        return True

    def tell(self) -> int:
        """Bytes of UTF-8 before the next one."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a byte of the UTF-8 text, counted from its start or from here."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the length of recoded text is not known")
        target = offset if whence == io.SEEK_SET else self._place + offset
        if target < self._place:
            self._restart()
        while self._place < target and self.read(min(_CHUNK, target - self._place)):
            pass
        return self._place

    def readinto(self, buffer: object) -> int:
        """Fills the buffer as far as one chunk reaches. Raises DataError where bytes are no text."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._waiting and not self._ended:
            self._next_chunk()
        count = min(len(view), len(self._waiting))
        view[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        self._place += count
        return count

    def _next_chunk(self) -> None:
        data = self._file.read(_CHUNK)
        self._ended = not data
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise not_text(error.object, error, self._encoding, self._where, *self._position) from error
        self._waiting = text.encode()
        line, column = self._position
        breaks = text.count("\n")
        self._position = (line + breaks, len(text) - text.rfind("\n") - 1 if breaks else column + len(text))

    def close(self) -> None:
        """Closes the file as well."""
        if not self.closed:
            self._file.close()
        super().close()
