"""What a callback is, and how the callbacks of a run are called."""

from __future__ import annotations

import inspect
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from trainwright import registry
from trainwright.errors import RecipeError, TrainwrightError, UserError
from trainwright.registry.user_code import kept_running

Event = Literal["start", "during", "end", "save"]
Mode = Literal["train", "val", "test"]
Action = Literal["save", "stop"] | None
"""What a callback asks for: to keep the present weights under its label, to end the training, or nothing."""


class Callback(ABC):
    """Called at every event of a run; a function with the same five arguments will do as well.

    Attributes:
        label: Name of the weights that it keeps, `weights/LABEL.safetensors`.
        reason: Why it last said `stop`, in words.
    """

    label = ""
    reason = ""

    @abstractmethod
    def __call__(self, event: Event, mode: Mode, epoch: int, step: int, logs: Mapping[str, float]) -> Action:
        """Takes an event.

        Args:
            event: `start` and `end` of an epoch's training or of a scoring; `during` training, at each record
                of the training loss; `save` when weights were kept.
            mode: What was going on: `train`, `val` or `test`.
            epoch: Epochs done before this one.
            step: Optimizer steps done.
            logs: What was measured, by full name such as `val/accuracy`; empty at a `start`.
        """

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know, as plain data and tensors."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027 - most have nothing to remember
        """Takes back what `state_dict` gave."""


class Function(Callback):
    """A function as a callback."""

    def __init__(self, call: Callable[..., Action]) -> None:
        self._call = call

    def __call__(self, event: Event, mode: Mode, epoch: int, step: int, logs: Mapping[str, float]) -> Action:
        return self._call(event, mode, epoch, step, logs)


class Callbacks:
    """All callbacks of a run, in their order. Everything that they remember is one state.

    Args:
        members: Name -> callback.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = dict(members)
        self.stopped = ""

    def call(
        self, event: Event, mode: Mode, epoch: int, step: int, logs: Mapping[str, float]
    ) -> tuple[list[str], str]:
        """Tells all of an event; labels of weights to keep, and why to stop where one says so.

        Raises:
            RecipeError: A callback gives something else than `save`, `stop` or nothing.
        """
        labels, reason = [], ""
        for name, callback in self.members.items():
            action = _called(name, callback, event, mode, epoch, step, dict(logs))
            if action == "save":
                labels.append(getattr(callback, "label", "") or name)
            elif action == "stop":
                reason = reason or getattr(callback, "reason", "") or f"callback {name} said so"
            elif action is not None:
                raise RecipeError(
                    f"callback {name} gave {action!r}",
                    where="train.callbacks",
                    fix="give 'save', 'stop' or None",
                )
        return labels, reason

    def watched(self) -> dict[str, str]:
        """Callback -> metric, of those that watch one."""
        names = {name: getattr(item, "monitor", None) for name, item in self.members.items()}
        return {name: metric for name, metric in names.items() if isinstance(metric, str)}

    def state_dict(self) -> dict[str, Any]:
        """Why training is to stop, and the state of each."""
        states = {
            name: item.state_dict() for name, item in self.members.items() if hasattr(item, "state_dict")
        }
        return {"stopped": self.stopped, "members": states}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts it back."""
        self.stopped = state["stopped"]
        for name, item in self.members.items():
            if name in state["members"]:
                item.load_state_dict(state["members"][name])


def _called(name: str, callback: Any, event: Event, mode: Mode, *rest: Any) -> Any:
    """A callback's answer; an error of the user's own code with its place."""
    what = f"callback {name} failed at {event} of {mode}"
    try:
        with kept_running(what, "train.callbacks"):
            return callback(event, mode, *rest)
    except TrainwrightError:
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise UserError(
            f"{what}: {type(error).__name__}: {error}",
            where="train.callbacks",
            why=f"raised at {last.filename}:{last.lineno}",
            fix="mend the callback",
        ) from error


def build_callbacks(specs: Sequence[Mapping[str, Any]]) -> Callbacks:
    """The callbacks of a recipe; a name that comes twice is numbered.

    Raises:
        RecipeError: One cannot be built.
    """
    members: dict[str, Any] = {}
    for index, spec in enumerate(specs):
        where = f"train.callbacks.{index}"
        name = base = str(spec["name"]).rpartition(":")[2]
        while name in members:
            name = f"{base}-{sum(key.split('-')[0] == base for key in members) + 1}"
        bound = registry.bind("callback", spec, where=where)
        is_class = inspect.isclass(getattr(bound, "func", bound))
        members[name] = registry.build("callback", spec, where=where) if is_class else Function(bound)
    return Callbacks(members)
