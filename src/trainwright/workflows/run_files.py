"""What a session leaves in the run directory, besides the checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from shutil import rmtree
from typing import Any

from safetensors.torch import save
from torch import Tensor

from trainwright.data.summary import summary, write_dropped
from trainwright.data.types import PreparedData, Processor
from trainwright.engine.health.watch import Finding
from trainwright.engine.loop import Loop
from trainwright.engine.parts import Outcome, Parts
from trainwright.models.weight_classes import classes_of, metadata
from trainwright.runs.atomic import make_directory, write_bytes, write_json
from trainwright.runs.directory import RunDirectory
from trainwright.runs.events import append_event
from trainwright.runs.record import RunRecord, RunState


class NoJournal:
    """The journal of processes that write no files."""

    def log(self, step: int, epoch: int, values: dict[str, Any]) -> None:
        """Forgets the values."""


def save_weights(path: Path, parts: Parts) -> None:
    """Writes the model's weights; see `write_weights`."""
    write_weights(path, parts.model.state_dict(), parts.train_loader.pipeline.targets)


def write_weights(path: Path, state: Mapping[str, Tensor], targets: Mapping[str, Processor]) -> None:
    """Writes weights as safetensors, each tensor on its own, with the names of the targets' classes."""
    make_directory(path.parent)
    write_bytes(path, weights_file(state, targets))


def weights_file(state: Mapping[str, Tensor], targets: Mapping[str, Processor]) -> bytes:
    """What `write_weights` writes."""
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in state.items()}
    classes = classes_of({name: item.spec() for name, item in targets.items()})
    return _in_order(save(tensors, metadata={"format": "pt", **metadata(classes)}))


def _in_order(data: bytes) -> bytes:
    """A safetensors file with sorted metadata, so that equal weights are equal files."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def status(loop: Loop, parts: Parts) -> dict[str, Any]:
    """How far the training is, for the heartbeat."""
    return {
        "step": loop.position.step,
        "epoch": loop.position.epoch,
        "total_steps": parts.budget.total_steps,
    }


def throughput(outcome: Outcome, parts: Parts) -> dict[str, Any]:
    """Speed of the steady steps, for `throughput.json`."""
    steps, seconds = outcome.steady_steps, outcome.steady_seconds
    batch = parts.train_loader.batch_size
    return {
        "first_step_at": outcome.first_step_at,
        "steady_steps": steps,
        "steady_us_per_step": 1e6 * seconds / steps if steps else None,
        "images_per_s": batch * steps / seconds if seconds else None,
    }


def note_progress(run: RunDirectory, record: RunRecord, parts: Parts, outcome: Outcome) -> None:
    """Writes how far the training came, and the last weights of one that is done."""
    record.progress = {
        "step": outcome.step,
        "epoch": outcome.epoch,
        "total_steps": parts.budget.total_steps,
    }
    best = parts.best
    if best is not None and best.best is not None:
        record.best = {"step": best.best_step, "monitor": best.name, "value": best.best}
    if outcome.state == "interrupted":
        record.end(RunState.INTERRUPTED, outcome.reason)
    run.save(record)
    run.write_results()
    if outcome.state == "done":
        rmtree(run.origin, ignore_errors=True)  # its parent has it still
        with parts.ema.applied() if parts.ema is not None else nullcontext():
            save_weights(run.last, parts)
    write_json(run.path / "throughput.json", throughput(outcome, parts))


def note_finding(run: RunDirectory, attempt: int, found: Finding, say: Callable[[str], None]) -> None:
    """Tells what a rule of health found, and writes it down."""
    say(f"health, step {found.step}: {found.text}")
    append_event(
        run.findings, found.step, attempt, {"rule": found.rule, "text": found.text, "policy": found.policy}
    )


def what_is_left(run: RunDirectory) -> str:
    """What a run that is stopped at once leaves behind."""
    step = run.newest_checkpoint()
    if step is None:
        return "no checkpoint had been written, so the same command starts anew"
    return f"the last checkpoint, of step {step}, is whole"


def write_data_report(run: RunDirectory, data: PreparedData) -> None:
    """What the data came to, and what was left out."""
    write_json(run.data / "summary.json", summary(data))
    write_dropped(run.data / "dropped.csv", data.all_dropped())
