"""An encoder per input, an aggregator, and a head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError, closest
from trainwright.fields import ComponentOf, OpenFraction, PositiveInt
from trainwright.models.activations import activation as build_activation
from trainwright.models.arguments import build_model
from trainwright.models.features import feature_width

DEAD_WHEN = {"compose": {"activation": "not hidden", "dropout": "not hidden"}}

_DEFAULT: dict[str, dict[str, Any]] = {
    "image": {"name": "cnn"},
    "number": {"name": "mlp", "hidden": []},
    "category": {"name": "embedding"},
    "text": {"name": "embedding", "width": 32},
    "series": {"name": "fcn"},
    "audio": {"name": "fcn", "stride": 8},
    "video": {"name": "frames"},
}


class Composed(nn.Module):
    """Features of every input, joined and read by a head.

    Args:
        encoders: Encoder modules by name.
        uses: Input column -> name of its encoder; two columns may share one.
        aggregator: Joins the list of features.
        head: From the joined features to the output.
    """

    def __init__(
        self, encoders: dict[str, nn.Module], uses: dict[str, str], aggregator: nn.Module, head: nn.Module
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.uses = uses
        self.aggregator, self.head = aggregator, head

    def forward(self, inputs: Tensor | dict[str, Tensor]) -> Tensor:
        """The tensor of the only input, or a dict of them, to `[B, num_outputs]`."""
        named = {next(iter(self.uses)): inputs} if isinstance(inputs, Tensor) else inputs
        features = [self.encoders[encoder](named[column]) for column, encoder in self.uses.items()]
        result: Tensor = self.head(self.aggregator(features))
        return result


def compose(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    encoders: dict[str, Any] = {},  # noqa: B006 - never changed
    aggregator: Annotated[dict[str, Any], ComponentOf("aggregator")] = {"name": "concat"},  # noqa: B006
    hidden: list[PositiveInt] = [],  # noqa: B006 - the recipe's defaults are lists, as in YAML
    activation: Literal["relu", "gelu", "silu", "tanh", "sigmoid", "leaky_relu", "elu", "selu"] = "relu",
    dropout: OpenFraction = 0.0,
) -> nn.Module:
    """One encoder per input column, their features joined, then fully connected layers.

    Args:
        inputs: Input columns.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        encoders: Column -> encoder (a name, or a mapping with its parameters), or `{shared: COLUMN}` to
            use another column's, weights included. Absent: cnn for an image (also a mel spectrogram), an
            embedding for a category and for the words of a text, fcn for a series and a waveform, frames
            for a video, and the values themselves for numbers.
        aggregator: concat, sum or mean.
        hidden: Width of each hidden layer behind the aggregator.
        activation: After every hidden layer.
        dropout: Behind every hidden layer in training.

    Raises:
        ModelError: An encoder of a column that is no input, or sharing between unlike columns.
    """
    uses = _uses(inputs, encoders)
    built = {
        column: _encoder(column, inputs[column], encoders.get(column))
        for column in inputs
        if uses[column] == column
    }
    widths = [
        feature_width(column, built[uses[column]], spec, f"model.encoders.{column}")
        for column, spec in inputs.items()
    ]
    try:
        joined = registry.build("aggregator", aggregator, where="model.aggregator", sizes=widths)
    except ModelError as error:
        pairs = zip(inputs, widths, strict=True)
        error.why = error.why or ", ".join(f"the features of {column} are {width}" for column, width in pairs)
        raise
    head = _head(joined.out_features, hidden, activation, dropout, num_outputs)
    keys = {column: f"encoder{index}_{_plain(column)}" for index, column in enumerate(built)}
    named = {keys[column]: module for column, module in built.items()}
    return Composed(named, {column: keys[uses[column]] for column in inputs}, joined, head)


def _plain(column: str) -> str:
    return column.replace(".", "_")


def _uses(inputs: Mapping[str, TensorSpec], encoders: Mapping[str, Any]) -> dict[str, str]:
    """Input column -> the column whose encoder it uses."""
    for column in encoders:
        if column not in inputs:
            guess = closest(column, inputs)
            raise ModelError(
                f"there is no input column {column!r} to encode",
                where=f"model.encoders.{column}",
                fix=f"did you mean {guess!r}?" if guess else f"the inputs are {', '.join(inputs)}",
            )
    uses = {}
    for column in inputs:
        spec = encoders.get(column)
        shared = spec.get("shared") if isinstance(spec, Mapping) else None
        uses[column] = column if shared is None else _shared(column, shared, inputs, encoders)
    return uses


def _shared(column: str, other: Any, inputs: Mapping[str, TensorSpec], encoders: Mapping[str, Any]) -> str:
    where, spec = f"model.encoders.{column}.shared", encoders.get(other)
    if len(encoders[column]) > 1:
        raise ModelError("a shared encoder takes no parameters of its own", where=where, fix="leave them out")
    if other not in inputs or other == column or (isinstance(spec, Mapping) and "shared" in spec):
        raise ModelError(
            f"{other!r} is no input column with an encoder of its own",
            where=where,
            fix=f"choose among {', '.join(name for name in inputs if name != column)}",
        )
    mine, theirs = inputs[column], inputs[other]
    if (mine.type, mine.shape, len(mine.classes)) != (theirs.type, theirs.shape, len(theirs.classes)):
        raise ModelError(
            f"{column} is {mine.type} {list(mine.shape)} and {other} is {theirs.type} {list(theirs.shape)}",
            where=where,
            why="one encoder can only read columns of one type and shape",
            fix="give each its own encoder",
        )
    return str(other)


def _encoder(column: str, spec: TensorSpec, wanted: Any) -> nn.Module:
    where = f"model.encoders.{column}"
    if wanted is None and spec.type not in _DEFAULT:
        raise ModelError(
            f"an input of type {spec.type} has no encoder by default", where=where, fix="name one"
        )
    valid = registry.validate("encoder", wanted or _DEFAULT[spec.type], where=where)
    return build_model(valid, {column: spec}, 0, kind="encoder")


def _head(width: int, hidden: list[int], activation: str, dropout: float, num_outputs: int) -> nn.Module:
    parts: list[nn.Module] = []
    for features in hidden:
        parts += [nn.Linear(width, features), build_activation(activation)]
        if dropout:
            parts.append(nn.Dropout(dropout))
        width = features
    if num_outputs:
        parts.append(nn.Linear(width, num_outputs))
    return nn.Sequential(*parts)
