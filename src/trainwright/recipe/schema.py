"""The shape of a recipe.

A component is written as a name, or as a mapping with `name` and its keyword parameters; after
loading it always is the mapping, checked against the component's own signature, with every default
filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Interval
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from trainwright.fields import (
    ComponentOf,
    Fraction,
    Location,
    NonNegative,
    NonNegativeInt,
    OpenFraction,
    Positive,
    PositiveInt,
)
from trainwright.recipe.health import Health
from trainwright.recipe.section import Section
from trainwright.recipe.tune_forms import TIME, odd_forms
from trainwright.registry.problems import carry

Component = dict[str, Any]
TaskComponent = Annotated[Component, ComponentOf("task", "supervised")]
SourceComponent = Annotated[Component, ComponentOf("source")]
AugmentComponent = Annotated[Component, ComponentOf("augment")]
SamplerComponent = Annotated[Component, ComponentOf("sampler", "shuffle")]
ModelComponent = Annotated[Component, ComponentOf("model")]
LossComponent = Annotated[Component, ComponentOf("loss")]
MetricComponent = Annotated[Component, ComponentOf("metric")]
OptimizerComponent = Annotated[Component, ComponentOf("optimizer", "adamw")]
ScheduleComponent = Annotated[Component, ComponentOf("schedule", "constant")]
CallbackComponent = Annotated[Component, ComponentOf("callback")]
SinkComponent = Annotated[Component, ComponentOf("sink")]
SearchComponent = Annotated[Component, ComponentOf("search", "tpe")]
StopperComponent = Annotated[Component, ComponentOf("stopper")]


class Column(BaseModel):
    """One typed column: `type` names the processor, its other keys are the processor's parameters.

    A name alone stands for a column of that type. The processor's parameters are in `model_extra`,
    and `processor` is its whole mapping.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )

    type: str = Field(description="Processor of the column: image, number, category, ...")
    column: str | None = Field(default=None, description="Column of the source; the key itself when absent.")

    @model_validator(mode="wrap")
    @classmethod
    def _check_processor(cls, value: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        from trainwright.registry.nesting import fill_column

        return fill_column(cls, value, handler, info)

    @property
    def processor(self) -> Component:
        """The processor as a component: `name` and every parameter."""
        return {"name": self.type, **(self.model_extra or {})}


class Target(Column):
    """A column to predict."""

    loss: LossComponent | None = Field(default=None, description="Loss; by the column's type when absent.")
    metrics: list[MetricComponent] | None = Field(
        default=None, description="Metrics; by the column's type when absent."
    )
    weight: NonNegative = Field(default=1.0, description="Weight of this target in the total loss.")
    class_weights: Literal["none", "auto"] | dict[str, Positive] = Field(
        default="none", description="`auto` is majority count / class count; or a weight per class name."
    )


class Split(Section):
    """Fractions of the rows; the rest after `val` and `test` is `train` when it is not given."""

    train: Fraction | None = Field(default=None, description="Share to train on; the rest when absent.")
    val: Fraction = Field(default=0.0, description="Share to validate on.")
    test: Fraction = Field(default=0.0, description="Share that is only evaluated at the end.")
    seed: int = Field(default=0, description="Address of the random assignment.")
    stratify: bool = Field(
        default=True, description="Keep class proportions where there is one category target."
    )
    group: str | None = Field(
        default=None,
        description="Column of the source; rows with one value of it (a patient, a film) stay together.",
    )


class OnBad(Section):
    """What happens to a sample that cannot be read."""

    policy: Literal["stop", "skip", "retry"] = Field(
        default="stop",
        description="`skip` leaves it out, counted and reported; `retry` reads it again before it stops.",
    )
    limit: Fraction = Field(default=0.01, description="Largest share of samples that may be skipped.")
    attempts: Annotated[int, Interval(ge=1, le=100)] | None = Field(
        default=None, description="Reads before a sample counts as bad; 4 with `retry`, else 1, when absent."
    )
    wait: NonNegative = Field(
        default=0.5, description="Seconds before the second read; doubled each time, give or take a half."
    )

    @property
    def reads(self) -> int:
        """Reads before a sample counts as bad."""
        return self.attempts or (4 if self.policy == "retry" else 1)


class Gate(Section):
    """What the checks of the data may do before a training."""

    errors: Literal["stop", "report"] = Field(
        default="stop", description="`report` trains in spite of errors that the checks find."
    )
    skip: list[str] = Field(default=[], description="Names of checks that are not made.")


class Data(Section):
    """Where the samples come from, which columns are used, and how they are varied."""

    source: SourceComponent = Field(description="Where records come from.")
    inputs: dict[str, Column] = Field(min_length=1, description="Columns that the model reads.")
    targets: dict[str, Target] = Field(default={}, description="Columns that the model predicts.")
    split: Split | None = Field(default=None, description="Absent: the source's own splits.")
    on_bad: OnBad = OnBad()
    fit_rows: PositiveInt = Field(
        default=1_000_000,
        description="Most training rows that numbers and texts are fitted on, evenly spaced.",
    )
    fixes: Location | None = Field(
        default=None, description="File of `data fix`: samples to leave out, annotations to mend."
    )
    gate: Gate = Gate()
    augment: list[AugmentComponent] = Field(
        default=[], description="Random changes of training batches, in order."
    )
    sampler: SamplerComponent = Field(
        default={"name": "shuffle"}, description="Order of the training samples."
    )
    weights: str | None = Field(
        default=None, description="Column of the source that weighs each training sample in the loss."
    )
    cache: Literal["auto", "none"] = Field(
        default="auto", description="`none` decodes every sample every epoch."
    )
    workers: NonNegativeInt | Literal["auto"] = Field(default="auto", description="Processes that load data.")


class Init(Section):
    """Initial weights from a file of this machine, or from a run."""

    path: Location = Field(description="Weights file, run directory, or id of a run.")
    exclude: list[str] = Field(default=[], description="Name patterns that keep their random start.")
    strict: bool = Field(default=True, description="Every other weight must be found and fit.")


class ClipNorm(Section):
    """Gradient clipping by global norm, or by value."""

    norm: Positive | None = Field(default=None, description="Largest global norm of the gradient.")
    value: Positive | None = Field(
        default=None, description="Largest absolute value of a gradient's element."
    )


class Ema(Section):
    """An exponential moving average of the weights, which is what is evaluated and kept as best."""

    decay: OpenFraction = Field(default=0.999, description="Share of the average that each step keeps.")
    warmup: bool = Field(default=True, description="Use min(decay, (1 + step) / (10 + step)).")


class EarlyStop(Section):
    """Stop when the monitored metric has not improved for `patience` evaluations."""

    monitor: str | None = Field(default=None, description="Such as val/loss; the task's own when absent.")
    mode: Literal["min", "max"] | None = Field(
        default=None, description="Which way is better; known for our metrics."
    )
    patience: PositiveInt = Field(default=5, description="Evaluations without improvement before it stops.")
    min_delta: NonNegative = Field(default=0.0, description="Smallest change that counts as improvement.")


class Checkpoint(Section):
    """When the state for a resume is saved, besides the end of every epoch."""

    every_steps: PositiveInt | None = Field(default=None, description="Steps between two saves.")
    every_minutes: Positive | None = Field(default=10.0, description="Minutes between two saves.")
    monitor: str | None = Field(
        default=None, description="Metric of the best weights; the task's own when absent."
    )
    mode: Literal["min", "max"] | None = Field(
        default=None, description="Which way is better; known for our metrics."
    )


class LayerRate(Section):
    """How fast some layers learn, and from when on."""

    names: list[str] = Field(min_length=1, description="Name patterns of their parameters.")
    lr_factor: Positive = Field(default=1.0, description="The optimizer's learning rate is multiplied by it.")
    from_epoch: NonNegative = Field(default=0.0, description="They stay as they are until this epoch.")


class Train(Section):
    """How long, how fast and on what. Of several budgets the first that is used up ends the run."""

    epochs: NonNegative | None = Field(
        default=None, description="Budget; 10 when no budget is given, 0 to score the initial weights."
    )
    steps: PositiveInt | None = Field(default=None, description="Budget in optimizer steps.")
    minutes: Positive | None = Field(default=None, description="Budget in minutes of training.")
    batch_size: PositiveInt = Field(
        default=64, description="Samples of one optimizer step, over all processes."
    )
    micro_batch: PositiveInt | Literal["auto"] | None = Field(
        default=None,
        description="Samples of one forward pass and process; `auto`: as many as fit into memory.",
    )
    memory_check: Literal["stop", "report", "none"] = Field(
        default="stop", description="What becomes of a training that the memory or the disk is too small for."
    )
    optimizer: OptimizerComponent = Field(default={"name": "adamw"}, description="How weights are changed.")
    schedule: ScheduleComponent = Field(
        default={"name": "constant"}, description="How the learning rate changes."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto", description="Arithmetic of the forward pass; `auto` measures before the first step."
    )
    memory_format: Literal["auto", "contiguous", "channels_last"] = Field(
        default="auto", description="Layout of image tensors; `auto` measures before the first step."
    )
    compile: bool | Literal["auto"] = Field(default=False, description="Whether the model is compiled.")
    clip: ClipNorm = ClipNorm()
    ema: Ema | None = Field(default=None, description="Moving average of the weights; none when absent.")
    early_stop: EarlyStop | None = Field(default=None, description="Early stopping; none when absent.")
    checkpoint: Checkpoint = Checkpoint()
    health: Health = Health()
    freeze: list[str] = Field(default=[], description="Name patterns of parameters that stay as they are.")
    trainable: list[str] | None = Field(
        default=None, description="Only parameters of these patterns are trained."
    )
    layers: list[LayerRate] = Field(
        default=[],
        description="Layers with a learning rate of their own, or trained from some epoch on; a weight "
        "belongs to the first entry that names it.",
    )
    evaluate_every: Annotated[int, Ge(1)] = Field(default=1, description="Epochs between evaluations.")
    log_every: PositiveInt = Field(default=50, description="Steps between two records of the training loss.")
    sample_losses: bool = Field(
        default=True,
        description="Keep every training sample's mean loss for the report's suspects; of a million samples "
        "at most, and where none are mixed.",
    )
    callbacks: list[CallbackComponent] = Field(
        default=[], description="Called at every event of the training; they may keep weights or end it."
    )
    sinks: list[SinkComponent] = Field(
        default=[],
        description="Other trackers that are given the metrics too; none of them slows or stops the run.",
    )
    device: str = Field(
        default="auto", description="cpu, cuda, cuda:1, mps, ...; `auto` and cuda take the freest GPU."
    )
    wait_minutes: NonNegative | None = Field(
        default=None, description="Longest wait for a GPU that nobody works on; absent: it may be shared."
    )
    deterministic: bool = Field(default=False, description="Only deterministic kernels, which may be slower.")
    threads: PositiveInt | None = Field(default=None, description="Compute threads; all cores when absent.")
    seed: NonNegativeInt = Field(default=0, description="Address of every random number of the run.")


class Report(Section):
    """What is done after training."""

    enabled: bool = Field(default=True, description="Whether plots and report.html are made.")
    splits: list[str] | None = Field(
        default=None, description="Splits to evaluate; val and test when absent."
    )


class Dimension(Section):
    """The values that a search may give one key path: a range, or a list of choices."""

    low: float | None = Field(default=None, description="Smallest value of a range.")
    high: float | None = Field(default=None, description="Largest value of a range, itself included.")
    log: bool = Field(default=False, description="Draw from the range by its logarithm.")
    step: Positive | None = Field(default=None, description="Distance of neighbouring values of a range.")
    choices: list[Any] | None = Field(
        default=None, description="Values to choose from: numbers, texts, lists, whole components."
    )
    when: dict[str, Any] = Field(
        default={},
        description="Other key path of the space -> the value, or list of values, that this one needs.",
    )
    int: bool | None = Field(
        default=None, description="Whole numbers only; absent: where the key takes nothing else."
    )


class Bounds(Section):
    """Limits of a metric, themselves included."""

    low: float | None = Field(default=None, description="Smallest value.")
    high: float | None = Field(default=None, description="Largest value.")


class Tune(Section):
    """A search over values of this recipe: `trainwright tune`."""

    space: dict[str, Dimension] = Field(
        min_length=1, description="Key path -> values to search: `explain tune.space.KEY`."
    )
    objectives: dict[str, Literal["maximize", "minimize"]] = Field(
        min_length=1, description="Metric such as val/accuracy -> which way is better."
    )
    search: SearchComponent = Field(default={"name": "tpe"}, description="How the next point is chosen.")
    trials: PositiveInt | None = Field(
        default=None, description="Points to try; absent: all of a grid, else 20, unless `time` is given."
    )
    time: str | None = Field(
        default=None,
        pattern=TIME,
        description="Working time, such as 90min or 2h; what runs then is saved.",
    )
    seed: NonNegativeInt = Field(default=0, description="Address of every random number of the search.")
    stop: list[StopperComponent] = Field(
        default=[],
        description="Rules that stop or pause a trial before its end; the first that says so does.",
    )
    constraints: dict[str, Bounds] = Field(
        default={},
        description="Metric such as model/bytes -> limits; what lies outside is never best, and no longer "
        "trained once it is known.",
    )
    seeds: PositiveInt = Field(
        default=1, description="Runs of each point, with seeds from train.seed on; the first one is judged."
    )
    statistic: Literal["mean", "median", "worst"] | None = Field(
        default=None, description="What several seeds come to; their mean when absent."
    )

    @model_validator(mode="before")
    @classmethod
    def _in_its_form(cls, value: Any) -> Any:
        if problems := odd_forms(value):
            raise carry(problems)
        return value


class Recipe(Section):
    """One complete recipe: everything about a run."""

    read_before: ClassVar[dict[str, str]] = {
        "extends": "Recipe that this one changes: a file beside it, or a shipped one. One level deep; "
        "mappings merge key by key, other values are replaced, null removes."
    }

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Name of its runs.")
    description: str = Field(default="", description="What it is, in a sentence.")
    task: TaskComponent = Field(default={"name": "supervised"}, description="What is learned.")
    data: Data
    model: ModelComponent = Field(description="What is trained.")
    init: Init | None = Field(default=None, description="Initial weights; random when absent.")
    train: Train = Train()
    report: Report = Report()
    tune: Tune | None = Field(default=None, description="What `trainwright tune` searches; no part of a run.")
    plugins: list[str] = Field(
        default=[], description="Modules of the user that are imported before the run."
    )
    code: list[Location] = Field(
        default=[], description="Folders with modules of your own; also searched: here, beside the recipe."
    )
    aliases: dict[str, str] = Field(default={}, description="Short name -> key path, for overrides.")
