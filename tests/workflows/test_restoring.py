"""Where a training begins: from checkpoints of earlier versions, and of other trainings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from trainwright.engine.state import State
from trainwright.errors import RunError
from trainwright.runs.directory import RunDirectory
from trainwright.workflows.restoring import restore


class Part:
    """A number that belongs to a checkpoint."""

    def __init__(self, value: int) -> None:
        self.value = value

    def state_dict(self) -> int:
        return self.value

    def load_state_dict(self, state: int) -> None:
        self.value = state


def loop_of(*names: str) -> Any:
    state = State()
    for name in names:
        state.register(name, Part(0))
    return SimpleNamespace(state=state)


def test_what_watches_a_training_may_begin_in_its_middle(tmp_path: Path) -> None:
    loop, said = loop_of("model", "clock", "samples", "health"), list[str]()
    restore(loop, RunDirectory(tmp_path), (120, {"model": 5, "clock": 7}), said.append)
    assert loop.state.tree() == {"model": 5, "clock": 7, "samples": 0, "health": 0}
    assert said == [
        "resuming at step 120",
        "the checkpoint was written before the health of a training was watched: that begins at step 120",
        "the checkpoint was written before the losses of single samples were kept: that begins at step 120",
    ]


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ({"clock": 7}, "it lacks model"),
        ({"model": 5, "clock": 7, "ema": 1}, "it has ema, which this training has not"),
        ({"clock": 7, "ema": 1}, "it lacks model and has ema, which this training has not"),
    ],
)
def test_another_training_is_refused_with_two_ways_on(tmp_path: Path, tree: dict[str, int], why: str) -> None:
    loop = loop_of("model", "clock")
    with pytest.raises(RunError, match="not one of this training") as caught:
        restore(loop, RunDirectory(tmp_path), (120, tree), lambda _: None)
    told = str(caught.value)
    assert why in told and "--from best" in told and "trainwright continue" in told
    assert loop.state.tree() == {"model": 0, "clock": 0}
