"""Training samples that kept a large loss: labels that may be wrong, and what was never learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainwright.inference.predictions import Predictions
from trainwright.report.mistakes import SHOWN, Mistake


@dataclass(frozen=True)
class HardSamples:
    """What a report says of them.

    Attributes:
        target: Category target whose labels are doubted; empty where the run has none.
        looked_at: Samples of the largest mean loss that were looked at.
        suspects: Those whose label the best weights contradict, by falling mean loss. `loss` is the mean
            over the epochs.
        shown: What is drawn: suspects, or simply the hardest where there is no category target.
    """

    target: str
    looked_at: int
    suspects: list[Mistake]
    shown: list[Mistake]

    def as_json(self) -> dict[str, Any]:
        """The numbers for `report.json`."""
        return {
            "target": self.target,
            "looked_at": self.looked_at,
            "suspects": [suspect.as_json() for suspect in self.suspects],
        }


def hard_samples(found: Predictions | None) -> HardSamples | None:
    """What `data/hard_samples.parquet` comes to; None where the run has no such file."""
    if found is None or not len(found):
        return None
    target = next(
        (name.removesuffix("_probability") for name in found.columns if name.endswith("_probability")), ""
    )
    everything = [_sample(found, target, place) for place in range(len(found))]
    suspects = list(suspected(found, target)) if target else []
    return HardSamples(target, len(found), suspects, (suspects if target else everything)[:SHOWN])


def suspected(found: Predictions, target: str) -> Iterator[Mistake]:
    """Samples whose label the best weights contradict, by falling mean loss."""
    for place in range(len(found)):
        given, said = found[target][place], found[f"{target}_predicted"][place]
        if given is not None and said is not None and given != said:
            yield _sample(found, target, place)


def _sample(found: Predictions, target: str, place: int) -> Mistake:
    return Mistake(
        sample=str(found["sample"][place]),
        row=int(found["row"][place]),
        true=found[target][place] if target else "",
        predicted=found[f"{target}_predicted"][place] if target else "",
        loss=float(found["mean_loss"][place]),
        probability=float(found[f"{target}_probability"][place]) if target else float("nan"),
    )
