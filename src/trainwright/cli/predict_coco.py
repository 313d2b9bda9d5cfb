"""What `predict --format coco` writes: results, and beside them what counted ids mean."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import tell
from trainwright.cli.parsing import UsageError
from trainwright.data.objects import OBJECT_TYPES
from trainwright.errors import RunError
from trainwright.inference.coco_ids import WRITTEN_BY, coco_files, ids_for
from trainwright.wording import counted

if TYPE_CHECKING:
    from trainwright.inference.prediction_input import Items
    from trainwright.inference.predictions import Predictions
    from trainwright.recipe.schema import Data


class CocoOutput:
    """Results in COCO's form, whose ids are settled before a picture is answered.

    Args:
        arguments: Of the command line.
        data: The run's data section.
        processors: Its `processors.json`.
        items: What is asked about.

    Raises:
        UserError: The named COCO file does not fit, or what the ids mean would replace another file.
    """

    def __init__(self, arguments: argparse.Namespace, data: Data, processors: Path, items: Items) -> None:
        self._output, self._items = arguments.output, items
        self._image = next(
            (item.column or name for name, item in data.inputs.items() if item.type == "image"), ""
        )
        self._target = next(name for name, item in data.targets.items() if item.type in OBJECT_TYPES)
        self._classes = _classes(processors, self._target)
        samples = [self._picture_of(place) for place in range(len(items.items))]
        candidates = coco_files(arguments.files, data.source)
        self.ids = ids_for(samples, self._classes, arguments.ids, candidates)
        path = Path(self._output)
        self.legend = None if self._output == "-" else path.with_name(f"{path.stem}_ids.json")
        if self.ids.file is None and self.legend is not None:
            _refuse_others(self.legend)

    def write(self, answers: Predictions) -> None:
        """Writes the results, and what counted ids mean beside them; tells whose ids they are."""
        from trainwright.inference.coco_results import coco_results
        from trainwright.inference.predictions import write_output

        write_output(coco_results(answers, self._target, self.ids), self._output)
        if self.ids.file is not None:
            tell(f"ids of images and categories are those of {self.ids.file}")
            unknown = [name for name in self._classes if name not in self.ids.categories]
            if unknown:
                left = f"{counted(len(unknown), 'class is', 'classes are')} not in that file"
                tell(f"{left}, and what is found of them is left out: {', '.join(unknown[:10])}")
            return
        tell("ids of images and categories are counted from 1: no COCO file lists these pictures; see --ids")
        if self.legend is not None:
            write_output(self.ids.legend(self._sizes()), self.legend)
            tell(f"what they mean is in {self.legend}")

    def _picture_of(self, place: int) -> str:
        """Path of the picture of an item, or else what the item is called."""
        item = self._items.items[place]
        value = item.get(self._image) if isinstance(item, dict) else item
        return value if isinstance(value, str) else self._items.names[place]

    def _sizes(self) -> list[tuple[int, int] | None]:
        from trainwright.data.types import BadSample
        from trainwright.inference.predictor import picture_size
        from trainwright.workflows.drawing_answers import picture_of_item

        sizes: list[tuple[int, int] | None] = []
        for item in self._items.items:
            try:
                sizes.append(picture_size(picture_of_item(item, self._image)))
            except BadSample:
                sizes.append(None)
        return sizes


def _classes(processors: Path, target: str) -> list[str]:
    """Classes of a target from a run's `processors.json`."""
    try:
        state: dict[str, Any] = json.loads(processors.read_text())["targets"][target]["state"]
        return list(state["fitted"]["classes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            "the run's processors cannot be read",
            where=str(processors),
            why=str(error),
            fix="the run did not get as far as training; train it again",
        ) from error


def _refuse_others(legend: Path) -> None:
    """Raises UsageError where the file that says what ids mean is there, and not of an earlier `predict`."""
    try:
        if not legend.exists() or json.loads(legend.read_text())["info"]["description"] == WRITTEN_BY:
            return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UsageError(
        "this file is there, and predict did not write it",
        where=str(legend),
        why="what the ids of the results mean is written there",
        fix="name the results otherwise, or move the file",
    )
