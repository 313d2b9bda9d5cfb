"""Two networks against each other (Goodfellow et al., 2014, arXiv:1406.2661): two phases, one loop."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainwright.data.batch import Batch
from trainwright.data.types import DataInfo
from trainwright.errors import RecipeError
from trainwright.fields import ComponentOf, Fraction, OpenFraction, PositiveInt
from trainwright.recipe.schema import Target
from trainwright.tasks.base import Phase, StepOutput, Task


class Adversary(nn.Module):
    """A generator and a discriminator of flat images."""

    def __init__(self, pixels: int, latent: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.latent = latent
        self.generator = nn.Sequential(
            nn.Linear(latent, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Tanh()
        )
        self.discriminator = nn.Sequential(
            nn.Linear(pixels, hidden), nn.LeakyReLU(0.2), nn.Dropout(dropout), nn.Linear(hidden, 1)
        )

    def forward(self, noise: Tensor) -> Tensor:
        """Generated flat images `[B, pixels]` in [-1, 1] from noise `[B, latent]`."""
        return self.generator(noise)


class AdversarialTask(Task):
    """Generates images like those of one image input.

    Args:
        targets: Must be empty: nothing is predicted.
        model: Ignored but for its name `adversary`; the two networks belong to the task.
        latent: Numbers of noise per image.
        hidden: Width of both networks.
        dropout: Dropout in the discriminator.
        real_label: What the discriminator should say of a real image (one-sided label smoothing).
        generator_optimizer: Optimizer of the generator; the recipe's when absent.
        discriminator_optimizer: Optimizer of the discriminator; the recipe's when absent.
    """

    def __init__(
        self,
        targets: dict[str, Target],
        *,
        latent: PositiveInt = 16,
        hidden: PositiveInt = 64,
        dropout: OpenFraction = 0.25,
        real_label: Fraction = 0.9,
        generator_optimizer: Annotated[dict[str, Any], ComponentOf("optimizer", "adamw")] | None = None,
        discriminator_optimizer: Annotated[dict[str, Any], ComponentOf("optimizer", "adamw")] | None = None,
    ) -> None:
        if targets:
            raise RecipeError("an adversarial task has no targets", where="data.targets", fix="remove them")
        self.latent, self.hidden, self.dropout = latent, hidden, dropout
        self.real_label = real_label
        self.optimizers = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
        self._image = ""

    def build(self, data: DataInfo) -> Adversary:
        """Both networks for the size of the only image input."""
        images = [name for name, spec in data.inputs.items() if spec.type == "image"]
        if len(images) != 1 or len(data.inputs) != 1:
            raise RecipeError("an adversarial task needs one image input", where="data.inputs")
        self._image = images[0]
        channels, height, width = data.inputs[self._image].shape
        return Adversary(channels * height * width, self.latent, self.hidden, self.dropout)

    def phases(self, model: nn.Module) -> list[Phase]:
        """First the discriminator's turn, then the generator's."""
        return [
            Phase(
                name,
                tuple((f"{name}.{key}", p) for key, p in getattr(model, name).named_parameters()),
                spec,
            )
            for name, spec in self.optimizers.items()
        ]

    def training_step(self, model: Any, batch: Batch, phase: Phase) -> StepOutput:
        """Binary cross-entropy of the phase's own goal."""
        real = batch.inputs[self._image].flatten(1)
        noise = torch.randn(len(real), self.latent, device=real.device)
        fake = model.generator(noise)
        if phase.name == "generator":
            said = model.discriminator(fake)
            each = functional.binary_cross_entropy_with_logits(said, torch.ones_like(said), reduction="none")
            return StepOutput(each[:, 0])
        on_real, on_fake = model.discriminator(real), model.discriminator(fake.detach())
        goal = torch.full_like(on_real, self.real_label)
        each = 0.5 * (
            functional.binary_cross_entropy_with_logits(on_real, goal, reduction="none")
            + functional.binary_cross_entropy_with_logits(
                on_fake, torch.zeros_like(on_fake), reduction="none"
            )
        )
        logs = {
            "says_real": on_real.detach().sigmoid().sum(),
            "says_fake": on_fake.detach().sigmoid().sum(),
        }
        return StepOutput(each[:, 0], logs)

    def predict(self, model: Any, batch: Batch) -> dict[str, Tensor]:
        """The discriminator's opinion of real images `[B, 1]`."""
        return {"real": model.discriminator(batch.inputs[self._image].flatten(1))}

    def score(self, outputs: dict[str, Tensor], targets: dict[str, Tensor]) -> dict[str, float]:
        """How real the discriminator thinks the real images are; 0.5 is a draw."""
        opinion = outputs["real"].sigmoid().double().mean()
        return {"loss": float((opinion - 0.5).abs()), "says_real": float(opinion)}

    def monitor(self) -> tuple[str, str]:
        """The distance from a draw."""
        return "loss", "min"
