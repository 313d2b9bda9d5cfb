"""What to do about a layer that does not fit what reaches it, read from what PyTorch says of it."""

from __future__ import annotations

import re

from trainwright.errors import ModelError
from trainwright.wording import counted


class OutputMisfit(ModelError):
    """A model gives more or fewer numbers than the targets need."""


_CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")
_FEATURES = re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)")
_MODES = {"1": "gray", "3": "rgb", "4": "rgba"}


def how_to_fit(message: str) -> str:
    """Advice for a layer that failed.

    Args:
        message: What PyTorch says.
    """
    if found := _CHANNELS.search(message):
        wanted, given = found.groups()
        advice = f"make the layer fit: build it for {counted(int(given), 'channel')}"
        mode = _MODES.get(wanted)
        return (
            f"{advice}, or, where it reads the picture itself, give the column mode: {mode}"
            if mode
            else advice
        )
    if found := _FEATURES.search(message):
        given, wanted = found.groups()
        return f"make the layer fit: {given} features reach it in place of {wanted}"
    return "make the layer's sizes fit what reaches it, or change what comes before it"
