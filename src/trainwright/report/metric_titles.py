"""The names of metrics as the field writes them."""

from __future__ import annotations

import re

_RATES = ("auroc", "f1", "fpr", "tpr", "ar", "bev", "nme", "pck")
_ERRORS = ("mae", "mse", "rmse", "mad", "crps", "pit", "ks", "psnr", "ssim")
_WORDS = {word: word.upper() for word in (*_RATES, *_ERRORS)}
_WORDS |= {"map": "mAP", "iou": "IoU", "miou": "mIoU", "r2": "R²", "sigma": "σ"}
_WHOLE = {"lr": "Learning rate"}
_PARTS = re.compile(r"(r2|f1|[a-z]+)(\d*d?)")


def metric_title(metric: str) -> str:
    """How a metric is headed: `map50` is mAP50, `sigma_mad` σ MAD, `top_5_accuracy` Top 5 accuracy.

    Args:
        metric: Its key, without split and target; what stands behind a full stop, a class, stays.
    """
    key, stop, label = metric.partition(".")
    if key in _WHOLE:
        return _WHOLE[key] + stop + label
    words = [_word(part) for part in key.split("_")]
    if words[0] == key.split("_")[0]:
        words[0] = words[0][:1].upper() + words[0][1:]
    return " ".join(words) + stop + label


def _word(part: str) -> str:
    found = _PARTS.fullmatch(part)
    return _WORDS[found[1]] + found[2] if found and found[1] in _WORDS else part
