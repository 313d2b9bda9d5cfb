"""One image, one pyramid of feature maps, a head per target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from torch import Tensor, nn

from trainwright.data.batch import Value
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, closest
from trainwright.fields import ComponentOf
from trainwright.models.heads.author import author_of
from trainwright.models.heads.base import judged, learns
from trainwright.models.heads.building import build_head, build_part
from trainwright.models.inputs import only_image
from trainwright.models.module_names import module_names

Losses = Mapping[str, "Callable[..., Tensor] | None"]


class Pyramid(nn.Module):
    """Backbone, neck and heads.

    Args:
        backbone: Images to maps.
        neck: Maps to maps.
        heads: Target -> head.

    Attributes:
        own_losses: Targets whose head has a loss of its own; the task hands the truth to such a model.
        authors: Target -> who its head is.
    """

    def __init__(self, backbone: nn.Module, neck: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.backbone, self.neck = backbone, neck
        self.keys = module_names(heads)
        self.heads = nn.ModuleDict({self.keys[target]: head for target, head in heads.items()})
        self.own_losses = frozenset(target for target, head in heads.items() if learns(head))
        self.authors = {target: found for target, head in heads.items() if (found := author_of(head))}

    def forward(
        self, image: Tensor, targets: Mapping[str, Value] | None = None
    ) -> dict[str, Tensor | dict[str, Tensor]]:
        """What every head says of the images.

        Args:
            image: `[B, C, H, W]`.
            targets: The truth by target, for the heads that have a loss of their own.

        Returns:
            Target -> numbers `[B, K]`, or a picture, of a head that is a function of the maps. Of a head with
            a loss of its own: the loss in training, the answer where the truth is not given, both in
            evaluation.
        """
        features = self.neck(self.backbone(image))
        found: dict[str, Tensor | dict[str, Tensor]] = {}
        for target, key in self.keys.items():
            head = self.heads[key]
            if target in self.own_losses:
                truth = targets.get(target) if targets else None
                found[target] = judged(head, features, truth, answer=not self.training)
            elif getattr(head, "reads_image", False):
                found[target] = head(features, image)
            else:
                found[target] = head(features)
        return found


def pyramid(
    inputs: dict[str, TensorSpec],
    targets: dict[str, TensorSpec],
    losses: Losses,
    class_weights: Mapping[str, Tensor | None],
    *,
    backbone: Annotated[dict[str, Any], ComponentOf("backbone")] = {"name": "small"},  # noqa: B006
    neck: Annotated[dict[str, Any], ComponentOf("neck")] = {"name": "fpn"},  # noqa: B006 - never changed
    heads: dict[str, Annotated[dict[str, Any], ComponentOf("head")]] = {},  # noqa: B006 - never changed
) -> nn.Module:
    """Feature maps of one image, shared by a head per target: boxes, masks, points, classes, numbers.

    Args:
        inputs: Input columns: one image.
        targets: Target columns.
        losses: Target -> loss that the recipe names for it, None where it names none.
        class_weights: Target -> weight of every class, None where they count alike.
        backbone: small, any network of timm that gives maps, or a module of your own.
        neck: fpn, pan, plain, or a module of your own.
        heads: Target -> head; by the target's type when absent, and for keypoints by whether a picture shows
            several objects.

    Raises:
        ModelError: A head for a target that there is not, or of a type that it cannot learn.
    """
    shape = only_image(inputs, "pyramid")
    for name in heads:
        if name not in targets:
            guess = closest(name, targets)
            raise ModelError(
                f"there is no target {name!r} for a head",
                where=f"model.heads.{name}",
                fix=f"did you mean {guess!r}?" if guess else f"the targets are {', '.join(targets)}",
            )
    images = {"in_channels": shape[0], "image_size": shape[1:]}
    body = build_part("backbone", backbone, "model.backbone", images)
    maps = {"channels": body.channels, "strides": body.strides}
    joint = build_part("neck", neck, "model.neck", maps)
    built = {
        name: build_head(name, spec, heads.get(name), losses.get(name), class_weights.get(name), joint, shape)
        for name, spec in targets.items()
    }
    return Pyramid(body, joint, built)
