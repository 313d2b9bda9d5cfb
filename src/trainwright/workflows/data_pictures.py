"""Pictures of samples, for reports and for pages about data. No torch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainwright.data.checks.finding import Findings
from trainwright.data.types import BadSample, PreparedData
from trainwright.report.pictures import data_uri

_MOST = 300  # a page stays quick to open


def thumbnails(data: PreparedData, findings: Findings) -> dict[int, str]:
    """Row -> picture of every example that has one, at most 300."""
    bad = {item.row for item in data.dropped if item not in data.left_out}
    picture = picture_of(data)
    found: dict[int, str] = {}
    for item in findings.found:
        for example in item["examples"]:
            for row in (example["row"], example["other"]):
                if row < 0 or row in bad or row in found or len(found) >= _MOST:
                    continue
                try:
                    pixels = picture(row)
                except (BadSample, OSError):
                    continue  # a file that went away meanwhile has no picture, which says enough
                if pixels is not None:
                    found[row] = data_uri(np.asarray(pixels))
    return found


def picture_of(data: PreparedData) -> Callable[[int], np.ndarray | None]:
    """Gives the picture of a row `[H, W, C]` uint8 for a report, None where rows have none."""
    name = next((name for name, item in data.inputs.items() if item.type == "image"), None)

    def picture(row: int) -> np.ndarray | None:
        if name is None:
            return None
        if name in data.streamed:
            return data.inputs[name].encode(data.streamed[name][row])
        return np.asarray(data.arrays[name][row])

    return picture
