"""The head for masks: logits, loss, answers, and pictures without a class."""

import pytest
import torch
from torch.nn import functional as F

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.losses.tversky import tversky
from trainwright.models.heads.dense import Dense
from trainwright.models.heads.summed_levels import SummedLevels

CLASSES = ("a", "b", "c")
SIZE = (12, 20)


def spec(classes=CLASSES, void=255):
    return TensorSpec("mask", SIZE, "int64", classes, (1,) * len(classes), void=void)


def head(loss=None, class_weights=None, **options):
    torch.manual_seed(0)
    return Dense(
        options.pop("target", spec()), (4, 6, 8), (4, 8, 16), SIZE, loss, class_weights, width=8, **options
    )


@pytest.fixture
def features():
    draw = torch.Generator().manual_seed(0)
    sizes = [(4, 3, 5), (6, 2, 3), (8, 1, 2)]
    return [torch.randn(2, *size, generator=draw) for size in sizes]


@pytest.fixture
def target():
    found = torch.randint(0, 3, (2, *SIZE), generator=torch.Generator().manual_seed(1))
    found[0, :, :5] = 255
    return found


def test_the_loss_is_that_of_the_known_pixels(features, target):
    dense = head()
    logits = dense(features)
    assert logits.shape == (2, 3, *SIZE)
    want = [
        F.cross_entropy(row[:, mask != 255].T, mask[mask != 255])
        for row, mask in zip(logits, target, strict=True)
    ]
    torch.testing.assert_close(dense.loss(features, target), torch.stack(want))


def test_the_loss_and_the_weights_of_the_recipe_are_read(features, target):
    weights = torch.tensor([1.0, 3.0, 0.5])
    dense = head(loss=tversky, class_weights=weights)
    want = tversky(dense(features), target.masked_fill(target == 255, -100), weights)
    torch.testing.assert_close(dense.loss(features, target), want)
    assert "class_weights" not in dense.state_dict()


def test_answers_are_class_ids_at_the_size_of_the_image(features):
    dense = head()
    answer = dense.predict(features)
    assert answer.dtype == torch.uint8
    torch.testing.assert_close(answer.long(), dense(features).argmax(1))
    many = head(target=spec(tuple(map(str, range(300))), void=-1))
    assert many.predict(features).dtype == torch.int16


def test_scoring_keeps_counts(features, target):
    dense = head(boundary_tolerance=1)
    kept = dense.compare(dense.predict(features), target)
    assert {name: tuple(value.shape) for name, value in kept.items()} == {
        "confusion": (2, 3, 3),
        "boundary": (2, 3, 4),
    }
    assert kept["confusion"].sum((1, 2)).tolist() == [(mask != 255).sum() for mask in target]
    perfect = dense.compare(target.where(target != 255, 0).to(torch.uint8), target)
    assert perfect["confusion"].diagonal(dim1=1, dim2=2).sum() == (target != 255).sum()
    assert torch.equal(perfect["boundary"][..., 0], perfect["boundary"][..., 3])


@pytest.mark.parametrize("void", [255, -1])
def test_pictures_without_a_class_cost_nothing(features, void):
    dense = head(target=spec(void=void))
    nothing = torch.full((2, *SIZE), void)
    loss = dense.loss(features, nothing)
    loss.sum().backward()
    assert loss.tolist() == [0, 0]
    assert all(torch.isfinite(p.grad).all() for p in dense.parameters())
    assert not dense.compare(dense.predict(features), nothing)["confusion"].any()


def test_shares_of_mixed_pictures(features, target):
    dense = head()
    known = (target != 255)[:, None]
    shares = F.one_hot(target.where(target != 255, 0), 3).permute(0, 3, 1, 2).float() * known
    torch.testing.assert_close(dense.loss(features, shares), dense.loss(features, target))
    answer = dense.predict(features)
    for name, kept in dense.compare(answer, shares).items():
        assert torch.equal(kept, dense.compare(answer, target)[name])


def test_no_sample_depends_on_another(features, target):
    dense = head()
    alone = [dense.loss([map[[place]] for map in features], target[[place]]) for place in range(2)]
    torch.testing.assert_close(dense.loss(features, target), torch.cat(alone))


def test_every_level_reaches_the_sum_at_the_finest_resolution(features):
    levels = SummedLevels((4, 6, 8), 8)
    whole = levels(features)
    assert whole.shape == (2, 8, 3, 5)
    for place in range(3):
        without = [map * (index != place) for index, map in enumerate(features)]
        assert not torch.allclose(levels(without), whole)


def test_half_precision_maps_give_a_float32_loss(features, target):
    dense = head()
    with torch.autocast("cpu", torch.bfloat16):
        assert dense(features).dtype == torch.float32
        assert dense.loss(features, target).dtype == torch.float32


@pytest.mark.parametrize("pixels", [1, 2, 4])
def test_cells_may_give_the_logits_of_their_pixels(features, target, pixels):
    dense = head(pixels=pixels)
    logits = dense(features)
    assert logits.shape == (2, 3, *SIZE)
    dense.loss(features, target).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in dense.parameters())


def test_pixels_that_have_logits_of_their_own_need_no_interpolation(features):
    dense = head(pixels=4)
    sharp = dense(features)[0, 0].unflatten(0, (3, 4)).unflatten(2, (5, 4))
    torch.testing.assert_close(sharp, sharp[:, :1, :, :1].expand_as(sharp))
    # A picture that is no multiple of the stride ends within a cell.
    assert torch.equal(dense(features, (10, 19)), dense(features)[:, :, :10, :19])


def test_cells_are_divided_evenly():
    with pytest.raises(ModelError, match="does not divide the stride"):
        head(pixels=3)
