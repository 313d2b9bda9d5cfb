"""The one path from a raw value to an answer: evaluation, prediction and serving all hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from trainwright import recipe as recipes
from trainwright.data.batch import Value, joined
from trainwright.data.faults import in_groups
from trainwright.data.loader import ArrayStore, Loader, Pipeline, Store
from trainwright.data.original_pixels import OriginalPixels
from trainwright.data.picture_sizes import header_size
from trainwright.data.processors.image_bands import size_of
from trainwright.data.samplers.sequential import Sequential
from trainwright.data.types import BadSample, DataInfo, Processor, RawFile, decoder_of
from trainwright.engine.build import build_task
from trainwright.engine.distributed import Processes
from trainwright.engine.evaluation import SplitOutputs, run_split
from trainwright.engine.runtime import Execution, Runtime, choose_device
from trainwright.errors import DataError, RunError, UserError
from trainwright.inference.answer_pictures import class_maps
from trainwright.inference.answers import IN_PICTURES, Sizes, answer_columns
from trainwright.inference.artifact import load_processors
from trainwright.inference.predictions import Predictions, with_errors
from trainwright.inference.restored_pictures import RestoredPicture, at_own_size, in_tiles, shown
from trainwright.models.weights import apply_weights, load_weights
from trainwright.recipe.schema import Recipe
from trainwright.runs.directory import RunDirectory
from trainwright.tasks.base import Task
from trainwright.tasks.supervised.target import answer_of

_FILES = ("image", "audio", "video")  # types whose raw values are files
_BLOCK = 64  # evaluation batches whose decoded values are held at once


class Predictor:
    """A trained model with the processors that feed it and read its answers.

    Args:
        recipe: The run's recipe.
        task: Its task, already described by the data.
        model: The trained model.
        inputs: Input column -> fitted processor.
        targets: Target column -> fitted processor.
        columns: Column of the recipe -> column of the source.
        execution: The run's pinned execution.
        processes: Processes that share the work.
    """

    def __init__(
        self,
        recipe: Recipe,
        task: Task,
        model: nn.Module,
        inputs: dict[str, Processor],
        targets: dict[str, Processor],
        columns: dict[str, str],
        execution: Execution,
        processes: Processes | None = None,
    ) -> None:
        self.recipe, self.task = recipe, task
        self.inputs, self.targets, self.columns = inputs, targets, columns
        self.runtime = Runtime(execution)
        self.model = self.runtime.place(model)
        self.processes = processes or Processes()

    @classmethod
    def load(cls, path: str | Path, *, weights: str = "best", device: str | None = None) -> Predictor:
        """The predictor of a run.

        Args:
            path: The run directory.
            weights: `best` or `last`.
            device: Another device than the run's own.

        Raises:
            RunError: The run has no such weights or processors yet.
            ModelError: The weights do not fit the recipe's model.
        """
        run = RunDirectory.open(path)
        file = run.weights / f"{weights}.safetensors"
        if not file.exists():
            raise RunError(
                f"the run has no {weights} weights yet",
                where=str(file),
                fix=f"finish it with `trainwright resume {run.path}`",
            )
        recipe = recipes.load(run.resolved).recipe
        inputs, targets, columns = load_processors(run.processors)
        execution = Execution.from_json(run.record().pinned)
        if device is not None or not _present(execution.device):
            execution = execution.with_choice(device=choose_device(device or "auto"))
        execution = execution.with_choice(compile=False, world_size=1)
        task = build_task(recipe)
        model = task.build(describe(inputs, targets))
        apply_weights(model, load_weights(file), strict=True)
        return cls(recipe, task, model, inputs, targets, columns, execution)

    def run(
        self,
        store: Store,
        rows: np.ndarray,
        *,
        with_targets: bool,
        originals: Mapping[str, OriginalPixels] | None = None,
    ) -> SplitOutputs:
        """Raw outputs for rows of stored values, in batches of the run's evaluation shape.

        Args:
            store: The stored values.
            rows: Which of them.
            with_targets: Whether the truth is there, and wanted.
            originals: See `Loader`.
        """
        pipeline = Pipeline(
            self.inputs,
            self.targets,
            channels_last=self.runtime.execution.channels_last,
            with_targets=with_targets,
        )
        size = self.runtime.execution.evaluation_batch
        loader = Loader(store, pipeline, rows, size, Sequential(), seed=0, originals=originals)
        return run_split(self.task, self.model, loader, self.runtime, self.processes, self.recipe.train.seed)

    def predict(
        self, items: Any, *, names: Sequence[str] | None = None, on_bad: Literal["stop", "skip"] = "stop"
    ) -> Predictions:
        """Answers for raw values.

        Args:
            items: One item or many. An item is a path or the bytes of a file (for the only image input),
                an array, or a mapping from source columns to raw values. An array `[N, ...]` counts as N
                items, a DataFrame as its rows.
            names: What a person calls each item; its path or its number when absent.
            on_bad: `stop` raises where an item cannot be read; `skip` gives it a row without an answer,
                and all rows a column `error` with the reason or None.

        Returns:
            One row per item, without true values.

        Raises:
            DataError: An item cannot be read, or none can; like reasons are counted.
        """
        found, raw = self._raw_columns(items, names)
        bad: dict[int, str] = {}
        restored: dict[str, Sequence[RestoredPicture]] = {}
        outputs: dict[str, Value] = {}
        if self._keeps_scale:
            restored = self._tiled(raw, bad)
        else:
            outputs = self._outputs(found, raw, bad)
        faults = [(found[place], reason) for place, reason in sorted(bad.items())]
        if faults and (on_bad == "stop" or len(faults) == len(found)):
            raise DataError(
                f"{len(faults)} of {len(found)} items cannot be read",
                why=in_groups(faults),
                fix="leave them out or mend them"
                + ("; --on-bad skip (on_bad='skip') answers the others" if on_bad == "stop" else ""),
            )
        good = [place for place in range(len(found)) if place not in bad]
        sizes = {name: self._sizes(item, raw, good) for name, item in self.targets.items()}
        answered = self._answers([found[place] for place in good], outputs, sizes, restored)
        return answered if on_bad == "stop" else with_errors(answered, found, bad)

    def _sizes(self, target: Processor, raw: dict[str, list[Any]], places: Sequence[int]) -> Sizes | None:
        """Sizes of the pictures in whose pixels a target's answers are told."""
        if target.type not in IN_PICTURES:
            return None
        images = [name for name, item in self.inputs.items() if item.type == "image"]
        values = raw[getattr(target, "image", None) or images[0]]
        return [picture_size(values[place]) for place in places]

    @property
    def _keeps_scale(self) -> bool:
        """Whether pictures are answered by pictures, and the recipe has none of them resized."""
        items = [*self.inputs.values(), *self.targets.values()]
        alike = all(item.type == "image" and not getattr(item, "resizes", True) for item in items)
        return alike and len(self.inputs) == 1 and bool(self.targets)

    def _tiled(self, raw: dict[str, list[Any]], bad: dict[int, str]) -> dict[str, Sequence[RestoredPicture]]:
        """Pictures of any size by target, of the items that can be read; the others are added to `bad`."""
        [(column, values)] = raw.items()
        processor: Any = self.inputs[column]
        found: dict[str, list[RestoredPicture]] = {name: [] for name in self.targets}
        for place, value in enumerate(values):
            try:
                picture = processor.resized(value)
            except BadSample as error:
                bad[place] = error.reason
                continue
            for name in self.targets:
                answer = partial(self._shown, column, name)
                found[name].append(in_tiles(picture, processor.size, answer))
        return dict(found)

    def _shown(self, column: str, target: str, tiles: np.ndarray) -> np.ndarray:
        """Restored tiles of stored ones."""
        store = ArrayStore({column: tiles}, self.runtime.device, resident=False)
        answer = self.run(store, np.arange(len(tiles)), with_targets=False).outputs[target]
        return shown(self.targets[target], answer_of(answer))

    def _answers(
        self,
        names: list[str],
        outputs: dict[str, Value],
        sizes: dict[str, Sizes | None],
        restored: Mapping[str, Sequence[RestoredPicture]],
    ) -> Predictions:
        columns: dict[str, Any] = {"sample": names}
        classes: dict[str, Sequence[str]] = {}
        for name, output in outputs.items():
            processor = self.targets.get(name)
            if processor is None:
                assert not isinstance(output, dict)
                columns[name] = output.numpy()
            else:
                columns.update(answer_columns(name, processor, output, sizes=sizes[name]))
                classes[name] = processor.spec().classes
        pictures: dict[str, Sequence[Any]] = dict(restored)
        for name, output in outputs.items():
            item: Any = self.targets.get(name)
            answer = answer_of(output)
            if item is None or isinstance(answer, dict):
                continue
            if item.type == "mask":
                pictures[name] = class_maps(item, answer, sizes[name])
            elif item.type == "image":
                pictures[name] = at_own_size(answer.numpy(), item.geometry, sizes[name])
        return Predictions(columns, {name: tuple(c) for name, c in classes.items() if c}, pictures=pictures)

    def _outputs(
        self, names: Sequence[str], raw: dict[str, list[Any]], bad: dict[int, str]
    ) -> dict[str, Value]:
        """Raw outputs per target of the items that can be read; the others are added to `bad`.

        Done block by block, so that a folder of photos need not fit into memory.
        """
        restored = [name for name, item in self.targets.items() if item.type == "image"]
        # Of pictures a batch at a time: as floats they take twelve times the room of a photo.
        block = (1 if restored else _BLOCK) * self.runtime.execution.evaluation_batch
        parts: list[dict[str, Value]] = []
        for start in range(0, len(names), block):
            places = range(start, min(start + block, len(names)))
            encoded = {
                name: _encode(processor, raw[name], places, bad) for name, processor in self.inputs.items()
            }
            good = [place for place in places if place not in bad]
            if good:
                arrays = {name: np.stack([of[place] for place in good]) for name, of in encoded.items()}
                store = ArrayStore(arrays, self.runtime.device, resident=False)
                outputs = self.run(store, np.arange(len(good)), with_targets=False).outputs
                for name in restored:
                    pixels = shown(self.targets[name], answer_of(outputs[name]))
                    outputs[name] = torch.from_numpy(pixels)
                parts.append(outputs)
        return {name: joined([outputs[name] for outputs in parts]) for name in parts[0]} if parts else {}

    def _raw_columns(self, items: Any, given: Sequence[str] | None) -> tuple[list[str], dict[str, list[Any]]]:
        """Names of the items, and their raw values by input column."""
        if hasattr(items, "to_dict") and hasattr(items, "columns"):
            items = items.to_dict("records")
        if isinstance(items, str | bytes | Path | Mapping):
            items = [items]
        if isinstance(items, np.ndarray | torch.Tensor):
            items = self._split_array(np.asarray(items))
        listed = list(items)
        if not listed:
            raise UserError("there is nothing to predict", fix="give at least one file, array or row")
        columns: dict[str, list[Any]] = {name: [] for name in self.inputs}
        names = []
        for index, item in enumerate(listed):
            names.append(given[index] if given is not None else _name(item, index))
            for name in self.inputs:
                columns[name].append(self._value(item, name, names[-1]))
        return names, columns

    def _split_array(self, array: np.ndarray) -> list[np.ndarray]:
        """One array of many items, or of a single one, by what the only input looks like."""
        processor = next(iter(self.inputs.values()))
        spec = processor.spec()
        if processor.type == "image":
            alone = array.ndim == 2 or (array.ndim == 3 and _has_channels(array.shape, spec.shape[0]))
        elif processor.type in ("series", "audio"):  # one signal is [T, K], or [T] of one channel
            alone = array.ndim == 1 or (array.ndim == 2 and getattr(processor, "channels", 1) > 1)
        else:
            alone = array.ndim < len(spec.shape) or (array.ndim == 1 and spec.shape not in ((), (1,)))
        return [array] if alone or array.ndim == 0 else list(array)

    def _value(self, item: Any, name: str, called: str) -> Any:
        if isinstance(item, Mapping):
            return self._from_row(item, name, called)
        if len(self.inputs) > 1:
            raise UserError(
                "the model has several inputs",
                why=", ".join(self.inputs),
                fix="give each item as a mapping from column to value",
            )
        if isinstance(item, str | Path) and self.inputs[name].type in _FILES:
            return RawFile(str(item))
        return np.asarray(item) if not isinstance(item, str | bytes | Path) else item

    def _from_row(self, row: Mapping[str, Any], name: str, called: str) -> Any:
        processor = self.inputs[name]
        several = getattr(processor, "columns", None)
        wanted = list(several) if several else [self.columns[name]]
        missing = [column for column in wanted if column not in row]
        if missing and name not in row:
            raise UserError(
                f"an item lacks the column {missing[0]!r}",
                where=called,
                why="it has " + ", ".join(map(str, row)),
            )
        if missing:
            return row[name]
        values = [row[column] for column in wanted]
        value = np.array(values) if several else values[0]
        return RawFile(value) if isinstance(value, str) and processor.type in _FILES else value


def _encode(
    processor: Processor, values: Sequence[Any], places: Sequence[int], bad: dict[int, str]
) -> dict[int, np.ndarray]:
    """Stored values of one block by place; for what cannot be read the reason is added to `bad`."""
    encoded: dict[int, np.ndarray] = {}
    for place in places:
        try:
            encoded[place] = processor.encode(values[place])
        except BadSample as error:
            known = bad.get(place)
            bad[place] = error.reason if known is None else f"{known}; {error.reason}"
    return encoded


def _name(item: Any, index: int) -> str:
    return str(item) if isinstance(item, str | Path) else str(index)


def _has_channels(shape: tuple[int, ...], channels: int) -> bool:
    """Whether an array of three axes is one image `[H, W, C]` or `[C, H, W]`, not `[N, H, W]`."""
    return shape[2] in (1, 3, 4, channels) or shape[0] == channels


def _present(device: str) -> bool:
    if device.startswith("cuda"):
        return torch.cuda.is_available()
    return device != "mps" or torch.backends.mps.is_available()


def describe(inputs: dict[str, Processor], targets: dict[str, Processor]) -> DataInfo:
    """What a task may know of data when only its processors are at hand."""
    return DataInfo(
        inputs={name: item.spec() for name, item in inputs.items()},
        targets={name: item.spec() for name, item in targets.items()},
        sizes={},
        decoders={name: decoder_of(item) for name, item in targets.items()},
    )


def picture_size(raw: Any) -> tuple[int, int] | None:
    """Height and width of a picture, upright; None where it is no file, no bytes of one and no array."""
    if isinstance(raw, RawFile):
        return header_size(raw)
    if isinstance(raw, bytes):
        return size_of(raw)
    return (int(raw.shape[0]), int(raw.shape[1])) if getattr(raw, "ndim", 0) >= 2 else None
