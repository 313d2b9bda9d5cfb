"""The four workloads, and the scripts that compete in each."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.workloads.settings import BEST, PRECISION


@dataclass(frozen=True)
class Contestant:
    """Somebody who does the work of a workload in a process of their own.

    Attributes:
        script: Module of the workload's package; empty for Trainwright, which runs the workload's recipe.
        environment: Variables that choose a variant of the script.
        overrides: Overrides of the recipe.
        works: Workloads that it takes part in.
    """

    script: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    works: tuple[str, ...] = ("W0", "W1", "W2", "W3")


PACKAGES = {"W0": "w0_mlp", "W1": "w1_mnist", "W2": "w2_cifar", "W3": "w3_clothing"}

CONTESTANTS = {
    "ours": Contestant(),
    "ours_auto": Contestant(overrides=("train.precision=auto",)),
    "bare": Contestant("bare_tuned"),
    "bare_bf16": Contestant("bare_tuned", {PRECISION: "bf16"}),
    "bare_best": Contestant("bare_tuned", {BEST: "1"}, works=("W1", "W2", "W3")),
    "bare_best_bf16": Contestant("bare_tuned", {BEST: "1", PRECISION: "bf16"}, works=("W1", "W2", "W3")),
    "dataloader": Contestant("bare_dataloader"),
    "lightning": Contestant("with_lightning"),
    "fastai": Contestant("with_fastai"),
    "timm": Contestant("with_timm", works=("W2", "W3")),
    "accelerate": Contestant("with_accelerate"),
}
DEFAULT = ("ours", "bare", "lightning", "fastai")
