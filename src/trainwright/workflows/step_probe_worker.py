"""A process that trains a few steps at small batches and says what they took; started by `StepProbe`.

It reads one order on stdin, a line of JSON, and answers in lines of JSON on stdout. The end of stdin means
that whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from trainwright.data.types import PreparedData
    from trainwright.engine.runtime import Execution
    from trainwright.recipe.schema import Recipe

Say = Callable[[Mapping[str, Any]], None]
_OF_MEMORY = (signal.SIGKILL, signal.SIGABRT, signal.SIGBUS)
_KIB = 1024


def main() -> None:
    """Carries out the order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of it
    order = json.loads(sys.stdin.buffer.readline())
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a user's code prints must not land among the answers

    def say(answer: Mapping[str, Any]) -> None:
        """One line."""
        answers.write(json.dumps(answer).encode() + b"\n")

    probe(order, say)


def probe(order: Mapping[str, Any], say: Say) -> None:
    """Trains a few steps at every size that is asked for, and evaluates, each in a process of its own.

    Args:
        order: `recipe`, a file; `execution`, as JSON; `sizes`, pairs of samples of a step and of a forward
            pass, ascending; `steps`, how many are timed after the evaluation; `limit`, bytes that may be
            taken beyond what the imports take.
        say: Told of every process that begins, of the bytes of memory-mapped data, and of each size the most
            memory beyond the imports, on the host and on the device, and the seconds of a step; at last the
            memory of the evaluation.
    """
    from trainwright.allocator import keep_freed_memory

    keep_freed_memory()
    import trainwright.workflows.session  # noqa: F401 - what a training imports is none of its steps' memory

    # Imported once; each copy of this process then begins with a heap as a training has it.
    for task in [*order["sizes"], None]:
        child = os.fork()
        if child == 0:
            _work(order, task, say)
        _, status = os.waitpid(child, 0)
        if status != 0:
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) in _OF_MEMORY:
                say({"kind": "exceeded"})
            os._exit(1)


def _work(order: Mapping[str, Any], task: Sequence[int] | None, say: Say) -> None:
    """One size, or the evaluation; ends this process, which is a copy of the one that was started."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    code = 0
    try:
        _measure(order, task, say)
    except (MemoryError, RuntimeError) as error:
        code = 1
        if _is_of_memory(error):
            say({"kind": "exceeded"})
        else:
            traceback.print_exc()
    except BaseException:
        code = 1
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)  # threads of libraries may hang


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _is_of_memory(error: BaseException) -> bool:
    words = ("memory", "bad_alloc", "bad allocation")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def _measure(order: Mapping[str, Any], task: Sequence[int] | None, say: Say) -> None:
    from trainwright import recipe as recipes
    from trainwright.engine.runtime import Execution
    from trainwright.machine.process_memory import resident_bytes
    from trainwright.progress import NoProgress
    from trainwright.workflows.training import load_data

    begun_at = resident_bytes()
    say({"kind": "begun", "pid": os.getpid(), "resident": begun_at})
    _limit_data(order["limit"])
    loaded = recipes.load(order["recipe"])
    with recipes.located(loaded):
        data = load_data(loaded, NoProgress())
        say({"kind": "data", "mapped": _mapped_bytes(data)})
        execution = Execution.from_json(order["execution"])
        if task is None:
            row = _evaluate(loaded.recipe, data, execution)
            say({"kind": "evaluation", "row": row, **_taken(execution, begun_at)})
            return
        samples, micro = task
        seconds = _train(loaded.recipe, data, execution, samples, micro, order["steps"])
        taken = _taken(execution, begun_at)
        say({"kind": "steps", "samples": samples, "micro": micro, "seconds": seconds, **taken})


def _limit_data(beyond: int) -> None:
    """Lets allocations fail, in this process alone, that would take more than was granted."""
    try:
        import resource
        from pathlib import Path

        lines = Path("/proc/self/status").read_text().splitlines()
        taken = next(int(line.split()[1]) * _KIB for line in lines if line.startswith("VmData:"))
        resource.setrlimit(
            resource.RLIMIT_DATA, (taken + beyond, resource.getrlimit(resource.RLIMIT_DATA)[1])
        )
    except (ImportError, OSError, ValueError, StopIteration):
        return  # the parent watches too


def _mapped_bytes(data: PreparedData) -> int:
    """Bytes of arrays that are read from files as they are needed."""
    import numpy as np

    return sum(array.nbytes for array in data.arrays.values() if isinstance(array, np.memmap))


def _taken(execution: Execution, begun_at: int) -> dict[str, int]:
    """Most bytes so far, beyond those at the beginning."""
    import torch

    from trainwright.machine.process_memory import peak_bytes

    on_gpu = execution.device.startswith("cuda")
    return {
        "host": peak_bytes() - begun_at,
        "device": torch.cuda.max_memory_reserved(execution.device) if on_gpu else 0,
    }


def _train(
    recipe: Recipe, data: PreparedData, execution: Execution, samples: int, micro: int, steps: int
) -> float:
    """A training in miniature: a step, an evaluation, a checkpoint that is written during further steps.

    Returns:
        Seconds of the quickest step.
    """
    from trainwright.engine.build import build_network, build_parts, build_task
    from trainwright.engine.checkpoint import CheckpointWriter
    from trainwright.engine.distributed import Processes
    from trainwright.engine.loop import Loop
    from trainwright.engine.position import Budget
    from trainwright.engine.runtime import Runtime
    from trainwright.engine.signals import StopRequest
    from trainwright.workflows.run_files import NoJournal, weights_file

    train = recipe.train.model_copy(
        update={
            "batch_size": samples,
            "steps": 1 << 30,  # for schedules that must know an end
            "epochs": None,
            "minutes": None,
            "callbacks": [],
            "early_stop": None,
        }
    )
    small = recipe.model_copy(update={"train": train})
    run = execution.with_choice(
        micro_batch=micro if micro < samples else None,
        evaluation_batch=min(execution.evaluation_batch, samples),
        world_size=1,
    )
    task = build_task(small)
    parts = build_parts(small, data, task, build_network(task, small, data), Runtime(run), Processes())
    if parts.val_loader is not None:
        parts.val_loader.rows = parts.val_loader.rows[: parts.val_loader.chunk * run.evaluation_batch]
    turns = max(phase.phase.every for phase in parts.runners)
    parts.budget, parts.evaluate_every = Budget(turns), 1 << 30
    writer, watch = CheckpointWriter(_forgetful_store()), _watch(run)

    def keep() -> None:
        """What keeping the best weights takes, but for the file."""
        weights_file(parts.model.state_dict(), parts.train_loader.pipeline.targets)

    loop = Loop(parts, NoJournal(), watch, writer, keep, StopRequest())
    loop.on_finding = lambda _: None  # of so few steps nothing is said
    loop.run()
    parts.budget = Budget(turns + steps * turns)
    loop.run()
    writer.flush()
    writer.close()
    rows, per_epoch = len(parts.train_loader.rows), parts.train_loader.steps_per_epoch
    return _quickest(watch.moments[-steps * turns :], per_epoch, whole=rows % samples == 0)


def _quickest(moments: Sequence[tuple[int, float]], per_epoch: int, *, whole: bool) -> float:
    """Seconds of the quickest step.

    Args:
        moments: Steps done, and when.
        per_epoch: Steps of an epoch: before the first of them the epoch before is closed.
        whole: Whether the last step of an epoch has as many samples as the others.
    """
    timed = [(step - 1, now - then) for (_, then), (step, now) in pairwise(moments)]
    last = per_epoch if whole else per_epoch - 1
    inner = [seconds for step, seconds in timed if 0 < step % per_epoch < last]
    return min(inner or [seconds for _, seconds in timed])


def _forgetful_store() -> Any:
    """Checkpoints are made as in a training, but written nowhere."""
    from pathlib import Path

    from safetensors.torch import save

    from trainwright.engine.checkpoint import CheckpointStore

    class Forgetful(CheckpointStore):
        """Makes the bytes of a checkpoint, and lets them go."""

        def write(
            self, step: int, structure: dict[str, Any], tensors: dict[str, Tensor], regular: bool = False
        ) -> None:
            """Takes the memory that writing takes."""
            save(tensors, metadata={"format": "pt"})

    return Forgetful(Path(os.devnull))


def _watch(execution: Execution) -> Any:
    """A progress that notes when steps end, the device waited for."""
    import torch

    from trainwright.progress import NoProgress

    class Watch(NoProgress):
        """Steps done, and the moments at which they were."""

        def __init__(self) -> None:
            super().__init__()
            self.moments: list[tuple[int, float]] = []

        def step(self, step: int) -> None:
            """One more step is done."""
            if execution.device.startswith("cuda"):
                torch.cuda.synchronize(execution.device)
            self.moments.append((step, time.perf_counter()))

    return Watch()


def _evaluate(recipe: Recipe, data: PreparedData, execution: Execution) -> int:
    """Scores a batch of the full size; bytes of outputs and targets that are kept of a row."""
    import torch

    from trainwright.data.batch import tensors_of
    from trainwright.engine.build import build_loader, build_network, build_store, build_task
    from trainwright.engine.distributed import Processes
    from trainwright.engine.evaluation import run_split
    from trainwright.engine.runtime import Runtime

    split = "val" if len(data.splits.get("val", ())) else "train"
    store = build_store(data, torch.device(execution.device))
    loader = build_loader(recipe, data, store, split, execution, training=False)
    loader.rows = loader.rows[: loader.batch_size]
    task, runtime = build_task(recipe), Runtime(execution)
    model = runtime.place(build_network(task, recipe, data))
    found = run_split(task, model, loader, runtime, Processes(), recipe.train.seed)
    kept = [*tensors_of(found.outputs).values(), *tensors_of(found.targets).values()]
    return sum(tensor.nbytes for tensor in kept) // max(1, len(found.rows))


if __name__ == "__main__":
    main()
