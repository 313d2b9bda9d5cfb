"""Initial weights: read from a file without running any code of it, and put into a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

from trainwright.errors import ModelError, closest_sibling
from trainwright.models.patterns import check_patterns, listed, matches_any
from trainwright.models.weights_form import is_safetensors, refuse_other_content

_PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel and of torch.compile
_CONTAINERS = ("state_dict", "model_state_dict", "model", "model_ema", "net", "params", "weights")


@dataclass(frozen=True)
class LoadReport:
    """What became of every name when weights were put into a model.

    Attributes:
        matched: Names that were loaded.
        missing: Names of the model that the file does not have.
        unexpected: Names of the file that the model does not have.
        mismatched: Name -> (shape in the file, shape in the model).
        excluded: Names of the model that keep their start because the recipe says so.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    excluded: tuple[str, ...] = ()

    def told(self) -> str:
        """What was loaded, what kept its start and why, and what was not used, in one line."""
        own = len(self.matched) + len(self.missing) + len(self.mismatched) + len(self.excluded)
        shapes = [
            f"{n} ({list(theirs)} in the file, {list(ours)} in the model)"
            for n, (theirs, ours) in self.mismatched.items()
        ]
        parts = [
            ("left at their start as asked", list(self.excluded)),
            ("missing in the file", list(self.missing)),
            ("of another shape", shapes),
            ("not in the model", list(self.unexpected)),
        ]
        rest = "".join(f"; {title}: {listed(names)}" for title, names in parts if names)
        return f"{len(self.matched)} of {own} weights loaded{rest}"


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """Weights by name from a file, or from a run directory.

    Args:
        path: A `.safetensors` file, a file of `torch.save` (the weights themselves, or a checkpoint that
            holds them), or a run directory, whose best weights are taken.

    Returns:
        Name -> tensor on the CPU; prefixes of DistributedDataParallel and torch.compile are taken off.

    Raises:
        ModelError: There is no such file, or it holds no weights, or it would run code.
    """
    file = weights_file(Path(path))
    refuse_other_content(file)
    if is_safetensors(file):
        return _stripped(_load_safetensors(file))
    return _stripped(_unwrapped(_load_torch(file), file))


def weights_file(path: Path) -> Path:
    """The file itself, or the best weights of a run directory. Raises `ModelError` where there is none."""
    if path.is_dir():
        for name in ("best", "last"):
            if (found := path / "weights" / f"{name}.safetensors").is_file():
                return found
        raise ModelError(
            f"{path} has no weights/best.safetensors",
            where="init.path",
            fix="give a file, or the directory of a run that has been trained",
        )
    if not path.is_file():
        guess = closest_sibling(path)
        fix = f"did you mean {guess}?" if guess else "check the path"
        raise ModelError(f"there is no file {path}", where="init.path", fix=fix)
    return path


def _load_safetensors(file: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        loaded: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{file} is damaged", where="init.path", why=str(error), fix="download or copy it again"
        ) from error
    return loaded


def _load_torch(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ModelError(
            f"{file} cannot be read as plain weights",
            where="init.path",
            why="it is damaged, or it holds Python objects, and loading those would run code of the file",
            fix="if you trust its origin: load it yourself and save model.state_dict() as safetensors",
        ) from error
    except Exception as error:  # the unpickler answers damaged files with whatever it stumbles over
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"{file} holds no weights",
            where="init.path",
            why=why,
            fix="give a .safetensors file, a file of torch.save, or the directory of a run",
        ) from error


def _unwrapped(loaded: Any, file: Path) -> dict[str, Tensor]:
    """The mapping of tensors within a checkpoint."""
    found = loaded
    while isinstance(found, Mapping):
        if found and all(isinstance(value, Tensor) for value in found.values()):
            return dict(found)
        inner = next((found[key] for key in _CONTAINERS if isinstance(found.get(key), Mapping)), None)
        if inner is None:
            break
        found = inner
    keys = ", ".join(map(str, loaded)) if isinstance(loaded, Mapping) else type(loaded).__name__
    raise ModelError(
        f"{file} holds no mapping of names to tensors",
        where="init.path",
        why=f"it holds {keys}",
        fix=f"save the weights themselves, or under one of {', '.join(_CONTAINERS)}",
    )


def _stripped(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES * 2:
        if weights and all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def apply_weights(
    model: nn.Module, weights: Mapping[str, Tensor], exclude: Sequence[str] = (), strict: bool = True
) -> LoadReport:
    """Puts weights into a model, in place, and tells what fitted.

    Args:
        model: On any device and in any dtype; both are kept.
        weights: Name -> tensor, as `load_weights` gives them.
        exclude: Glob patterns of weights that keep their start.
        strict: Every weight that is not excluded must be in the file and fit, and every weight of
            the file must have its place.

    Raises:
        ModelError: Something does not fit (listed with both shapes), nothing does, or a pattern names
            nothing.
    """
    own = model.state_dict(keep_vars=True)
    check_patterns(exclude, [*own, *weights], "init.exclude")
    left_out = {name for name in [*own, *weights] if matches_any(name, exclude)}
    given = {name: value for name, value in weights.items() if name not in left_out}
    report = LoadReport(
        matched=tuple(n for n, v in given.items() if n in own and v.shape == own[n].shape),
        missing=tuple(n for n in own if n not in given and n not in left_out and not _is_counter(n)),
        unexpected=tuple(n for n in given if n not in own),
        mismatched={
            n: (tuple(v.shape), tuple(own[n].shape))
            for n, v in given.items()
            if n in own and v.shape != own[n].shape
        },
        excluded=tuple(n for n in own if n in left_out),
    )
    if strict and (report.missing or report.unexpected or report.mismatched):
        raise _misfit(model, report)
    if not report.matched:
        raise ModelError(
            "not one of the file's weights has a place in the model",
            where="init.path",
            why=f"the file has {listed(list(weights))}, the model {listed(list(own))}",
            fix="give the weights of this architecture",
        )
    with torch.no_grad():
        for name in report.matched:
            own[name].copy_(given[name])
    return report


def _is_counter(name: str) -> bool:
    # Files older than PyTorch 0.4.1 lack it, and it only matters to BatchNorm(momentum=None).
    return name.endswith("num_batches_tracked")


def _misfit(model: nn.Module, report: LoadReport) -> ModelError:
    lines = [f"{n}: {list(a)} in the file, {list(b)} in the model" for n, (a, b) in report.mismatched.items()]
    parts = [("other shapes", lines), ("missing in the file", list(report.missing))]
    parts.append(("not in the model", list(report.unexpected)))
    why = "; ".join(f"{title}: {listed(names)}" for title, names in parts if names)
    head = _other_class_count(model, report)
    if head is not None:
        (theirs, ours), modules = head
        why = f"it was trained for {theirs} outputs and this model has {ours}: {listed(lines)}"
        patterns = ", ".join(f'"{name}.*"' for name in modules)
        fix = f"leave that layer at its random start with init.exclude: [{patterns}]"
    else:
        fix = "name what may keep its random start in init.exclude, or load what fits with init.strict: false"
    return ModelError("the weights do not fit the model", where="init.path", why=why, fix=fix)


def _other_class_count(model: nn.Module, report: LoadReport) -> tuple[tuple[int, int], list[str]] | None:
    """Old and new width, and the layers, when only the last axis of outputs differs."""
    if report.missing or report.unexpected or not report.mismatched:
        return None
    pairs = {(old[0], new[0]) for old, new in report.mismatched.values() if old and new}
    same_rest = all(old[1:] == new[1:] for old, new in report.mismatched.values())
    modules = dict.fromkeys(name.rpartition(".")[0] for name in report.mismatched)
    heads = [name for name in modules if isinstance(model.get_submodule(name), nn.Linear | nn.Conv2d)]
    return (pairs.pop(), list(modules)) if len(pairs) == 1 and same_rest and len(heads) == 1 else None
