"""The shape of a recipe. Component mappings are checked against their own signatures elsewhere.

A component is written as a name, or as a mapping with `name` and its keyword parameters; after
loading it always is the mapping, with every default filled in.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, Field

from trainwright.fields import Fraction, NonNegative, NonNegativeInt, OpenFraction, Positive, PositiveInt

Component = dict[str, Any]


class Section(BaseModel):
    """A mapping of the recipe: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(BaseModel):
    """One typed column: `type` names the processor, its other keys are the processor's parameters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    column: str | None = Field(None, description="Column of the source; the key itself when absent.")


class Target(Column):
    """A column to predict."""

    loss: Component | None = Field(None, description="Loss; by the column's type when absent.")
    metrics: list[Component] | None = Field(None, description="Metrics; by the column's type when absent.")
    weight: NonNegative = Field(1.0, description="Weight of this target in the total loss.")
    class_weights: Literal["none", "auto"] | dict[str, float] = Field(
        "none", description="`auto` is majority count / class count; or a weight per class name."
    )


class Split(Section):
    """Fractions of the rows; the rest after `val` and `test` is `train` when it is not given."""

    train: Fraction | None = None
    val: Fraction = 0.0
    test: Fraction = 0.0
    seed: int = 0
    stratify: bool = Field(True, description="Keep class proportions where there is one category target.")


class OnBad(Section):
    """What happens to a sample that cannot be read."""

    policy: Literal["stop", "skip"] = "stop"
    limit: Fraction = Field(0.01, description="Largest share of samples that may be skipped.")


class Data(Section):
    """Where the samples come from, which columns are used, and how they are varied."""

    source: Component
    inputs: dict[str, Column]
    targets: dict[str, Target] = {}
    split: Split | None = Field(None, description="Absent: the source's own splits.")
    on_bad: OnBad = OnBad()
    augment: list[Component] = []
    sampler: Component = {"name": "shuffle"}
    cache: Literal["auto", "none"] = Field("auto", description="`none` decodes every sample every epoch.")
    workers: NonNegativeInt | Literal["auto"] = "auto"


class Init(Section):
    """Initial weights from a file of this machine, or from a run."""

    path: str
    exclude: list[str] = Field([], description="Name patterns that keep their random start.")
    strict: bool = Field(True, description="Every other weight must be found and fit.")


class ClipNorm(Section):
    """Gradient clipping by global norm, or by value."""

    norm: Positive | None = None
    value: Positive | None = None


class Ema(Section):
    """An exponential moving average of the weights, which is what is evaluated and kept as best."""

    decay: OpenFraction = 0.999
    warmup: bool = Field(True, description="Use min(decay, (1 + step) / (10 + step)).")


class EarlyStop(Section):
    """Stop when the monitored metric has not improved for `patience` evaluations."""

    monitor: str | None = Field(None, description="Such as val/loss; the task's own when absent.")
    mode: Literal["min", "max"] | None = None
    patience: PositiveInt = 5
    min_delta: NonNegative = 0.0


class Checkpoint(Section):
    """When the state for a resume is saved, besides the end of every epoch."""

    every_steps: PositiveInt | None = None
    every_minutes: Positive | None = 10.0
    monitor: str | None = Field(None, description="Metric of the best weights; the task's own when absent.")
    mode: Literal["min", "max"] | None = None


class Train(Section):
    """How long, how fast and on what."""

    epochs: Annotated[float, Gt(0)] | None = Field(None, description="Budget; 10 when no budget is given.")
    steps: PositiveInt | None = None
    minutes: Positive | None = None
    batch_size: PositiveInt = Field(64, description="Samples of one optimizer step, over all processes.")
    micro_batch: PositiveInt | None = Field(None, description="Samples of one forward pass and process.")
    optimizer: Component = {"name": "adamw"}
    schedule: Component = {"name": "constant"}
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    compile: bool | Literal["auto"] = False
    clip: ClipNorm = ClipNorm()
    ema: Ema | None = None
    early_stop: EarlyStop | None = None
    checkpoint: Checkpoint = Checkpoint()
    freeze: list[str] = Field([], description="Name patterns of parameters that stay as they are.")
    trainable: list[str] | None = Field(None, description="Only parameters of these patterns are trained.")
    evaluate_every: Annotated[int, Ge(1)] = Field(1, description="Epochs between evaluations.")
    log_every: PositiveInt = Field(50, description="Steps between two records of the training loss.")
    device: str = "auto"
    deterministic: bool = False
    threads: PositiveInt | None = Field(None, description="Compute threads; all cores when absent.")
    seed: NonNegativeInt = 0


class Report(Section):
    """What is done after training."""

    enabled: bool = True
    splits: list[str] | None = Field(None, description="Splits to evaluate; val and test when absent.")


class Recipe(Section):
    """One complete recipe: everything about a run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = ""
    task: Component = {"name": "supervised"}
    data: Data
    model: Component
    init: Init | None = None
    train: Train = Train()
    report: Report = Report()
    plugins: list[str] = Field([], description="Modules of the user that are imported before the run.")
    aliases: dict[str, str] = Field({}, description="Short name -> key path, for overrides.")
