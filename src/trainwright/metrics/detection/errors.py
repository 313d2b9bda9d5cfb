"""Why detections are wrong, after Bolya et al., "TIDE", ECCV 2020, arXiv:2008.08115."""

from __future__ import annotations

from collections import Counter

import numpy as np

from trainwright.metrics.detection.scenes import Scene, matched

KINDS = ("classification", "localisation", "both", "duplicate", "background", "missed")
"""In the order in which a report shows them."""
BACKGROUND = 0.1


def error_kinds(found: Scene, true: Scene, threshold: float = 0.5) -> Counter[str]:
    """How many of the objects of one picture are wrong, and how.

    A found object that stands for no true one is, with its largest overlap:
    `duplicate` of one of its class that is taken; of `threshold` or more with another class
    `classification`; of 0.1 or more with its own class `localisation`, with another `both`; else
    `background`. A true object that nobody found, and that no classification or localisation error means,
    is `missed`; right ones are counted as `right`.

    Args:
        found: Those above the score from which an object counts.
        true: The annotated ones.
        threshold: Overlap from which an object is found.
    """
    places = matched(found, true, threshold)
    counts: Counter[str] = Counter({"right": int((places >= 0).sum())})
    overlap = found.overlapping(true)
    same = found.labels[:, None] == true.labels[None]
    meant = set(places[places >= 0].tolist())
    for place in np.flatnonzero(places < 0).tolist():
        own, other = np.where(same[place], overlap[place], 0), np.where(same[place], 0, overlap[place])
        own_best, other_best = float(own.max(initial=0)), float(other.max(initial=0))
        if own_best >= threshold:
            counts["duplicate"] += 1
        elif other_best >= threshold:
            counts["classification"] += 1
            meant.add(int(other.argmax()))
        elif own_best >= BACKGROUND:
            counts["localisation"] += 1
            meant.add(int(own.argmax()))
        elif other_best >= BACKGROUND:
            counts["both"] += 1
        else:
            counts["background"] += 1
    counts["missed"] = len(true.labels) - len(meant)
    return counts
