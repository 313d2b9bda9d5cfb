"""Names of classes that a file of weights was trained for, compared with those of the data.

A file keeps them as JSON in its safetensors metadata. Weights with the same classes in another order, or with
other classes of the same number, fit without an error and answer wrongly: they are refused.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.models.weights import LoadReport, weights_file

KEY = "trainwright.classes"
_LARGEST_HEADER = 100_000_000  # bytes that the format allows
_SHOWN = 12

Classes = Mapping[str, Sequence[str]]
"""Target -> names of its classes, in the order of their ids."""


def classes_of(targets: Mapping[str, TensorSpec]) -> dict[str, tuple[str, ...]]:
    """Classes of the targets that have any."""
    return {name: spec.classes for name, spec in targets.items() if spec.classes}


def metadata(classes: Classes) -> dict[str, str]:
    """What a file of weights for these classes carries."""
    named = {name: list(names) for name, names in classes.items()}
    return {KEY: json.dumps(named, sort_keys=True)} if named else {}


def classes_in(path: str | Path) -> dict[str, list[str]]:
    """Classes that a file of weights, or the best ones of a run, name; empty where they name none.

    Raises:
        ModelError: There is no such file.
    """
    with weights_file(Path(path)).open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        text = file.read(length) if 0 < length <= _LARGEST_HEADER else b""
    try:
        found = json.loads(json.loads(text)["__metadata__"][KEY])
        return {str(name): list(map(str, names)) for name, names in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # written by another program, or for no classes


def differences(theirs: Classes, ours: Classes) -> dict[str, str]:
    """Target -> what is different, for those whose classes are as many but not the same.

    Args:
        theirs: Of the weights.
        ours: Of the data.
    """
    found = {}
    for name, names in ours.items():
        other = theirs.get(name)
        if other is None and len(ours) == len(theirs) == 1:
            other = next(iter(theirs.values()))  # the target is called otherwise
        if other is None or len(other) != len(names) or list(other) == list(names):
            continue
        what = "in another order" if sorted(other) == sorted(names) else "others"
        found[name] = f"{what}: the weights have {_listed(other)}, the data {_listed(names)}"
    return found


def refuse_other_classes(model: nn.Module, report: LoadReport, theirs: Classes, ours: Classes) -> None:
    """Refuses weights whose output layer stands for other classes than the data's.

    Args:
        model: The model that the weights were put into.
        report: What became of them.
        theirs: Classes of the weights.
        ours: Classes of the data.

    Raises:
        ModelError: Names both.
    """
    for name, difference in differences(theirs, ours).items():
        if _has_their_outputs(model, report, len(ours[name])):
            raise ModelError(
                f"the classes of {name!r} in the weights are not those of the data",
                where="init.path",
                why=difference,
                fix="train on the same classes in the same order (the column's `classes` sets it), or leave "
                "the output layer at its start with init.exclude",
            )


def _has_their_outputs(model: nn.Module, report: LoadReport, classes: int) -> bool:
    """Whether the layer that gives a value per class was loaded; with nothing left out, every layer was."""
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    left = [*report.excluded, *report.missing, *report.mismatched]
    if not left:
        return True
    return any(own[name][:1] == (classes,) for name in report.matched) and not any(
        own[name][:1] == (classes,) for name in left
    )


def _listed(names: Sequence[str]) -> str:
    more = f", ... ({len(names)})" if len(names) > _SHOWN else ""
    return f"[{', '.join(names[:_SHOWN])}{more}]"
