"""Boxes in space from one picture: what FCOS tells of a box, and what lies behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.fields import ComponentOf, Positive
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.box_cells import BoxCells
from trainwright.models.heads.fcos import Fcos
from trainwright.models.heads.grid import Grid, grid_of
from trainwright.models.heads.lifting import focal_length, lifted, projected, ray_angle
from trainwright.models.heads.located import below
from trainwright.models.heads.tower import start

TARGETS = ("boxes3d",)

_CODES = 2 + 1 + 3 + 2  # centre, depth, size, sine and cosine
_FARTHEST = 6.0  # of the logarithm of a depth or a size, as a multiple of the common one


class Fcos3d(Head):
    """Each cell near the centre of a box tells, beside the box, where the object stands in space.

    After FCOS3D (Wang et al., ICCV Workshops 2021, arXiv:2104.10956): the centre's place in the picture as a
    distance from the cell, its depth, the size as a multiple of the class's mean, and the heading relative to
    the ray from the camera as sine and cosine. The depth is learned as the camera of the training pictures
    would see it, so that pictures that are enlarged by an augmentation tell the same.

    Args:
        target: What is learned.
        channels: Channels of the maps, the same for all.
        strides: Pixels per cell of each map.
        image_size: Height and width of the processed image.
        detector: The head fcos, with its own parameters; scores and suppression are its too.
        space_weight: Of everything in space, against the box in the picture, in the loss.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        image_size: tuple[int, int],
        *,
        detector: Annotated[dict[str, Any], ComponentOf("head")] = {"name": "fcos"},  # noqa: B006
        space_weight: Positive = 1.0,
    ) -> None:
        super().__init__()
        assert target.space is not None, "boxes in space have a camera"
        flat = replace(target, type="boxes", shape=(target.shape[0], 4), space=None)
        with below(".detector"):
            found = registry.build(
                "head",
                detector,
                where=".detector",
                target=flat,
                channels=channels,
                strides=strides,
                image_size=image_size,
                loss=None,
                class_weights=None,
            )
        if not isinstance(found, Fcos):
            raise ModelError(
                f"the head {detector['name']} cannot be the detector of fcos3d",
                where=".detector",
                why="what is told of space is told by the cells of fcos",
                fix="name fcos",
            )
        self.detector, self.strides, self.space_weight = found, strides, space_weight
        self.space = nn.Conv2d(channels[0], _CODES, 3, padding=1)
        start(self.space)
        self.depth = target.space.depth
        # Known from the data: no buffers, which a file of weights would have to hold.
        self.camera: Tensor
        self.sizes: Tensor
        camera = torch.tensor(target.space.camera, dtype=torch.float32).view(1, 1, 3, 4)
        self.register_buffer("camera", camera, persistent=False)
        sizes = torch.tensor(target.space.sizes, dtype=torch.float32).view(-1, 3)
        self.register_buffer("sizes", sizes, persistent=False)

    def loss(self, features: Features, target: dict[str, Tensor]) -> dict[str, Tensor]:
        """Those of fcos, and `place`, `depth`, `size` and `heading` `[B]` over the cells that learn a box."""
        return self._seen(features, target)[0]

    @torch.no_grad()
    def predict(self, features: Features) -> dict[str, Tensor]:
        """The answer of fcos, `boxes3d` `[B, detections, 7]`, and the camera as `projection` `[B, 1, 3, 4]`.

        The camera is that of the training pictures.
        """
        maps, codes, grid = self._told(features)
        return self._answer(maps, codes, grid, self.camera.expand(len(codes), -1, -1, -1))

    def judge(
        self, features: Features, target: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Loss; the answer as the picture's own camera sees it, and `unowned` `[B]`, see fcos."""
        losses, cells, maps, codes, grid = self._seen(features, target)
        camera = self.camera.expand(len(codes), -1, -1, -1)
        if target["projection"].shape[1]:
            own = target["projection"][:, :1].float()
            camera = torch.where((own != 0).any(-1, keepdim=True).any(-2, keepdim=True), own, camera)
        answer = self._answer(maps, codes, grid, camera)
        return losses, answer | {"unowned": cells.unowned.sum(1)}

    def _told(self, features: Features) -> tuple[Any, Tensor, Grid]:
        """Maps of fcos, codes `[B, L, 8]` and the grid."""
        boxes = self.detector.box_maps(features)
        maps = self.detector.maps(features, boxes)
        codes = torch.cat([self.space(map).float().flatten(2) for map in boxes], 2).transpose(1, 2)
        return maps, codes, grid_of(maps[0], self.strides)

    def _seen(
        self, features: Features, target: dict[str, Tensor]
    ) -> tuple[dict[str, Tensor], BoxCells, Any, Tensor, Grid]:
        maps, codes, grid = self._told(features)
        cells = self.detector.cells(target, grid)
        losses = self.detector.losses(maps, grid, cells) | self._space_losses(codes, grid, cells, target)
        return losses, cells, maps, codes, grid

    def _space_losses(
        self, codes: Tensor, grid: Grid, cells: BoxCells, target: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Absolute errors, the mean over the image's cells that learn a box in space."""
        chosen = cells.cell.flatten(1)
        told = codes.gather(1, chosen[..., None].expand(-1, -1, _CODES)).view(*cells.cell.shape, _CODES)
        boxes, projection, known = _finite(target["boxes3d"], target["projection"])
        owned = (cells.owned & known[..., None]).float()
        steps = grid.steps()[cells.cell][..., None]
        places = (projected(boxes[..., :3], projection)[:, :, None] - cells.points) / steps
        label = cells.labels.clamp(0, len(self.sizes) - 1)
        heading = boxes[..., 6] - ray_angle(boxes[..., :3])
        wanted = torch.cat(
            [
                (boxes[..., 2] * self._zoom(projection) / self.depth).clamp_min(1e-6).log()[..., None],
                (boxes[..., 3:6] / self.sizes[label]).clamp_min(1e-6).log(),
                heading.sin()[..., None],
                heading.cos()[..., None],
            ],
            -1,
        )
        away = torch.cat([told[..., :2] - places, told[..., 2:] - wanted[:, :, None]], -1).abs()
        count = owned.sum((1, 2)).clamp_min(1)
        parts = {
            "place": away[..., :2],
            "depth": away[..., 2:3],
            "size": away[..., 3:6],
            "heading": away[..., 6:],
        }
        return {
            name: self.space_weight * (part.sum(-1) * owned).sum((1, 2)) / count
            for name, part in parts.items()
        }

    def _answer(self, maps: Any, codes: Tensor, grid: Grid, camera: Tensor) -> dict[str, Tensor]:
        boxes, labels, scores, places = self.detector.candidates(maps, grid)
        told = codes.gather(1, places[..., None].expand(-1, -1, _CODES))
        centre = grid.centres()[places] + told[..., :2] * grid.steps()[places][..., None]
        depth = self.depth * told[..., 2].clamp(-_FARTHEST, _FARTHEST).exp() / self._zoom(camera)
        centre = lifted(centre, depth, camera)
        size = self.sizes[labels] * told[..., 3:6].clamp(-_FARTHEST, _FARTHEST).exp()
        heading = torch.atan2(told[..., 6], told[..., 7]) + ray_angle(centre)
        # Within half a turn to both sides.
        yaw = torch.remainder(heading + torch.pi, 2 * torch.pi) - torch.pi
        space = torch.cat([centre, size, yaw[..., None]], -1)
        found = self.detector.suppression(boxes, labels, scores, {"boxes3d": space})
        return found | {"projection": camera.contiguous()}

    def _zoom(self, projection: Tensor) -> Tensor:
        """Depth for the training pictures' camera over that for another, of things equally large `[...]`."""
        return focal_length(self.camera) / focal_length(projection)


def _finite(boxes: Tensor, projection: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes and cameras in float32 without what is no number, and which of them can be learned from."""
    boxes, projection = boxes.float(), projection.float()
    known = boxes.isfinite().all(-1) & projection.isfinite().all(-1).all(-1)
    known &= (boxes[..., 2:6] > 0).all(-1) & (projection != 0).any(-1).any(-1)
    common = boxes.new_tensor([0.0, 0, 1, 1, 1, 1, 0])
    boxes = torch.where(known[..., None], boxes, common).clamp(-1e6, 1e6)
    return boxes, torch.where(known[..., None, None], projection, torch.eye(3, 4, device=boxes.device)), known
