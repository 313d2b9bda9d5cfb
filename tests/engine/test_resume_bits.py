"""A resume from any step ends with the same bits, and every leaf of the state is needed for that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import tiny_loops
import torch
from tiny_loops import EVERYTHING, bits
from torch import Tensor, nn

from trainwright.engine.distributed import PerProcess
from trainwright.engine.ema import Ema
from trainwright.engine.loop import Loop
from trainwright.engine.phase_runner import NamedOptimizer
from trainwright.engine.state_tree import flatten, unflatten

EVERY_STEP = {"train.checkpoint.every_steps": 1, "train.log_every": 4}
PLATEAU = {
    "train.schedule": {
        "name": "plateau",
        "monitor": "val/loss",
        "patience": 0,
        "threshold": 0.5,
        "gamma": 0.5,
    },
    "train.optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9},
    "train.ema": None,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "everything": {**EVERYTHING, **EVERY_STEP},
    "plateau": {**EVERYTHING, **EVERY_STEP, **PLATEAU},
    "adversarial": {
        **EVERY_STEP,
        "task": {"name": "adversarial", "generator_optimizer": {"name": "adam", "lr": 0.002}},
        "data.targets": {},
        "model": {"name": "adversary", "latent": 3, "hidden": 5},
        "train.micro_batch": 12,
        "train.ema": {"decay": 0.9},
    },
}


def restored(overrides: dict[str, Any], tree: Any) -> Loop:
    loop = tiny_loops.loop(overrides)
    loop.state.restore(tree)
    return loop


def difference(whole: Loop, resumed: Loop, start: int) -> str:
    """The first thing that a resumed run wrote otherwise than the undisturbed one; empty for none."""
    reference = [(step, bits_of(structure, tensors)) for step, structure, tensors in whole.writer.written]  # type: ignore[union-attr]
    written = [(step, bits_of(structure, tensors)) for step, structure, tensors in resumed.writer.written]  # type: ignore[union-attr]
    if written != reference[len(reference) - len(written) :] or written[-1][0] != reference[-1][0]:
        return "checkpoints"
    theirs, mine = whole.journal.series(), resumed.journal.series()  # type: ignore[attr-defined]
    for name, points in theirs.items():
        later = {step: value for step, value in points.items() if step > start}
        if later != {step: value for step, value in mine.get(name, {}).items() if step > start}:
            return name
    for name, points in mine.items():
        if any(theirs.get(name, {}).get(step) != value for step, value in points.items()):
            return name
    best = {step: kept for step, kept in whole.writer.best.items() if step in resumed.writer.best}  # type: ignore[union-attr]
    return "" if best == resumed.writer.best else "best"  # type: ignore[union-attr]


def bits_of(structure: str, tensors: dict[str, Tensor]) -> bytes:
    return bits(unflatten(json.loads(structure), tensors))


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Loop]:
    overrides = VARIANTS[request.param]
    whole = tiny_loops.loop(overrides)
    whole.run()
    return overrides, whole


def test_a_resume_from_any_checkpoint_ends_with_the_same_bits(variant: tuple[dict[str, Any], Loop]) -> None:
    overrides, whole = variant
    # In mid-epoch, before an epoch's evaluation, after it, and before the very last one.
    for step, closed in ((1, None), (5, None), (6, False), (6, True), (9, None), (12, False), (18, False)):
        resumed = restored(overrides, whole.writer.tree(step, closed=closed))  # type: ignore[union-attr]
        resumed.run()
        assert difference(whole, resumed, step) == "", (step, closed)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every leaf."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        if isinstance(value, dict | list | tuple):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def with_change(node: Any, path: tuple[Any, ...]) -> Any:
    """The same tree with one leaf mutated."""
    if not path:
        return mutated(node)
    if isinstance(node, dict):
        return {key: with_change(value, path[1:]) if key == path[0] else value for key, value in node.items()}
    return type(node)(with_change(v, path[1:]) if i == path[0] else v for i, v in enumerate(node))


def mutated(value: Any) -> Any:
    """The least change: one unit in the last place of one element, one, or the other truth value."""
    if isinstance(value, Tensor):
        changed = torch.empty_like(value).copy_(value)
        place = tuple(size // 2 for size in value.shape)
        if value.is_floating_point():
            changed[place] = torch.nextafter(value[place], torch.tensor(torch.inf, dtype=value.dtype))
        else:
            changed[place] += 1
        assert not changed.equal(value)
        assert changed.stride() == value.stride()
        return changed
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else 1


def test_every_leaf_of_the_state_counts(variant: tuple[dict[str, Any], Loop]) -> None:
    """Changed in the checkpoint in mid-epoch, or else in the one just before an epoch's evaluation."""
    overrides, whole = variant
    points = [(9, False), (12, False)]
    trees = [whole.writer.tree(step, closed=closed) for step, closed in points]  # type: ignore[union-attr]
    paths = dict.fromkeys(path for tree in trees for path in leaves(tree))
    assert len(paths) > 60
    assert not any(noticed(overrides, whole, tree) for tree in trees), "without a change nothing differs"
    unnoticed = []
    for path in paths:
        changed = (with_change(tree, path) for tree in trees)
        if not any(noticed(overrides, whole, tree) for tree in changed):
            unnoticed.append(path)
    # How long it took is the one thing that no resume can or should reproduce.
    assert unnoticed == [("clock", "seconds")]


def noticed(overrides: dict[str, Any], whole: Loop, tree: Any) -> bool:
    """Whether a resume from this state fails, or differs from the undisturbed run, within an epoch."""
    try:
        # A copy: an optimizer goes on working in the very tensors that it is given.
        resumed = restored(overrides, unflatten(*flatten(tree)))
    except (ValueError, KeyError, RuntimeError):
        return True
    start = resumed.position.step
    # Every checkpoint on the way is compared, so one epoch is far enough.
    # A reason to stop in the state ends it too, as it does any training.
    resumed._end_reason = lambda: "far enough" if resumed.position.step >= 12 else resumed._spent()  # type: ignore[method-assign]
    try:
        resumed.run()
    except Exception:
        return True
    return part_difference(whole, resumed, start) != ""


def part_difference(whole: Loop, resumed: Loop, start: int) -> str:
    """As `difference`, of a run that was ended early."""
    last = resumed.position.step
    reference: dict[int, list[bytes]] = {}
    for step, structure, tensors in whole.writer.written:  # type: ignore[union-attr]
        reference.setdefault(step, []).append(bits_of(structure, tensors))
    for step, structure, tensors in resumed.writer.written:  # type: ignore[union-attr]
        if bits_of(structure, tensors) not in reference.get(step, []):
            return "checkpoints"
    theirs, mine = whole.journal.series(), resumed.journal.series()  # type: ignore[attr-defined]
    for name, points in mine.items():
        if any(theirs.get(name, {}).get(step) != value for step, value in points.items()):
            return name
    for name, points in theirs.items():
        wanted = {step for step in points if start < step <= last}
        if not wanted <= set(mine.get(name, {})):
            return name
    best = {step: kept for step, kept in whole.writer.best.items() if start < step <= last}  # type: ignore[union-attr]
    return "" if all(resumed.writer.best.get(step) == kept for step, kept in best.items()) else "best"  # type: ignore[union-attr]


# What a registered part saves on behalf of another object.
DELEGATES = {NamedOptimizer: "optimizer", PerProcess: "part"}


def stateful_leaves(root: Any) -> dict[int, tuple[str, Any]]:
    """Every object reachable from `root` that has a state, with the way to it."""
    found: dict[int, tuple[str, Any]] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("loop", root)]
    while waiting:
        path, item = waiting.pop()
        if id(item) in seen or isinstance(item, str | int | float | bytes | Tensor | type(None)):
            continue
        seen.add(id(item))
        ours = type(item).__module__.split(".")[0] in ("trainwright", "torch", __name__.split(".")[0])
        if ours and callable(getattr(item, "state_dict", None)) and hasattr(item, "load_state_dict"):
            found[id(item)] = (path, item)
        if isinstance(item, dict):
            waiting += [(f"{path}[{key!r}]", value) for key, value in item.items()]
        elif isinstance(item, list | tuple | set):
            waiting += [(f"{path}[{index}]", value) for index, value in enumerate(item)]
        elif callable(item) and hasattr(item, "__closure__") and item.__closure__:
            waiting += [(f"{path}()", cell.cell_contents) for cell in item.__closure__]
        elif hasattr(item, "__self__"):
            waiting.append((f"{path}.__self__", item.__self__))
        elif ours:
            slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
            names = [*getattr(item, "__dict__", {}), *slots]
            waiting += [(f"{path}.{name}", getattr(item, name, None)) for name in names]
    return found


def unregistered(loop: Loop) -> list[str]:
    covered: set[int] = {id(loop.state)}
    for part in loop.state.parts.values():
        covered.add(id(part))
        if type(part) in DELEGATES:
            covered.add(id(getattr(part, DELEGATES[type(part)])))
        if isinstance(part, nn.Module):
            covered |= {id(module) for module in part.modules()}
    return sorted(path for key, (path, _) in stateful_leaves(loop).items() if key not in covered)


@pytest.mark.parametrize("name", VARIANTS)
def test_everything_with_a_state_is_registered(name: str) -> None:
    loop = tiny_loops.loop(VARIANTS[name])
    assert len(stateful_leaves(loop)) > 6
    assert unregistered(loop) == []
    for _ in range(2):
        loop.run()
    assert unregistered(loop) == [], "nor does anything appear while it runs"


def test_what_is_not_registered_is_found_wherever_it_hides() -> None:
    class Counter:
        def state_dict(self) -> dict[str, int]:
            return {}

        def load_state_dict(self, state: dict[str, int]) -> None: ...

    loop = tiny_loops.loop(VARIANTS["everything"])
    counter = Counter()
    loop.parts.task.memory = {"deep": [Counter()]}  # type: ignore[attr-defined]
    loop.parts.runners[0].shadow = Ema(loop.parts.model, decay=0.5, warmup=False)  # type: ignore[attr-defined]
    loop.parts.train_loader.pipeline.augment[0].scaler = torch.amp.GradScaler("cpu")  # type: ignore[attr-defined]
    loop.keep_best = lambda: counter.load_state_dict({})
    assert unregistered(loop) == [
        "loop._ledger._loader.pipeline._chain.augments[0].scaler",
        "loop.keep_best()",
        "loop.saving._parts.runners[0].shadow",
        "loop.saving._parts.task.memory['deep'][0]",
    ]


def test_a_name_can_be_registered_once() -> None:
    loop = tiny_loops.loop()
    with pytest.raises(ValueError, match="already has a part named clock"):
        loop.state.register("clock", loop.clock)


def test_parts_that_are_not_the_same_are_refused_by_name() -> None:
    tree = tiny_loops.loop(VARIANTS["everything"]).state.tree()
    with pytest.raises(ValueError, match="it has early_stop, ema, which this training has not"):
        tiny_loops.loop().state.restore(tree)
