"""Heads: from feature maps to the answer for one target.

A head is a plain module, built with what it names of `target` (its `TensorSpec`), `channels`, `strides`,
`in_channels` and `image_size` (of the image), `loss` and `class_weights`. There are two sorts:

- one whose `forward(features)` gives a tensor, `[B, numbers]` or a picture: the target's loss reads it, as it
  reads the output of a whole model. With an attribute `reads_image` it is called with the image, too;
- one with `loss(features, target)` and `predict(features)`, which knows best how its target is learned; see
  `base.Head`. Any module with these two methods is one, whether or not it derives from `Head`.
"""

from __future__ import annotations

DEFAULTS = {
    "category": "linear",
    "categories": "linear",
    "number": "linear",
    "distribution": "linear",
    "boxes": "fcos",
    "boxes3d": "fcos3d",
    "instances": "mask_rcnn",
    "mask": "dense",
    "keypoints": "heatmaps",
    "image": "restore",
}
"""Column type -> head that learns it when the recipe names none."""

SEVERAL_WITH_POINTS = "keypoint_rcnn"
"""Head for keypoints of pictures that show several objects each, likewise."""
