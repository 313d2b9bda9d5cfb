"""Metrics: plain functions `(output, target, classes, spec) -> {name: value}` over a whole split.

`output` and `target` are CPU tensors or NumPy arrays:

| Target       | `output`                                                 | `target`                      |
|--------------|----------------------------------------------------------|-------------------------------|
| category     | logits `[N, C]`                                          | class ids `[N]`               |
| categories   | logits `[N, C]`                                          | memberships `[N, C]`, 0 or 1  |
| number       | floats `[N, K]` in their own unit                        | the same                      |
| distribution | expectations `[N, 1]`, or probabilities `[N, K]`         | numbers `[N, 1]`              |
| objects      | what was found, several tensors by name                  | the truth, likewise           |
| mask         | what the head's `compare` keeps                          | the truth                     |
| image        | `psnr` and `ssim` of every picture `[N]`                 | the truth                     |

A metric that asks for `spec` reads the probabilities of a distribution's bins, any other its expectation.

`classes`, the class names, and `spec`, the target's `TensorSpec`, are given where a signature asks for them.
The arithmetic is NumPy's and needs no torch, so that a report can be made without it. A sample whose
output is NaN counts as wrong. Every module lists in `GREATER_IS_BETTER` what it returns, and in
`TARGETS` which column types it suits.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

NAMES = (
    "accuracy",
    "auroc",
    "average_precision",
    "binary_accuracy",
    "boundary_f",
    "calibration_error",
    "confusion_matrix",
    "crps",
    "dice",
    "exact_match",
    "f1",
    "fpr_at_tpr",
    "keypoint_map",
    "mae",
    "map",
    "map3d",
    "miou",
    "mse",
    "nme",
    "pck",
    "pit",
    "pixel_accuracy",
    "precision",
    "psnr",
    "r2",
    "recall",
    "redshift",
    "rmse",
    "ssim",
    "top_k_accuracy",
    "tpr_at_fpr",
)
MANY_CLASSES = 20
MONITORED = {
    "category": (("accuracy", "accuracy"),),
    "categories": (("average_precision", "average_precision"),),
    "boxes": (("map", "map"),),
    "boxes3d": (("map3d", "map3d"),),
    "instances": (("map", "map"),),
    "mask": (("miou", "miou"),),
    "keypoints": (("keypoint_map", "map"), ("pck", "pck")),
    "image": (("psnr", "psnr"),),
}
"""Column type -> metric components, and the value of each, that tell the best model.

The first that is computed counts; all of them rise."""


_DEFAULTS = {
    "category": ("accuracy", "f1"),
    "categories": ("average_precision", "auroc", "f1"),
    "number": ("mae", "rmse", "r2"),
    "distribution": ("mae", "rmse", "r2", "crps"),
    "boxes": ("map",),
    "boxes3d": ("map3d",),
    "instances": ("map",),
    "mask": ("miou", "dice", "pixel_accuracy", "boundary_f"),
    "keypoints": ("pck", "nme"),
    "image": ("psnr", "ssim"),
}


def default_metrics(type: str, num_classes: int = 0) -> list[dict[str, Any]]:
    """The metrics of a target column when the recipe names none.

    Args:
        type: The column's type.
        num_classes: Number of classes of a category: two add the area under the ROC curve, twenty and
            more the top-5 accuracy. Of a mask: up to twenty are told one by one.

    Returns:
        Component mappings, to be validated like those of a recipe; none for a type that has none.
    """
    chosen: list[dict[str, Any]] = [{"name": name} for name in _DEFAULTS.get(type, ())]
    if type == "categories":
        chosen.append({"name": "f1", "average": "micro"})
    if type == "category" and num_classes == 2:
        chosen.append({"name": "auroc"})
    if type == "category" and num_classes >= MANY_CLASSES:
        chosen.append({"name": "top_k_accuracy", "k": 5})
    if type == "mask" and num_classes <= MANY_CLASSES:
        chosen[0]["per_class"] = True
    return chosen


def greater_is_better(key: str) -> bool | None:
    """Whether a metric such as `val/label/top_5_accuracy` should rise (True), fall (False), or neither.

    Args:
        key: Name of a value, with or without split and target in front.

    Returns:
        None when no metric of this package gives such a value.
    """
    # A class's own value, such as `auroc.cat`, has the direction of the mean over classes.
    name = re.sub(r"_at_(fpr|tpr)_.*", r"_at_\1", key.rsplit("/", 1)[-1]).partition(".")[0]
    name = re.sub(r"_\d+(?=_|$)", "_k", name)
    if name == "loss":
        return False
    for module in NAMES:
        table: dict[str, bool] = import_module(f"{__name__}.{module}").GREATER_IS_BETTER
        if name in table:
            return table[name]
    return None
