"""XML of data files: elements with their line numbers, and nothing that XML can be abused for.

A document type is refused, and with it every entity, internal or external; so is deep nesting. What a
cut-off file holds up to its end is read, together with the error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

_DEEPEST = 50


@dataclass
class Element:
    """One element.

    Attributes:
        tag: Its name.
        line: Where it begins, from 1.
        text: The text directly in it.
        children: Elements in it.
    """

    tag: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Children of that name."""
        return [child for child in self.children if child.tag == tag]

    def first(self, *path: str) -> Element | None:
        """The first element along a path of names, None where there is none."""
        found: Element | None = self
        for tag in path:
            found = next((child for child in found.children if child.tag == tag), None) if found else None
        return found

    def word(self, *path: str) -> str | None:
        """The text of the first element along a path, without white space around it."""
        found = self.first(*path)
        return found.text.strip() if found else None


@dataclass
class Document:
    """What could be read.

    Attributes:
        root: The outermost element, None where there is none.
        line: Line of the error, 0 without one.
        error: Why reading ended before the end, None where it did not.
    """

    root: Element | None
    line: int = 0
    error: str | None = None


class _Refused(Exception):
    """The file uses what no data file needs."""


def parse(data: bytes) -> Document:
    """Reads a document as far as it goes. Never raises."""
    parser = expat.ParserCreate()
    top = Element("", 0)
    open_elements = [top]

    def start(tag: str, _: Any) -> None:
        if len(open_elements) > _DEEPEST:
            raise _Refused(f"elements are nested deeper than {_DEEPEST}")
        element = Element(tag, parser.CurrentLineNumber)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def text(characters: str) -> None:
        open_elements[-1].text += characters

    def doctype(*_: Any) -> None:
        raise _Refused("it has a document type, which is not read: entities could stand for anything")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, doctype
    parser.buffer_text = True
    error: str | None = None
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        error = expat.ErrorString(problem.code)
        if error == "no element found":
            error = "cut off"
    except (_Refused, ValueError, LookupError) as problem:
        error = str(problem)
    root = top.children[0] if top.children else None
    return Document(root, parser.CurrentLineNumber if error else 0, error)
