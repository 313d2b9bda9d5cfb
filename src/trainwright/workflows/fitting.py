"""A recipe for values in memory: which columns there are, and what each one is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainwright.errors import DataError, RecipeError

_TARGET = "y"


def recipe_for(
    X: Any, y: Any, *, model: str | Mapping[str, Any], validation: float, name: str
) -> tuple[dict[str, Any], Any]:
    """The recipe (without its `train` section) and the data for it.

    Args:
        X: Array, DataFrame or Dataset, as `fit` takes them.
        y: Targets, or the name of the DataFrame's target column.
        model: Name or mapping.
        validation: Share of the rows for validation.
        name: Name of the run.

    Raises:
        DataError: The values are of no known kind, or there are not as many targets as rows.
    """
    if _is_frame(X):
        inputs, target, data = _frame(X, y)
    elif y is None and not hasattr(X, "shape"):
        inputs, target, data = _dataset(X)
    elif y is None:
        raise DataError("an array needs its targets", where="y", fix="fit(X, y)")
    else:
        X, y = _array(X), _array(y)
        if len(X) != len(y):
            raise DataError(f"X has {len(X)} rows and y has {len(y)}", where="y")
        inputs, target, data = {"x": _input_type(X)}, {_TARGET: _target_type(y)}, {"x": X, _TARGET: y}
    recipe: dict[str, Any] = {
        "name": name,
        "data": {
            "source": {"name": "arrays"},
            "inputs": inputs,
            "targets": target,
            "split": {"val": validation},
        },
        "model": _model(model),
    }
    return recipe, data


def _model(model: Any) -> str | dict[str, Any]:
    if isinstance(model, str):
        return model
    if isinstance(model, Mapping):
        return dict(model)
    raise RecipeError(
        f"a model is named in the recipe, not given as a {type(model).__name__}",
        where="model",
        why="a run can be resumed and used only if its model can be built again",
        fix="write a class or function in a file of yours, and give 'module:attribute'",
    )


def _frame(X: Any, y: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """All numeric columns are one vector, every other column is a category of its own."""
    columns = {str(name): np.asarray(X[name]) for name in X.columns}
    if isinstance(y, str):
        if y not in columns:
            raise DataError(
                f"the DataFrame has no column {y!r}", where="y", why=f"it has {', '.join(columns)}"
            )
        target, values = y, columns.pop(y)
    elif y is None:
        raise DataError(
            "the target is not given", where="y", fix="give the name of its column, or its values"
        )
    else:
        target, values = _TARGET, _array(y)
        if target in columns:
            raise DataError(f"the DataFrame has a column {target!r} already", where="y", fix=f"y={target!r}")
    if len(values) != len(X):
        raise DataError(f"X has {len(X)} rows and y has {len(values)}", where="y")
    numbers = [name for name, column in columns.items() if column.dtype.kind in "fiu"]
    inputs: dict[str, Any] = {"numbers": {"type": "number", "columns": numbers}} if numbers else {}
    inputs.update({name: {"type": "category"} for name in columns if name not in numbers})
    return inputs, {target: _target_type(values)}, {**columns, target: values}


def _dataset(X: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """A Dataset is described by its first item; its items are read when the data are prepared."""
    if not (hasattr(X, "__len__") and hasattr(X, "__getitem__") and len(X)):
        raise DataError(
            f"cannot train on a {type(X).__name__}",
            where="X",
            fix="give an array, a DataFrame, or a Dataset with __len__ and __getitem__",
        )
    item = X[0]
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise DataError(
            "an item of the dataset is not (x, y)", where="X[0]", fix="use train(recipe, data=dataset)"
        )
    first = np.asarray(item[0]) if not hasattr(item[0], "getbands") else np.empty((0, 0, 0))
    return {"x": _input_type(first[None])}, {_TARGET: _target_type(np.asarray([item[1]]))}, X


def _input_type(values: np.ndarray) -> dict[str, Any]:
    if values.ndim in (3, 4):
        return {"type": "image"}
    if values.dtype.kind in "fiub" and values.ndim <= 2:
        return {"type": "number"}
    if values.ndim == 1:
        return {"type": "category"}
    raise DataError(
        f"X of shape {list(values.shape)} and type {values.dtype} is neither pictures nor numbers",
        where="X",
        fix="[N, features], [N, H, W] or [N, H, W, C]",
    )


def _target_type(values: np.ndarray) -> dict[str, Any]:
    """Floating-point values and vectors are numbers; text and whole numbers name classes."""
    if values.dtype.kind == "f":
        return {"type": "number"}
    if values.ndim > 1 and values.shape[1:] != (1,):
        return {"type": "number"}
    return {"type": "category"}


def _array(values: Any) -> np.ndarray:
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def _is_frame(values: Any) -> bool:
    return hasattr(values, "columns") and hasattr(values, "to_numpy")
