"""What every mapping of a recipe shares."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping of the recipe: unknown keys are refused, nothing changes after loading.

    Attributes:
        read_before: Keys that are no fields, because they are used up before the check, and what they mean.
    """

    read_before: ClassVar[dict[str, str]] = {}
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )
