"""What the Lightning contestants share: a module as in its introduction, and a clock as a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.contestant import Clock
from benchmarks.workloads.settings import bf16, scratch_folder


class Classifier(lightning.LightningModule):
    """Cross-entropy on logits, with the accuracy of the validation images."""

    def __init__(self, model: nn.Module, optimizer: Callable[[Any], torch.optim.Optimizer]) -> None:
        super().__init__()
        self.model, self.optimizer = model, optimizer

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        x, y = batch
        loss = cross_entropy(self.model(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> None:
        x, y = batch
        logits = self.model(x)
        self.log("val_loss", cross_entropy(logits, y))
        self.log("val_accuracy", (logits.argmax(1) == y).float().mean(), prog_bar=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.optimizer(self.parameters())


class Timer(lightning.Callback):
    """Tells the clock of every epoch and step."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        self.clock.epoch()

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: tuple[Tensor, Tensor], batch_index: int
    ) -> None:
        self.clock.step(len(batch[1]))


def fit(clock: Clock, module: Classifier, train: Any, val: Any, epochs: int) -> float:
    """Trains with the Trainer's defaults (logger, progress bar, a checkpoint an epoch): final accuracy."""
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        precision="bf16-mixed" if bf16() else "32-true",
        default_root_dir=scratch_folder(),
        callbacks=[Timer(clock)],
        num_sanity_val_steps=0,
    )
    clock.start()
    trainer.fit(module, train, val)
    clock.stop()
    return float(trainer.callback_metrics["val_accuracy"])
