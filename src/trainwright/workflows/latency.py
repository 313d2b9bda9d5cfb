"""How long a run's model takes to answer for one sample."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from trainwright.runs.atomic import write_json
from trainwright.runs.directory import RunDirectory

FILE = "latency.json"
# A machine that others share changes its pace within a second: a shorter time would see one pace only.
_WARM_UP, _FEWEST, _SECONDS = 10, 30, 2.0
# Two processes place code and memory differently: the quickest answers of one model were up to 3 % apart.
_APART = 0.05


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a prepared sample on the device to the model's answer.

    Attributes:
        quick: 1 % of the answers were quicker: what the model takes where nothing disturbs it.
        fastest: Of all answers.
        median: Half of them were quicker.
        slow: 5 % of them were slower.
        answers: How many were timed.
        threads: Compute threads.
        device: Where.
    """

    quick: float
    fastest: float
    median: float
    slow: float
    answers: int
    threads: int
    device: str

    @property
    def interval(self) -> list[float]:
        """Where `quick` lies when another process measures it: from 5 % below to the median, or 5 % above."""
        return [self.quick * (1 - _APART), max(self.median, self.quick * (1 + _APART))]


def known_latency(run: RunDirectory) -> Latency | None:
    """What was measured of a run before; None where nothing was, or by a version that kept other figures."""
    path = Path(run.path) / FILE
    found = json.loads(path.read_text()) if path.exists() else {}
    return Latency(**found) if set(found) == {field.name for field in fields(Latency)} else None


def ensure_latency(run: RunDirectory, quiet: Callable[[], object]) -> Latency:
    """What is known of a run's latency, measured where it is not.

    Args:
        run: A run with best weights.
        quiet: Called before anything is timed: whatever else works here is to rest.
    """
    known = known_latency(run)
    if known is None:
        quiet()
        known = measure_latency(run)
        write_json(Path(run.path) / FILE, asdict(known))
    return known


def measure_latency(run: RunDirectory) -> Latency:
    """Times single answers of the best weights under the run's pinned execution."""
    import numpy as np
    import torch

    from trainwright import recipe as recipes
    from trainwright.data.batch import Batch, over
    from trainwright.engine.build import first_batch
    from trainwright.inference.predictor import Predictor
    from trainwright.progress import NoProgress
    from trainwright.workflows.training import load_data

    predictor = Predictor.load(run.path)
    execution = predictor.runtime.execution.with_choice(micro_batch=1)
    device = torch.device(execution.device)
    found = first_batch(
        predictor.recipe, load_data(recipes.load(run.resolved), NoProgress()), execution, training=False
    )
    inputs = {name: over(value, lambda t: t[:1].to(device)) for name, value in found.inputs.items()}
    batch = Batch(inputs, {}, found.ids[:1], found.epoch)
    torch.set_num_threads(execution.threads)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    model = predictor.model.eval()
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    with torch.inference_mode(), predictor.runtime.autocast():
        while len(times) < _WARM_UP + _FEWEST or time.perf_counter() < end:
            begun = time.perf_counter()
            predictor.task.predict(model, batch)
            wait()
            times.append(1000 * (time.perf_counter() - begun))
    quick, fastest, median, slow = np.quantile(times[_WARM_UP:], [0.01, 0.0, 0.5, 0.95]).tolist()
    answers = len(times) - _WARM_UP
    return Latency(quick, fastest, median, slow, answers, execution.threads, execution.device)
