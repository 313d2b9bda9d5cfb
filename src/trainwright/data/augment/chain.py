"""The recipe's augmentations, one after the other, over all columns of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import Address, Augment, Geometric, Mixing
from trainwright.data.augment.scene import Scene
from trainwright.data.augment.warp import Warp
from trainwright.data.batch import Value, tensors_of
from trainwright.data.objects import OBJECT_TYPES
from trainwright.data.processors.image_tensors import in_steps_of_eight_bits
from trainwright.data.types import Processor
from trainwright.errors import RecipeError

_MIXED = ("category", "categories", "number", "distribution")


class Chain:
    """Augmentations in order.

    With a mixing augmentation every batch brings the partners of its samples: rows that go through the
    same augmentations under their own addresses, up to the place where they are mixed in. They are not
    mixed themselves. Targets that can be mixed are floats then: a category becomes shares `[B, C]`.

    Args:
        augments: In the recipe's order.
        inputs: Input columns' processors.
        targets: Target columns' processors.
        seed: Address of all random numbers.

    Raises:
        RecipeError: A column cannot be mixed.
    """

    def __init__(
        self,
        augments: Sequence[Augment],
        inputs: Mapping[str, Processor],
        targets: Mapping[str, Processor],
        seed: int,
    ) -> None:
        self.augments, self.seed = augments, seed
        self.processors = {**inputs, **targets}
        self.mixing = [(place, item) for place, item in enumerate(augments) if isinstance(item, Mixing)]
        self.images = [name for name, item in inputs.items() if item.type == "image"]
        acted = {kind for item in augments for kind in getattr(item, "types", Augment.types)} - {"image"}
        self.signals = [name for name, item in inputs.items() if item.type in acted]
        self.pictures = [name for name, item in targets.items() if item.type == "image"]
        self.masks = [name for name, item in self.processors.items() if item.type == "mask"]
        self.objects = [name for name, item in self.processors.items() if item.type in OBJECT_TYPES]
        self.labels = [name for name, item in self.processors.items() if item.type in _MIXED]
        self.labels = self.labels if self.mixing else []
        self.blends = any(item.blends for _, item in self.mixing)
        for _, item in self.mixing:
            self._check_columns(item, inputs)
        self._check_sizes()
        wanted = _wanted(self.processors)
        for augment in augments:
            if isinstance(augment, Geometric):
                augment.wanted = wanted

    def with_partners(self, rows: np.ndarray, among: np.ndarray, epoch: int) -> np.ndarray:
        """The rows, and behind them the partners that they need, out of the rows `among`."""
        found = [rows]
        for place, item in self.mixing:
            partners = Address(self.seed, epoch, rows, place).partners(among, item.partners)
            found += list(partners.T)
        return rows if len(found) == 1 else np.concatenate(found)

    def __call__(
        self, stored: dict[str, Tensor], ids: np.ndarray, epoch: int, count: int
    ) -> dict[str, Value]:
        """Varied columns.

        Args:
            stored: Stored values of the rows and their partners, by column.
            ids: Their row numbers, as `with_partners` gives them.
            epoch: The epoch.
            count: How many of them are the batch.

        Returns:
            By column: images, image targets and masks of class ids as stored (images of 16 bits as floats
            from 0 to 255), everything else ready for the model.
        """
        scene = self._scene(stored)
        total = len(ids)
        for place, *others in self._places():
            item = self.augments[place]
            if others:
                scene = self._moved_together(scene, [place, *others], ids, epoch)
                continue
            if isinstance(item, Mixing):
                used = count * (1 + item.partners)
                parts = [scene.rows(start, start + count) for start in range(0, used, count)]
                mixed = item.mix(parts[0], parts[1:], Address(self.seed, epoch, ids[:count], place))
                rest = ids[used:total]
                scene = mixed.followed_by(scene.rows(used, total)) if len(rest) else mixed
                ids = np.concatenate([ids[:count], rest])
                total = len(ids)
                continue
            address = Address(self.seed, epoch, ids, place)
            scene = _varied(scene, item, address)
        return self._columns(scene, stored, count)

    def _places(self) -> list[list[int]]:
        """Places of the augmentations, together where all that they do is to move pixels of images alone."""
        alone = not (self.masks or self.objects or self.pictures)
        groups: list[list[int]] = []
        for place, item in enumerate(self.augments):
            if alone and groups and _moves(item) and _moves(self.augments[place - 1]):
                groups[-1].append(place)
            else:
                groups.append([place])
        return groups

    def _moved_together(self, scene: Scene, places: list[int], ids: np.ndarray, epoch: int) -> Scene:
        """Images moved by several augmentations, by one warp in place of two where there is one."""

        def moved(images: Tensor) -> Tensor:
            """Images `[B, H, W, C]` behind all of the augmentations."""
            last: Warp | None = None
            for place in places:
                item = self.augments[place]
                assert isinstance(item, Geometric)
                size = last.size if last is not None else (images.shape[1], images.shape[2])
                warp = item.warp(size, Address(self.seed, epoch, ids, place))
                both = last.then(warp) if last is not None else warp
                if last is not None and both is None:
                    images = last.pixels(images)
                last = both or warp
            assert last is not None
            return last.pixels(images)

        return replace(scene, images={name: moved(images) for name, images in scene.images.items()})

    def _scene(self, stored: dict[str, Tensor]) -> Scene:
        there = stored.keys()
        specs = {name: self.processors[name].spec() for name in [*self.masks, *self.labels]}
        masks = {name: stored[name] for name in self.masks if name in there}
        void = {name: specs[name].void or 0 for name in masks}
        if self.blends:
            masks = {name: _shares(ids, len(specs[name].classes)) for name, ids in masks.items()}
        labels = {}
        for name in self.labels:
            if name in there:
                for key, value in tensors_of({name: self.processors[name].to_tensor(stored[name])}).items():
                    is_category = specs[name].type == "category"
                    labels[key] = _shares(value, len(specs[name].classes)) if is_category else value
        objects: dict[str, Any] = {
            name: self.processors[name].to_tensor(stored[name]) for name in self.objects if name in there
        }
        return Scene(
            images={name: in_steps_of_eight_bits(stored[name]) for name in self.images if name in there},
            pictures={name: in_steps_of_eight_bits(stored[name]) for name in self.pictures if name in there},
            signals={name: stored[name] for name in self.signals if name in there},
            types={name: self.processors[name].type for name in [*self.images, *self.signals]},
            masks=masks,
            objects=objects,
            labels=labels,
            sizes={name: self.processors[name].size for name in objects},  # type: ignore[attr-defined]
            void=void,
            mirrored={name: getattr(self.processors[name], "mirrored", []) for name in objects},
        )

    def _columns(self, scene: Scene, stored: dict[str, Tensor], count: int) -> dict[str, Value]:
        """All columns of the batch; those that no augmentation knows are as they were."""
        varied: dict[str, Value] = {
            **scene.images,
            **scene.pictures,
            **scene.signals,
            **scene.objects,
            **{name: _column(scene.labels, name) for name in self.labels if name in stored},
        }
        for name, mask in scene.masks.items():
            varied[name] = mask if mask.dim() == 3 else mask.permute(0, 3, 1, 2)
        return {name: varied[name] if name in varied else tensor[:count] for name, tensor in stored.items()}

    def is_ready(self, name: str) -> bool:
        """Whether a column is ready for the model when it leaves the chain."""
        return name in self.objects or name in self.labels or (self.blends and name in self.masks)

    def _check_sizes(self) -> None:
        """Pictures of another size than their input cannot be moved by the same number of pixels."""
        counting = [type(item).__name__ for item in self.augments if getattr(item, "counts_pixels", False)]
        sizes = {name: self.processors[name].spec().shape[1:] for name in [*self.images, *self.pictures]}
        if counting and self.pictures and len(set(sizes.values())) > 1:
            raise RecipeError(
                f"{counting[0].lower()} cannot move pictures of different sizes together",
                where="data.augment",
                why=", ".join(f"{name} has {height}x{width}" for name, (height, width) in sizes.items()),
                fix="give the target no size, so that it follows its input, or remove the augmentation",
            )

    def _check_columns(self, item: Mixing, inputs: Mapping[str, Processor]) -> None:
        known = {*self.images, *self.pictures, *self.masks, *self.labels}
        known |= set(self.objects) if item.takes_objects else set()
        for name, processor in self.processors.items():
            is_class = name in inputs and processor.type == "category"
            if name not in known or is_class:
                raise RecipeError(
                    f"{type(item).__name__.lower()} cannot mix column {name!r} of type {processor.type}",
                    where="data.augment",
                    fix="remove the augmentation"
                    + (", or use mosaic, which moves objects along" if name in self.objects else ""),
                )


def _wanted(processors: Mapping[str, Processor]) -> dict[tuple[int, int], tuple[int, int]]:
    """Size that the model reads by size that is stored, of image columns that store more."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for name, item in processors.items():
        stored, size = getattr(item, "store", None), getattr(item, "size", None)
        if stored is None or size is None:
            continue
        if found.setdefault(stored, size) != size:
            raise RecipeError(
                f"{name} stores images of {stored[0]}x{stored[1]}, as another column does for another size",
                where="data.augment",
                why="the size of a window would not be settled",
                fix="give the augmentations that cut a size, or the columns different stores",
            )
    return found


def _moves(item: Augment) -> bool:
    return isinstance(item, Geometric) and type(item).__call__ is Geometric.__call__


def _varied(scene: Scene, item: Augment, address: Address) -> Scene:
    if isinstance(item, Geometric):
        return scene.moved(item, address, images=_moves(item))
    return scene.changed(lambda values: item(values, address), getattr(item, "types", Augment.types))


def _column(labels: Mapping[str, Tensor], name: str) -> Value:
    """A column's only tensor, or its tensors by their names."""
    if name in labels:
        return labels[name]
    return {key.removeprefix(f"{name}."): t for key, t in labels.items() if key.startswith(f"{name}.")}


def _shares(ids: Tensor, classes: int) -> Tensor:
    """Class ids as shares of the classes, float32 `[..., classes]`; all zero where there is none."""
    ids = ids.long()
    known = (ids >= 0) & (ids < classes)
    one_hot = functional.one_hot(ids.clamp(0, classes - 1), classes).to(torch.float32)
    return one_hot * known[..., None]
