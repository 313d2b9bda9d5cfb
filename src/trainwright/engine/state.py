"""The one place where everything that changes during training is registered."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Stateful(Protocol):
    """Something whose state belongs to a checkpoint."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any) -> Any: ...


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

    def restore(self, tree: dict[str, Any]) -> None:
        """Puts every part back. Raises ValueError where the parts are not the same ones."""
        if set(tree) != set(self.parts):
            missing, extra = set(self.parts) - set(tree), set(tree) - set(self.parts)
            raise ValueError(f"the checkpoint lacks {sorted(missing)} and has unknown {sorted(extra)}")
        for name, part in self.parts.items():
            part.load_state_dict(tree[name])
