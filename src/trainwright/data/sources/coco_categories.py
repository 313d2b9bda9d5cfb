"""The classes of a COCO file, and the keypoints that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainwright.data.sources.file_set import examples
from trainwright.errors import DataError


class CocoCategories:
    """Names of the classes by their id.

    Args:
        listed: Items of the file's `categories`.
        file: Name of the file, for faults.
        faults: Categories that cannot be used are added here.

    Attributes:
        names: Class names in the order of the file.
        points: Names of the keypoints, empty without any.
        mirrored: For each keypoint its place in a mirror image.
        edges: Pairs of keypoints that are drawn joined.
        above: Class -> its supercategory.
        notices: Names that several ids have, which are one class.

    Raises:
        DataError: Two classes name different keypoints.
    """

    def __init__(self, listed: list[Any], file: str, faults: list[tuple[str, str]]) -> None:
        self.names: list[str] = []
        self.points: tuple[str, ...] = ()
        self.edges: tuple[tuple[int, int], ...] = ()
        self.above: dict[str, str] = {}
        self._places: dict[Any, int] = {}
        for place, item in enumerate(listed):
            problem = self._add(item)
            if problem:
                number = item.get("id", f"number {place}") if isinstance(item, dict) else f"number {place}"
                faults.append((f"{file}: category {number}", problem))
        self.mirrored = mirror_places(self.points)
        self.notices = [*self._merged(file)]

    def place_of(self, value: Any) -> int:
        """Place of a category id in `names`, -1 for an unknown one."""
        return self._places.get(value, -1)

    def _add(self, item: Any) -> str | None:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            return "it has no name"
        if type(item.get("id")) not in (int, str):
            return "it has no id"
        if item["id"] in self._places:
            taken = self.names[self._places[item["id"]]]
            return f"its id is that of {taken!r} already, so {item['name']!r} can never be meant"
        if item["name"] not in self.names:
            self.names.append(item["name"])
        if isinstance(item.get("supercategory"), str) and item["supercategory"]:
            self.above[item["name"]] = item["supercategory"]
        self._places[item["id"]] = self.names.index(item["name"])
        points = item.get("keypoints")
        if isinstance(points, list) and points and all(isinstance(name, str) for name in points):
            self._add_points(tuple(points), item.get("skeleton"))
        return None

    def _merged(self, file: str) -> Iterator[str]:
        ids: dict[int, list[str]] = {}
        for id, place in self._places.items():
            ids.setdefault(place, []).append(str(id))
        for place, shared in ids.items():
            if len(shared) > 1:
                said = f"{len(shared)} categories of {file} are called {self.names[place]!r}"
                yield f"{said} and are one class: ids {', '.join(shared)}"

    def _add_points(self, points: tuple[str, ...], skeleton: Any) -> None:
        if self.points and points != self.points:
            raise DataError(
                "its classes name different keypoints",
                where="categories",
                why=f"{examples(self.points)} and {examples(points)}",
                fix="keep the classes of one kind in a file of their own",
            )
        self.points = points
        pairs = skeleton if isinstance(skeleton, list) else []
        self.edges = tuple(
            (pair[0] - 1, pair[1] - 1)
            for pair in pairs
            if isinstance(pair, list)
            and len(pair) == 2
            and all(type(end) is int and 1 <= end <= len(points) for end in pair)
        )


def mirror_places(names: tuple[str, ...]) -> tuple[int, ...]:
    """For each point its place in a mirror image: `left_eye` and `right_eye` change places."""
    places = {name: place for place, name in enumerate(names)}
    swapped = [_other_side(name) for name in names]
    return tuple(places.get(other, place) for place, other in enumerate(swapped))


def _other_side(name: str) -> str:
    for one, other in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return name
