"""What mixes samples: targets are mixed as the pixels are, partners depend on the address alone."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from trainwright.data.augment.base import Address, Augment
from trainwright.data.augment.beta import SymmetricBeta
from trainwright.data.augment.cutmix import Cutmix
from trainwright.data.augment.flip import Flip
from trainwright.data.augment.mixup import Mixup
from trainwright.data.augment.mosaic import Mosaic
from trainwright.data.augment.random_crop import RandomCrop
from trainwright.data.geometry import Geometry
from trainwright.data.loader import ArrayStore, Loader, Pipeline
from trainwright.data.objects import Objects
from trainwright.data.processors.boxes import BoxesProcessor
from trainwright.data.processors.categories import CategoriesProcessor
from trainwright.data.processors.category import CategoryProcessor
from trainwright.data.processors.distribution import DistributionProcessor
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.processors.mask import MaskProcessor
from trainwright.data.processors.number import NumberProcessor
from trainwright.data.samplers.shuffle import Shuffle
from trainwright.errors import ModelError, RecipeError
from trainwright.losses.cross_entropy import cross_entropy
from trainwright.losses.hinge import hinge

CPU = torch.device("cpu")
ROWS, SIDE = 40, 16


def loader(
    augment: list[Augment], *, batch: int = 8, chunk: int = 2, objects: bool = False, seed: int = 0
) -> Loader:
    """Every picture is its row's value everywhere; its targets say the same in every type."""
    values = np.arange(ROWS)
    images = np.repeat(values, SIDE * SIDE * 3).reshape(ROWS, SIDE, SIDE, 3).astype(np.uint8)
    image = ImageProcessor(size=[SIDE, SIDE], mode="rgb", normalise="none")
    category = CategoryProcessor()
    category.fit(values)
    several = CategoriesProcessor()
    several.fit([[str(value), str((value + 1) % ROWS)] for value in values])
    number = NumberProcessor(normalise="none")
    number.fit(values)
    bins = DistributionProcessor(bins=[place - 0.5 for place in range(ROWS + 1)])
    bins.fit(values)
    mask = MaskProcessor()
    mask.follow(Geometry((SIDE, SIDE)))
    masks = images[:, :, :, 0].copy()
    mask.fit(masks)
    targets = {"category": category, "several": several, "number": number, "bins": bins, "mask": mask}
    arrays = {
        "image": images,
        "category": category.encode_all(values),
        "several": several.encode_all([[str(value), str((value + 1) % ROWS)] for value in values]),
        "number": number.encode_all(values),
        "bins": bins.encode_all(values),
        "mask": masks,
    }
    if objects:
        boxes = BoxesProcessor()
        boxes.follow(Geometry((SIDE, SIDE)))
        annotated = [Objects((SIDE, SIDE), (str(v),), np.array([[0.0, 0, SIDE, SIDE]])) for v in values]
        boxes.fit(annotated)
        boxes.survey(annotated)
        targets["boxes"], arrays["boxes"] = boxes, boxes.encode_all(annotated)
    pipeline = Pipeline({"image": image}, targets, augment, seed)
    made = Loader(ArrayStore(arrays, CPU, resident=False), pipeline, np.arange(ROWS), batch, Shuffle(), seed)
    made.chunk = chunk
    return made


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 3.0])
def test_weights_have_a_beta_distribution(alpha: float) -> None:
    uniform = np.linspace(0.0005, 0.9995, 1000)
    np.testing.assert_allclose(
        SymmetricBeta(alpha)(uniform), scipy.stats.beta.ppf(uniform, alpha, alpha), atol=2e-4
    )


@pytest.mark.parametrize("mixing", [Mixup(alpha=1.0), Cutmix(), Mosaic(probability=1.0)])
@pytest.mark.parametrize("before", [[], [RandomCrop(padding=0), Flip()]])
def test_every_type_of_target_is_mixed_as_the_pixels_are(mixing: Augment, before: list[Augment]) -> None:
    mixed = 0
    for (batch,) in loader([*before, mixing]).batches(1):
        images = batch.inputs["image"][:, 0]
        shares = batch.targets["category"]
        assert shares.shape == (len(batch), ROWS)
        np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
        mean = images.mean(dim=(1, 2))
        # The mean of the picture, whose pixels are the class number, is the expectation of the class.
        np.testing.assert_allclose(mean, shares @ torch.arange(ROWS).float(), atol=0.51)
        np.testing.assert_allclose(batch.targets["number"][:, 0], mean, atol=0.51)
        np.testing.assert_allclose(batch.targets["bins"]["number"], batch.targets["number"], atol=1e-4)
        np.testing.assert_allclose(batch.targets["bins"]["probabilities"], shares, atol=1e-5)
        np.testing.assert_allclose(batch.targets["several"].sum(1), 2, atol=1e-5)
        ids = torch.argsort(torch.tensor([int(name) for name in map(str, range(ROWS))]))
        several = batch.targets["several"]
        np.testing.assert_allclose(several, shares + shares.roll(1, 1), atol=1e-5)
        assert ids.tolist() == list(range(ROWS))
        mask = batch.targets["mask"]
        if mask.dim() == 4:
            np.testing.assert_allclose(mask.mean(dim=(2, 3)), shares, atol=1e-5)
        else:
            assert torch.equal(mask, images.round().long())
        mixed += int((shares.amax(1) < 0.999).sum())
    assert mixed > ROWS / 2


def test_the_picture_of_a_cutmix_is_made_of_two_and_the_share_is_exact() -> None:
    for (batch,) in loader([Cutmix()]).batches(0):
        for picture, shares in zip(batch.inputs["image"][:, 0], batch.targets["category"], strict=True):
            values, counts = picture.round().long().unique(return_counts=True)
            expected = torch.zeros(ROWS).index_add(0, values, counts / SIDE**2)
            np.testing.assert_allclose(shares, expected, atol=1e-6)


@pytest.mark.parametrize("mixing", [Mixup(alpha=1.0), Mosaic(probability=1.0)])
def test_objects_of_all_samples_count(mixing: Augment) -> None:
    for (batch,) in loader([mixing], objects=True).batches(0):
        boxes = batch.targets["boxes"]
        assert isinstance(boxes, dict)
        rows = 2 if isinstance(mixing, Mixup) else 4
        assert boxes["labels"].shape == (len(batch), rows)
        for picture, box, label in zip(
            batch.inputs["image"][:, 0], boxes["boxes"], boxes["labels"], strict=True
        ):
            assert (label >= 0).all()
            if isinstance(mixing, Mosaic):
                for (left, top, right, bottom), of in zip(box.round().int().tolist(), label, strict=True):
                    name = sorted(map(str, range(ROWS)), key=int)[of]
                    assert (picture[top:bottom, left:right].round() == int(name)).all()
                area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
                assert float(area.sum()) == pytest.approx(SIDE**2, rel=1e-3)


def bits(made: Loader, epoch: int, start: int = 0) -> list[bytes]:
    found = []
    for (batch,) in made.batches(epoch, start):
        tensors = (*batch.inputs.values(), batch.targets["category"], batch.targets["mask"])
        found.append(b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors))
    return found


CHAINS = [
    [RandomCrop(padding=2), Flip(), Mixup()],
    [Flip(), Cutmix(probability=0.5), Mixup(probability=0.5), Flip()],
    [Mosaic(), RandomCrop(padding=2)],
]


@pytest.mark.parametrize("chain", CHAINS)
def test_chunks_starts_and_batch_sizes_change_no_bit(chain: list[Augment]) -> None:
    whole = bits(loader(chain), 2)
    assert bits(loader(chain, chunk=5), 2) == whole
    for start in (1, 3):
        assert bits(loader(chain), 2, start) == whole[start:]
    assert bits(loader(chain), 3) != whole
    assert bits(loader(chain, seed=1), 2) != whole


@pytest.mark.parametrize("chain", CHAINS)
def test_a_sample_is_mixed_alike_in_any_batch(chain: list[Augment]) -> None:
    def samples(batch: int) -> dict[int, tuple[bytes, bytes]]:
        return {
            int(row): (image.contiguous().numpy().tobytes(), label.numpy().tobytes())
            for (b,) in loader(chain, batch=batch).batches(1)
            for row, image, label in zip(b.ids, b.inputs["image"], b.targets["category"], strict=True)
        }

    assert samples(8) == samples(5)


def test_what_cannot_be_mixed_is_refused() -> None:
    with pytest.raises(RecipeError, match="cutmix cannot mix column 'boxes' of type boxes"):
        loader([Cutmix()], objects=True)


def test_losses_take_shares_or_say_no() -> None:
    logits = torch.randn(3, 4)
    target = torch.tensor([[0.3, 0.7, 0, 0], [1, 0, 0, 0], [0, 0, 0.5, 0.5]])
    expected = -(target * torch.log_softmax(logits, 1)).sum(1)
    torch.testing.assert_close(cross_entropy(logits, target), expected)
    with pytest.raises(ModelError, match="no samples of several classes"):
        hinge(logits, target)


def test_partners_come_from_the_split_and_depend_on_the_address_alone() -> None:
    among = np.arange(100, 150)
    whole = Address(1, 2, np.arange(30), 3).partners(among, 2)
    assert np.isin(whole, among).all() and whole.shape == (30, 2)
    assert np.array_equal(Address(1, 2, np.array([7, 3]), 3).partners(among, 2), whole[[7, 3]])
    assert not np.array_equal(Address(1, 3, np.arange(30), 3).partners(among, 2), whole)
