"""One large JSON object, item by item: a list of millions is never held as Python objects all at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainwright.data.sources.base import existing
from trainwright.errors import DataError

Item = Callable[[Any, int, int], None]
_SPACE = re.compile(r"[ \t\n\r]*")
_LONGEST_SAID = 60


class JsonText:
    """The text of a JSON file whose top level is an object.

    `NaN`, `Infinity` and `-Infinity`, which strict JSON does not know, are read and counted.

    Args:
        path: The file; UTF-8, with or without a byte order mark.
        where: Key path in the recipe, for a file that is not there.

    Attributes:
        constants: How many numbers are not strict JSON.

    Raises:
        DataError: It cannot be read, or is no text.
    """

    def __init__(self, path: str | Path, where: str) -> None:
        self.path = existing(str(path), where)
        self.constants = 0
        try:
            self._text = self.path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise DataError(
                f"the file cannot be read: {error.strerror}",
                where=str(self.path),
                fix="check that the file may be read",
            ) from error
        except UnicodeDecodeError as error:
            raise DataError(
                f"the file is no UTF-8 text (byte {error.start})",
                where=str(self.path),
                fix="save the file as UTF-8",
            ) from error
        self._decoder = json.JSONDecoder(parse_constant=self._constant)

    def scan(self, lists: Mapping[str, Item]) -> dict[str, Any]:
        """Reads the whole object once.

        Args:
            lists: Member -> what is called with each item of its list, and the item's start and end in
                the text. A member that is no list is given back instead.

        Returns:
            All other members.

        Raises:
            DataError: The text is cut off or no JSON; says line and column.
        """
        others: dict[str, Any] = {}
        place = self._expect("{", 0, "an object `{...}` at the top")
        place = self._space(place)
        while not self._text.startswith("}", place):
            key, place = self._value(place)
            if not isinstance(key, str):
                raise self._error("a member's name is not in quotes", place)
            place = self._space(self._expect(":", place, "`:` after a name"))
            if key in lists and self._text.startswith("[", place):
                place = self._items(place, lists[key])
            else:
                others[key], place = self._value(place)
            place = self._separator(place, "}")
        if self._space(place + 1) != len(self._text):
            raise self._error("there is more after the end of the object", self._space(place + 1))
        return others

    def value(self, start: int, end: int) -> Any:
        """The value between two places that `scan` gave."""
        return self._decoder.decode(self._text[start:end])

    def line(self, place: int) -> int:
        """Number of the line of a place in the text, from 1."""
        return self._text.count("\n", 0, place) + 1

    def _items(self, place: int, handle: Item) -> int:
        place = self._space(place + 1)
        while not self._text.startswith("]", place):
            item, end = self._value(place)
            handle(item, place, end)
            place = self._separator(end, "]")
        return place + 1

    def _separator(self, place: int, closing: str) -> int:
        """The place of the next item, or of the closing bracket."""
        place = self._space(place)
        if self._text.startswith(",", place):
            after = self._space(place + 1)
            if self._text.startswith(closing, after):
                raise self._error("there is a comma before a closing bracket", place)
            return after
        if not self._text.startswith(closing, place):
            raise self._error(f"`,` or `{closing}` is missing", place)
        return place

    def _value(self, place: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, place)
        except json.JSONDecodeError as error:
            what = error.msg[:1].lower() + error.msg[1:]
            place = len(self._text) if error.msg.startswith("Unterminated string") else error.pos
            raise self._error(what, place) from error
        except (RecursionError, ValueError) as error:
            raise self._error(f"it cannot be read: {error}", place) from error

    def _expect(self, character: str, place: int, what: str) -> int:
        place = self._space(place)
        if not self._text.startswith(character, place):
            raise self._error(f"{what} is missing", place)
        return place + 1

    def _space(self, place: int) -> int:
        match = _SPACE.match(self._text, place)
        return match.end() if match else place

    def _error(self, what: str, place: int) -> DataError:
        line = self.line(place)
        column = place - (self._text.rfind("\n", 0, place) + 1) + 1
        if place >= len(self._text.rstrip()):
            return DataError(
                f"the JSON is cut off at column {column}",
                where=f"{self.path}:{line}",
                why=f"{what}; the file ends with {self._text.rstrip()[-_LONGEST_SAID:]!r}",
                fix="fetch or write the file again",
            )
        return DataError(
            f"not JSON at column {column}: {what}",
            where=f"{self.path}:{line}",
            fix="mend the file there; an editor for JSON shows the place",
        )

    def _constant(self, name: str) -> float:
        self.constants += 1
        return float(name.replace("Infinity", "inf"))
