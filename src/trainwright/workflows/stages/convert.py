"""A stage that writes data in another format."""

from __future__ import annotations

from typing import Literal

from trainwright.errors import DataError
from trainwright.fields import Location
from trainwright.wording import with_count
from trainwright.workflows.stages.work import StageWork


def convert(
    stage: StageWork,
    *,
    source: Location,
    to: Literal["coco", "voc", "yolo", "folder", "table"],
    lost: Literal["report", "stop"] = "report",
) -> None:
    """Writes pictures and annotations in another format; what that cannot hold is counted.

    Args:
        source: A recipe, whose `data.source` is read, or a path of data that nobody has described.
        to: The format.
        lost: What becomes of the stage where something cannot be written: it says so, or stops.
    """
    from trainwright.workflows import converting

    stage.folder.rmdir()  # the folder that is converted to must be new
    done = converting.convert(source, str(stage.folder), to)
    told = [f"{with_count(count, what)} cannot be written as {to}" for what, count in done.lost.items()]
    told += [f"{name}: {reason}" for name, reason in done.faults]
    if told and lost == "stop":
        raise DataError(
            "not all of the data can be converted", where=source, why="; ".join(told[:5]), fix="lost: report"
        )
    for line in told:
        stage.say(line)
    stage.log({"pictures": done.pictures, "objects": done.objects, "faults": len(done.faults)})
