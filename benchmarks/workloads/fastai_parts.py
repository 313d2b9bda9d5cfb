"""What the fastai contestants share: fit as in its tutorials, with a clock as a callback."""

from __future__ import annotations

import sys
from typing import Any

from fastai.callback.core import Callback
from fastai.callback.tracker import SaveModelCallback
from fastai.learner import Learner

from benchmarks.contestant import Clock
from benchmarks.workloads.settings import bf16


class Timer(Callback):
    """Tells the clock of every epoch and optimizer step."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def before_train(self) -> None:
        self.clock.epoch()

    def after_batch(self) -> None:
        if self.training:
            self.clock.step(len(self.y))


def fit(clock: Clock, learner: Learner, epochs: int, rate: float, **rest: Any) -> float:
    """Trains at a constant rate with a saved model an epoch: the final accuracy."""
    if bf16():
        sys.exit("fastai's mixed precision is for CUDA only")
    clock.start()
    learner.fit(epochs, rate, cbs=[Timer(clock), SaveModelCallback(every_epoch=True, with_opt=True)], **rest)
    clock.stop()
    return float(learner.recorder.final_record[-1])
