"""Why a training took as long as it did: where the time of its epochs went, and what would shorten it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import read_events
from trainwright.runs.record import RunRecord

PARTS = (
    "data",
    "copies",
    "forward",
    "backward",
    "optimizer",
    "evaluation",
    "saving",
    "recording",
    "other",
)
WORDS = {
    "data": "waiting for data",
    "copies": "copies to the device",
    "other": "between the steps",
}
# Shares of the time from which on something can be gained.
_DATA, _COPIES, _EVALUATION, _SAVING, _RECORDING, _OPTIMIZER, _OTHER = 0.2, 0.15, 0.3, 0.15, 0.1, 0.4, 0.4


@dataclass(frozen=True)
class EpochLine:
    """One epoch, or what a resume left of it.

    Attributes:
        epoch: Epochs done.
        step: Steps done.
        elapsed: Seconds of training since the run began.
        seconds: Seconds by part.
    """

    epoch: int
    step: int
    elapsed: float
    seconds: dict[str, float] = field(default_factory=dict)


def read_ledger(run: RunDirectory, record: RunRecord) -> list[EpochLine]:
    """The epochs of a run in their order; an epoch that was repeated counts by its last attempt."""
    found: dict[int, EpochLine] = {}
    for event in read_events(run.ledger, record.resumed_from):
        try:
            seconds = {str(name): float(value) for name, value in event.values["seconds"].items()}
            found[event.step] = EpochLine(
                int(event.values["epoch"]), event.step, float(event.values["elapsed"]), seconds
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # written by a later version
    return [found[step] for step in sorted(found)]


def shares(lines: Iterable[EpochLine]) -> dict[str, float]:
    """Share of each part in the time of all epochs, parts without any left out."""
    totals: dict[str, float] = {}
    for line in lines:
        for name, value in line.seconds.items():
            totals[name] = totals.get(name, 0.0) + value
    whole = sum(totals.values())
    return {name: totals[name] / whole for name in PARTS if totals.get(name)} if whole else {}


def in_words(found: Mapping[str, float]) -> str:
    """Shares as text, the largest first."""
    listed = sorted(found.items(), key=lambda item: -item[1])
    return ", ".join(f"{WORDS.get(name, name)} {share:.0%}" for name, share in listed if share >= 0.005)


def advice(found: Mapping[str, float], recipe: Mapping[str, Any], *, on_device: bool = False) -> str:
    """One line on what would save most; empty where nothing stands out.

    Args:
        found: Shares by part.
        recipe: The resolved recipe as plain data.
        on_device: Whether the model is on an accelerator.
    """
    train, data = _section(recipe, "train"), _section(recipe, "data")
    batch = train.get("batch_size", 64)
    candidates = {
        "data": (_DATA, _about_data(data, on_device)),
        "copies": (_COPIES, "smaller inputs, or data that fit the device's memory, are copied once"),
        "evaluation": (
            _EVALUATION,
            f"train.evaluate_every={2 * int(train.get('evaluate_every') or 1)} scores half as often",
        ),
        "saving": (_SAVING, _about_saving(_section(train, "checkpoint"))),
        "recording": (_RECORDING, f"train.log_every={10 * int(train.get('log_every') or 50)} records less"),
        "optimizer": (_OPTIMIZER, f"a larger train.batch_size than {batch} takes fewer optimizer steps"),
        "other": (_OTHER, f"steps are short: a larger train.batch_size than {batch} has fewer of them"),
    }
    worth = {
        name: found.get(name, 0.0) for name, (least, _) in candidates.items() if found.get(name, 0.0) >= least
    }
    if not worth:
        return ""
    name = max(worth, key=lambda key: worth[key])
    share = worth[name]
    went = f"{share:.0%} of the epochs' time went into {WORDS.get(name, name)}"
    return f"{went}: {candidates[name][1]}; without it an epoch would take {1 - share:.0%} of its time"


def _about_data(data: Mapping[str, Any], on_device: bool) -> str:
    if data.get("cache") == "none":
        return "data.cache=auto decodes every sample once and keeps it"
    if data.get("augment"):
        names = ", ".join(
            str(item.get("name", item)) for item in data["augment"] if isinstance(item, Mapping)
        )
        return f"data.augment ({names}) is what costs it" + ("" if on_device else ", on the cores that train")
    return "smaller inputs, or more data.workers where samples are decoded in every epoch"


def _about_saving(checkpoint: Mapping[str, Any]) -> str:
    every = checkpoint.get("every_steps")
    if every:
        return f"train.checkpoint.every_steps={10 * int(every)} saves less often"
    return "epochs are short beside the size of the state; longer ones save less often"


def _section(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = tree.get(name)
    return value if isinstance(value, Mapping) else {}
