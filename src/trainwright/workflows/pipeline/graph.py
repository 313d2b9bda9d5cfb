"""Which stage waits for which: order, cycles, and what follows from what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

Edges = Mapping[str, Iterable[str]]
"""Stage -> those that it waits for."""


def in_order(after: Edges) -> list[str]:
    """All stages, each behind those that it waits for; else in the order of the file.

    Raises:
        graphlib.CycleError: There is a cycle.
    """
    order: list[str] = []
    sorter = TopologicalSorter({name: tuple(others) for name, others in after.items()})
    sorter.prepare()
    place = {name: number for number, name in enumerate(after)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        order += ready
        sorter.done(*ready)
    return order


def find_cycle(after: Edges) -> list[str]:
    """Stages that wait for each other, each for the next one; empty where there are none."""
    try:
        in_order(after)
    except CycleError as error:
        ring: list[str] = error.args[1]  # its first stage again at the end; each is waited for by the next
        return ring[:0:-1]
    return []


def before(after: Edges, names: Iterable[str]) -> set[str]:
    """Stages with all that they wait for, however far away."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += after[name]
    return found


def behind(after: Edges, names: Iterable[str]) -> set[str]:
    """Stages that wait for one of these, however far away; these themselves are left out."""
    found = set(names)
    for name in in_order(after):
        if found.intersection(after[name]):
            found.add(name)
    return found - set(names)
