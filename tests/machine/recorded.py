"""Answers of `nvidia-smi` that tests are given in place of a machine's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "nvidia_smi"


def recorded(state: str) -> Callable[..., str]:
    """What `nvidia-smi` printed in a state: `idle`, `busy`, `full`, `mig`, or `none` where there is none."""

    def ask(*arguments: str) -> str:
        file = FOLDER / f"{state}{'.txt' if arguments == ('-L',) else '.xml'}"
        return "" if state == "none" else file.read_text()

    return ask
