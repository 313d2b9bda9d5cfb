"""A parameter counts as read wherever that cannot be told by the source."""

from __future__ import annotations

import functools

import pytest

from trainwright.registry.unread_parameters import unread_parameters


def ignores(x, *, used: int = 1, left: int = 2):
    return [x for _ in range(used)]


def in_a_closure(x, *, left: int = 2):
    return lambda: left + x


def in_a_text(*, left: int = 2) -> str:
    return f"{left}"


def by_names(*, left: int = 2):
    return locals()


def not_made_yet(*, left: int = 2):
    """To be written."""
    raise NotImplementedError


def overwrites(*, left: int = 2):
    left = 3
    del left


@functools.lru_cache
def decorated(*, left: int = 2):
    return 1


class Ignores:
    def __init__(self, *, left: int = 2) -> None:
        self.x = 1


class Inherits(Ignores):
    pass


class Keeps:
    def __init__(self, *, left: int = 2) -> None:
        self.left = left


@pytest.mark.parametrize("component", [ignores, Ignores, overwrites])
def test_what_is_never_read_is_found_with_its_place(component):
    found = unread_parameters(component, ["left"])
    assert list(found) == ["left"] and __file__ in found["left"]


@pytest.mark.parametrize(
    "component", [in_a_closure, in_a_text, by_names, not_made_yet, decorated, Inherits, Keeps, len, int]
)
def test_everything_else_counts_as_read(component):
    assert unread_parameters(component, ["left"]) == {}


def test_only_the_names_that_are_asked_for():
    assert unread_parameters(ignores, ["used"]) == {}
