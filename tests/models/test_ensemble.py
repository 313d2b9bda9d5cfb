"""Models that answer together: probabilities by NumPy, and a training by recipe."""

import numpy as np
import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.ensemble import Ensemble, ensemble

TARGETS = {
    "kind": TensorSpec("category", (), "int64", ("a", "b", "c")),
    "size": TensorSpec("number", (2,)),
    "tags": TensorSpec("categories", (2,), "float32", ("x", "y")),
}


class Fixed(torch.nn.Module):
    """Says the same of everything."""

    def __init__(self, seed):
        super().__init__()
        self.said = torch.randn(4, 7, generator=torch.Generator().manual_seed(seed)) * 2

    def forward(self, inputs):
        return self.said


@pytest.mark.parametrize(("combine", "together"), [("average", np.mean), ("maximum", np.max)])
def test_probabilities_and_numbers_are_combined(combine, together):
    members = [Fixed(seed) for seed in range(3)]
    found = Ensemble(members, TARGETS, combine)(torch.zeros(4, 1)).double()
    said = np.stack([member.said.double().numpy() for member in members])
    shares = np.exp(said[..., :3])
    wanted = together(shares / shares.sum(-1, keepdims=True), axis=0)
    np.testing.assert_allclose(found[:, :3].softmax(1), wanted / wanted.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(found[:, 3:5], together(said[..., 3:5], axis=0), atol=1e-6)
    each = 1 / (1 + np.exp(-said[..., 5:]))
    np.testing.assert_allclose(found[:, 5:].sigmoid(), together(each, axis=0), atol=1e-6)


def test_certain_members_give_no_infinities():
    members = [Fixed(0), Fixed(1)]
    members[0].said = torch.full((4, 7), 200.0)
    members[1].said = torch.full((4, 7), -200.0)
    for combine in ("average", "maximum"):
        assert torch.isfinite(Ensemble(members, TARGETS, combine)(torch.zeros(4, 1))).all()


def built(**options):
    members = [{"name": "mlp", "hidden": [4]}, {"name": "mlp", "hidden": [5, 3]}]
    targets = options.pop("targets", {"kind": TARGETS["kind"]})
    nothing = dict.fromkeys(targets)
    return ensemble(
        {"leaf": TensorSpec("number", (2,))}, 3, targets, nothing, nothing, members=members, **options
    )


def test_members_are_built_by_name_and_learn():
    torch.manual_seed(0)
    model = built()
    leaf, kind = torch.randn(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    torch.nn.functional.cross_entropy(model(leaf), kind).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert not torch.equal(*[member(leaf) for member in model.members])


def test_targets_that_are_no_vectors_are_refused():
    with pytest.raises(ModelError, match="does not answer the mask target"):
        built(targets={"m": TensorSpec("mask", (4, 4), "int64", ("a", "b"))})
