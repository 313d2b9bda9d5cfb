"""Which answers of a head are read, by the type of the target."""

from __future__ import annotations

import pytest
import torch

from trainwright.data.types import TensorSpec
from trainwright.models.heads.answer_form import expected, forms_of, loss_misfit, misfit

CLASSES = ("a", "b", "c")
SPECS = {
    "category": TensorSpec("category", (), "int64", CLASSES),
    "categories": TensorSpec("categories", (3,), "float32", CLASSES),
    "number": TensorSpec("number", (2,)),
    "distribution": TensorSpec("distribution", (5,)),
    "mask": TensorSpec("mask", (4, 6), "int64", CLASSES, void=255),
    "image": TensorSpec("image", (3, 4, 6)),
    "boxes": TensorSpec("boxes", (7, 4), "float32", CLASSES),
    "keypoints": TensorSpec("keypoints", (7, 5, 3), "float32", CLASSES),
    "instances": TensorSpec("instances", (7, 4, 6), "uint8", CLASSES),
    "boxes3d": TensorSpec("boxes3d", (7, 7), "float32", CLASSES),
}


def objects(**more):
    labels = torch.tensor([[0, 2], [1, -1]])
    return {"boxes": torch.rand(2, 2, 4), "labels": labels, "scores": torch.rand(2, 2), **more}


PLAIN = {
    "category": {"answer": torch.rand(2, 3)},
    "categories": {"answer": torch.rand(2, 3)},
    "number": {"answer": torch.rand(2, 2)},
    "distribution": {"answer": torch.rand(2, 5)},
    "mask": {"answer": torch.full((2, 4, 6), 2, dtype=torch.uint8)},
    "image": {"answer": torch.rand(2, 3, 8, 8)},
    "boxes": objects(),
    "keypoints": objects(points=torch.rand(2, 2, 5, 3)),
    "instances": objects(masks=torch.ones(2, 2, 4, 6, dtype=torch.uint8)),
    "boxes3d": objects(boxes3d=torch.rand(2, 2, 7)),
}
KEPT = PLAIN | {
    "mask": {"confusion": torch.zeros(2, 3, 3, dtype=torch.int32)},
    "image": {"psnr": torch.rand(2), "ssim": torch.rand(2)},
    "instances": objects(similarity=torch.rand(2, 2, 7), areas=torch.rand(2, 2), true_areas=torch.rand(2, 7)),
}


@pytest.mark.parametrize("type", SPECS)
def test_answers_in_their_form_pass(type):
    assert misfit(PLAIN[type], SPECS[type], 2, kept=False) == ""
    assert misfit(KEPT[type], SPECS[type], 2, kept=True) == ""


def test_crops_may_take_the_place_of_masks_at_the_size_of_the_image():
    crops = torch.zeros(2, 2, 28, 28, dtype=torch.uint8)
    assert misfit(objects(crops=crops), SPECS["instances"], 2, kept=False) == ""
    masks = torch.ones(2, 2, 4, 6, dtype=torch.uint8)
    assert misfit(objects(masks=masks[..., 1:]), SPECS["instances"], 2, kept=False).startswith("`masks` of")


@pytest.mark.parametrize("type", SPECS)
def test_parts_that_are_missing_are_named(type):
    for part in forms_of(SPECS[type], kept=False)[0]:
        less = {name: value for name, value in PLAIN[type].items() if name != part.name}
        if part.name == "answer":
            assert misfit(less, SPECS[type], 2, kept=False) == "a dict of nothing, not one tensor"
        else:
            assert f"no `{part.name}` (it has " in misfit(less, SPECS[type], 2, kept=False)


@pytest.mark.parametrize("type", SPECS)
def test_another_number_of_samples_is_told(type):
    assert " for 3 samples, not [B, " in misfit(PLAIN[type], SPECS[type], 3, kept=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": torch.tensor([[0, 3], [1, -1]])}, "`labels` with 3, which is not from -1 to 2"),
        ({"labels": torch.tensor([[0, 1], [-2, -1]])}, "`labels` with -2, which is not from -1 to 2"),
        ({"labels": torch.zeros(2, 2)}, "`labels` of dtype float32, not an integer one"),
        ({"scores": torch.zeros(2, 2, dtype=torch.int64)}, "`scores` of dtype int64, not a floating one"),
        ({"boxes": torch.rand(2, 4)}, "`boxes` of shape [2, 4] for 2 samples, not [B, K, 4]"),
        ({"scores": torch.rand(2, 3)}, "`scores` of shape [2, 3] for 2 samples, not [B, K]"),
    ],
)
def test_objects_that_cannot_be_read(change, words):
    assert misfit(objects(**change), SPECS["boxes"], 2, kept=False) == words


def test_only_objects_have_to_be_numbers_and_only_where_the_loss_is_one():
    boxes = torch.rand(2, 2, 4)
    boxes[1, 1] = torch.nan  # where there is no object
    assert misfit(objects(boxes=boxes), SPECS["boxes"], 2, kept=True) == ""
    boxes[1, 0, 2] = torch.inf
    told = misfit(objects(boxes=boxes), SPECS["boxes"], 2, kept=True)
    assert told == "`boxes` that are NaN or infinite, in 1 of 2 samples of a finite loss"
    assert misfit(objects(boxes=boxes), SPECS["boxes"], 2, kept=True, known=torch.tensor([True, False])) == ""


def test_a_class_of_a_pixel_that_there_is_not():
    wrong = {"answer": torch.full((2, 4, 6), 3)}
    assert misfit(wrong, SPECS["mask"], 2, kept=False) == "values with 3, which is not from 0 to 2"


def test_one_tensor_where_several_are_meant():
    told = misfit({"answer": torch.rand(2, 4)}, SPECS["boxes"], 2, kept=False)
    assert told == "one tensor of shape [2, 4], not several by name"


def test_no_objects_at_all():
    empty = {"boxes": torch.zeros(2, 0, 4), "labels": torch.zeros(2, 0).long(), "scores": torch.zeros(2, 0)}
    assert misfit(empty, SPECS["boxes"], 2, kept=False) == ""


def test_a_type_of_a_users_own_is_not_judged():
    assert forms_of(TensorSpec("spectra", (3,)), kept=False) == ()
    assert misfit({"answer": torch.rand(5)}, TensorSpec("spectra", (3,)), 2, kept=False) == ""


def test_the_form_is_told_in_words():
    assert expected(SPECS["boxes"], kept=False) == (
        "`boxes` floats [B, K, 4], `labels` integers [B, K] from -1 to 2, `scores` floats [B, K]"
    )
    assert "; or " in expected(SPECS["instances"], kept=False)


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ({"loss": torch.rand(2)}, ""),
        ({"loss": torch.rand(())}, "the loss has shape [] for 2 samples"),
        (
            {"loss": torch.rand(2), "loss_far": torch.rand(2, 3)},
            "the part `far` of the loss has shape [2, 3]",
        ),
        ({"loss": torch.ones(2, dtype=torch.int64)}, "the loss has dtype int64"),
    ],
)
def test_losses_are_floats_per_sample(losses, words):
    assert loss_misfit(losses, 2).startswith(words)
    assert bool(loss_misfit(losses, 2)) == bool(words)
