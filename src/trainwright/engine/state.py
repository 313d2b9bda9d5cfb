"""The one place where everything that changes during training is registered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Stateful(Protocol):
    """Something whose state belongs to a checkpoint."""

    def state_dict(self) -> Any:
        """Everything that has to be saved."""
        ...

    def load_state_dict(self, state: Any) -> Any:
        """Takes what `state_dict` gave."""
        ...


class OtherParts(ValueError):
    """A state is that of a training of other parts."""


class State:
    """Named stateful parts, saved and restored as one tree."""

    def __init__(self) -> None:
        self.parts: dict[str, Stateful] = {}

    def register(self, name: str, part: Stateful) -> None:
        """Adds a part; a name can be taken once."""
        if name in self.parts:
            raise ValueError(f"the state already has a part named {name}")
        self.parts[name] = part

    def tree(self) -> dict[str, Any]:
        """The state of every part, by name."""
        return {name: part.state_dict() for name, part in self.parts.items()}

    def restore(self, tree: dict[str, Any], *, may_lack: Collection[str] = ()) -> list[str]:
        """Puts every part back.

        Args:
            tree: As `tree` gave it.
            may_lack: Parts that may stay as they are where the tree lacks them.

        Returns:
            Names of parts that it lacks.

        Raises:
            OtherParts: The parts are not the same ones.
        """
        missing, extra = set(self.parts) - set(tree), set(tree) - set(self.parts)
        if extra or missing - set(may_lack):
            lacks = f"lacks {', '.join(sorted(missing))}" if missing else ""
            knows = f"has {', '.join(sorted(extra))}, which this training has not" if extra else ""
            raise OtherParts(f"it {' and '.join(filter(None, (lacks, knows)))}")
        for name, part in self.parts.items():
            if name in tree:
                part.load_state_dict(tree[name])
        return sorted(missing)
