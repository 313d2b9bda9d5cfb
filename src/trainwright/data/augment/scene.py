"""A batch while it is varied: images, and everything that has to move or mix along with them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import Address, Geometric
from trainwright.data.augment.warp import Warp

Objects = dict[str, Tensor]


@dataclass(frozen=True)
class Scene:
    """Columns of one batch, by what an augmentation does to them.

    Attributes:
        images: Image inputs `[B, H, W, C]`, as stored; every change is theirs.
        pictures: Image targets `[B, H, W, C]`; they are moved and mixed, their colours stay.
        masks: Class ids `[B, H, W]`, or shares of each class float32 `[B, H, W, C]` once they are blended.
        objects: `boxes`, `labels`, and perhaps `masks`, `points`, or `boxes3d` and `projection`, in the form
            of `to_tensor`.
        labels: What is mixed only: shares of classes, numbers; float32 `[B, ...]`.
        signals: Inputs of other types that some augmentation acts on, as stored.
        types: Type of each column of images and signals.
        sizes: Height and width of the picture in whose space objects lie.
        void: Id in a mask that stands for no class.
        mirrored: For each keypoint of a column its place in a mirror image.
    """

    images: dict[str, Tensor]
    pictures: dict[str, Tensor] = field(default_factory=dict)
    masks: dict[str, Tensor] = field(default_factory=dict)
    objects: dict[str, Objects] = field(default_factory=dict)
    labels: dict[str, Tensor] = field(default_factory=dict)
    signals: dict[str, Tensor] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    void: dict[str, int] = field(default_factory=dict)
    mirrored: dict[str, list[int]] = field(default_factory=dict)

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Scene:
        """Every tensor replaced by `function` of it."""
        objects = {name: _mapped(item, function) for name, item in self.objects.items()}
        groups = {
            name: _mapped(getattr(self, name), function) for name in ("images", "pictures", "masks", "labels")
        }
        return replace(self, objects=objects, **groups)

    def rows(self, start: int, stop: int) -> Scene:
        """Some of the samples."""
        return self.mapped(lambda tensor: tensor[start:stop])

    def followed_by(self, other: Scene) -> Scene:
        """The samples of both; rows of objects are filled up to the larger number."""
        groups = {
            name: {key: torch.cat([value, getattr(other, name)[key]]) for key, value in of.items()}
            for name in ("images", "pictures", "masks", "labels")
            if (of := getattr(self, name)) is not None
        }
        objects = {name: _stacked(item, other.objects[name]) for name, item in self.objects.items()}
        return replace(self, objects=objects, **groups)

    def changed(self, change: Callable[[Tensor], Tensor], types: Collection[str]) -> Scene:
        """The inputs of some types changed, and nothing else."""

        def group(columns: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: change(t) if self.types[name] in types else t for name, t in columns.items()}

        return replace(self, images=group(self.images), signals=group(self.signals))

    def moved(self, geometric: Geometric, address: Address, *, images: bool = True) -> Scene:
        """Everything that has a place, moved.

        Args:
            geometric: Says where pixels go.
            address: Of the batch.
            images: Whether the image inputs are moved by its warp, or else by the augmentation itself.
        """
        warps: dict[tuple[int, int], Warp] = {}

        def warp(size: tuple[int, int]) -> Warp:
            if size not in warps:
                warps[size] = geometric.warp(size, address)
            return warps[size]

        def pixels(tensor: Tensor) -> Tensor:
            return warp((tensor.shape[1], tensor.shape[2])).pixels(tensor)

        share = geometric.min_visible
        return replace(
            self,
            images=_mapped(self.images, pixels if images else lambda t: geometric(t, address)),
            pictures=_mapped(self.pictures, pixels),
            masks={name: self._moved_mask(name, tensor, warp) for name, tensor in self.masks.items()},
            objects={
                name: warp(self.sizes[name]).objects(item, share, self.mirrored.get(name))
                for name, item in self.objects.items()
            },
            sizes={name: warp(size).size for name, size in self.sizes.items()},
        )

    def _moved_mask(self, name: str, mask: Tensor, warp: Callable[[tuple[int, int]], Warp]) -> Tensor:
        made = warp((mask.shape[1], mask.shape[2]))
        if mask.dim() == 3:
            return made.nearest(mask[..., None], self.void[name])[..., 0]
        return made.nearest(mask, 0)


def joined(first: Objects, second: Objects) -> Objects:
    """The objects of two pictures as those of one."""
    return {name: torch.cat([first[name], second[name]], dim=1) for name in first}


def _mapped(group: dict[str, Tensor], function: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    return {name: function(tensor) for name, tensor in group.items()}


def _stacked(first: Objects, second: Objects) -> Objects:
    count = max(first["labels"].shape[1], second["labels"].shape[1])
    return {
        name: torch.cat([_filled(first[name], count, name), _filled(second[name], count, name)])
        for name in first
    }


def _filled(tensor: Tensor, count: int, name: str) -> Tensor:
    missing = count - tensor.shape[1]
    if missing == 0:
        return tensor
    edges = (0, 0) * (tensor.dim() - 2) + (0, missing)
    return functional.pad(tensor, edges, value=-1 if name == "labels" else 0)
