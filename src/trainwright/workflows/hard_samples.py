"""The training samples of the largest loss over the epochs, and what the best weights say of them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from trainwright.data.stream_store import store_of
from trainwright.data.types import PreparedData
from trainwright.engine.sample_losses import SampleLosses, joined
from trainwright.inference.answers import answer_columns
from trainwright.inference.predictions import write_predictions
from trainwright.inference.predictor import Predictor
from trainwright.runs.atomic import write_bytes
from trainwright.runs.directory import RunDirectory

SHARE, LEAST, MOST = 0.03, 24, 1000
"""So many of the training samples are looked at: a share, at least and at most a number."""
ANSWERED = ("category", "number")


def write_hard_samples(
    run: RunDirectory, data: PreparedData, predictor: Predictor, samples: SampleLosses
) -> None:
    """Writes `data/sample_losses.npz` and `data/hard_samples.parquet`; every process takes part.

    The first holds `row`, `mean`, `last` and `times` of all training samples; the second, the hardest first,
    the names of some, these losses, and answers of the best weights beside the truth.
    """
    whole = _of_all_processes(samples, predictor)
    means = whole.means()
    count = min(len(means), max(LEAST, min(MOST, int(np.ceil(SHARE * len(means))))))
    hardest = np.argsort(-np.nan_to_num(means, nan=-np.inf), kind="stable")[:count]
    rows = whole.rows[hardest]
    result = predictor.run(store_of(data, predictor.runtime.device), rows, with_targets=True)
    if not predictor.processes.is_first:
        return
    columns: dict[str, Any] = {
        "sample": [data.names[row] for row in rows],
        "row": rows,
        "mean_loss": means[hardest],
        "last_loss": whole.last[hardest],
    }
    classes = {}
    for name, processor in data.targets.items():
        if processor.type in ANSWERED:
            columns |= answer_columns(name, processor, result.outputs[name], result.targets[name])
            classes[name] = processor.spec().classes
    write_predictions(
        run.hard_samples, columns, classes={name: names for name, names in classes.items() if names}
    )
    file = io.BytesIO()
    np.savez(file, row=whole.rows, mean=means, last=whole.last, times=whole.count)
    write_bytes(run.data / "sample_losses.npz", file.getvalue())


def _of_all_processes(samples: SampleLosses, predictor: Predictor) -> SampleLosses:
    parts = []
    for state in predictor.processes.gather(samples.state_dict()):
        part = SampleLosses(samples.rows)
        part.load_state_dict(state)
        parts.append(part)
    return joined(parts)
