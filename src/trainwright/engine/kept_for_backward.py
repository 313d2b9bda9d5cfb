"""How many bytes a forward pass keeps for the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks


@dataclass
class Kept:
    """What autograd keeps, each piece of memory counted once; weights and buffers are left out.

    Attributes:
        storages: Storage -> its bytes.
    """

    storages: dict[int, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(self.storages.values())


@contextmanager
def counting_kept(model: nn.Module) -> Iterator[Kept]:
    """Counts what forward passes of a model keep while it is open; on the meta device too."""
    kept = Kept()
    own = {t.untyped_storage()._cdata for t in (*model.parameters(), *model.buffers())}

    def note(tensor: Tensor) -> Tensor:
        """Counts the storage of a tensor that is kept, each once."""
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept.storages[storage._cdata] = storage.nbytes()
        return tensor.detach()  # the very tensor would hold itself in a circle

    def give(tensor: Tensor) -> Tensor:
        """What was kept, as it is."""
        return tensor

    with saved_tensors_hooks(note, give):
        yield kept


def trained_bytes(model: nn.Module) -> tuple[int, int]:
    """Bytes of all weights and buffers, and of those weights that are trained."""
    tensors = {id(t): t for t in (*model.parameters(), *model.buffers())}
    trained = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    return sum(t.nbytes for t in tensors.values() if isinstance(t, torch.Tensor)), trained
