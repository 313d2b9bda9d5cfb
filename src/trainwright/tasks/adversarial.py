"""Two networks against each other (Goodfellow et al., 2014, arXiv:1406.2661): two phases, one loop."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainwright.data.batch import Batch, Value
from trainwright.data.types import DataInfo
from trainwright.errors import ModelError, RecipeError
from trainwright.fields import ComponentOf, Fraction
from trainwright.models.arguments import build_model
from trainwright.recipe.schema import Target
from trainwright.tasks.base import Phase, StepOutput, Task


class AdversarialTask(Task):
    """Generates images like those of one image input.

    The model needs `generator` (noise `[B, latent]` to images), `discriminator` (images to `[B, 1]`)
    and the number `latent`; `adversary` is one such.

    Args:
        model: Component spec of the model.
        targets: None, or empty: nothing is predicted.
        real_label: What the discriminator should say of a real image (one-sided label smoothing).
        generator_optimizer: Optimizer of the generator; the recipe's when absent.
        discriminator_optimizer: Optimizer of the discriminator; the recipe's when absent.
    """

    def __init__(
        self,
        model: dict[str, Any],
        targets: dict[str, Target] | None = None,
        *,
        real_label: Fraction = 0.9,
        generator_optimizer: Annotated[dict[str, Any], ComponentOf("optimizer", "adamw")] | None = None,
        discriminator_optimizer: Annotated[dict[str, Any], ComponentOf("optimizer", "adamw")] | None = None,
    ) -> None:
        if targets:
            raise RecipeError("an adversarial task has no targets", where="data.targets", fix="remove them")
        self.model_spec, self.real_label = model, real_label
        self.optimizers = {"discriminator": discriminator_optimizer, "generator": generator_optimizer}
        self._image = ""

    def build(self, data: DataInfo) -> nn.Module:
        """Both networks for the only image input."""
        images = [name for name, spec in data.inputs.items() if spec.type == "image"]
        if len(images) != 1 or len(data.inputs) != 1:
            raise RecipeError(
                "an adversarial task needs one image input", where="data.inputs", fix="keep one image"
            )
        self._image = images[0]
        model = build_model(self.model_spec, data.inputs, 1)
        missing = [name for name in ("generator", "discriminator", "latent") if not hasattr(model, name)]
        if missing:
            raise ModelError(
                f"{self.model_spec['name']} has no {' and no '.join(missing)}",
                where="model",
                why="the task adversarial trains two networks against each other",
                fix="use the model `adversary`, or a module that has both networks",
            )
        return model

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
        real: Tensor = batch.inputs[self._image]
        noise = torch.randn(len(real), model.latent, device=real.device)
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

    def predict(self, model: Any, batch: Batch) -> dict[str, Value]:
        """The discriminator's opinion of real images `[B, 1]`."""
        return {"real": model.discriminator(batch.inputs[self._image])}

    def score(self, outputs: dict[str, Value], targets: dict[str, Value]) -> dict[str, float]:
        """How real the discriminator thinks the real images are; 0.5 is a draw."""
        real = outputs["real"]
        assert isinstance(real, Tensor)
        opinion = real.sigmoid().double().mean()
        return {"loss": float((opinion - 0.5).abs()), "says_real": float(opinion)}

    def monitor(self) -> tuple[str, str]:
        """The distance from a draw."""
        return "loss", "min"
