"""The learning rate of a run and of those that go on from it, after roll-backs."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.runs.lineage import Origin
from trainwright.runs.lowered_rate import rate_of, turns_of
from trainwright.runs.record import RunRecord


@pytest.mark.parametrize(
    ("inherited", "back", "turns", "rate"),
    [
        (None, [], [], 1.0),
        (1.0, [], [], 1.0),
        (0.25, [], [(0, 0.25)], 0.25),
        (None, [(20, 0.5), (10, 0.25)], [(20, 0.5), (10, 0.25)], 0.25),
        (0.25, [(30, 0.125)], [(0, 0.25), (30, 0.125)], 0.125),
    ],
)
def test_what_is_inherited_holds_until_the_next_roll_back(
    inherited: float | None, back: list[tuple[int, float]], turns: list[Any], rate: float
) -> None:
    record = RunRecord("x", "0", rollbacks=[{"to": to, "rate": factor} for to, factor in back])
    if inherited is not None:
        record.parents = [Origin("parent", "/p", 20, rate=inherited).as_json()]
    assert turns_of(record) == turns and rate_of(record) == rate


def test_records_from_before_rates_were_inherited_are_at_the_full_rate() -> None:
    old = Origin("parent", "/p", 20).as_json()
    del old["rate"]
    assert rate_of(RunRecord("x", "0", parents=[old])) == 1.0
