"""Which GPU a run takes: the freest one, or, if asked, one that nobody works on, waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from trainwright.errors import UserError
from trainwright.machine.gpus import Gpu, read_gpus
from trainwright.wording import size_text

Say = Callable[[str], None]
# A desktop's windows take some hundred MiB; whoever trains takes more.
IDLE_SHARE = 0.1
IDLE_WORK = 0.1
POLL_SECONDS = 10.0
TELL_SECONDS = 300.0


@dataclass(frozen=True)
class Candidate:
    """A GPU that this process can use.

    Attributes:
        device: What torch calls it, such as `cuda:1`.
        gpu: Its state.
    """

    device: str
    gpu: Gpu

    def told(self) -> str:
        """Its state in words."""
        gpu = self.gpu
        text = f"{self.device} ({gpu.name}) has {size_text(gpu.free)} of {size_text(gpu.total)} free"
        if gpu.utilization is not None:
            text += f", {gpu.utilization:.0%} busy"
        names = [f"{holder.name} (pid {holder.pid}, {size_text(holder.held)})" for holder in gpu.holders]
        return text + (f", held by {' and '.join(names)}" if names else "")


def is_idle(gpu: Gpu) -> bool:
    """Whether nobody works on it: hardly any memory is taken, and hardly any time."""
    return gpu.free >= (1 - IDLE_SHARE) * gpu.total and (gpu.utilization or 0.0) <= IDLE_WORK


def freest(candidates: Sequence[Candidate]) -> Candidate:
    """An idle one before one that is worked on, then the one with the most free memory."""
    return max(
        candidates, key=lambda item: (is_idle(item.gpu), item.gpu.free, -(item.gpu.utilization or 0.0))
    )


def wait_for_idle(
    look: Callable[[], list[Candidate]],
    minutes: float,
    say: Say,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Candidate:
    """An idle GPU, as soon as there is one.

    Args:
        look: Gives the GPUs in their present state, at least one.
        minutes: How long to wait at most.
        say: Told what is waited for, at the beginning and every five minutes.
        clock: Seconds.
        sleep: Waits some seconds.

    Raises:
        UserError: None became idle in that time.
    """
    begun, told_at = clock(), -TELL_SECONDS
    while True:
        candidates = look()
        best = freest(candidates)
        if is_idle(best.gpu):
            return best
        state, waited = "; ".join(item.told() for item in candidates), clock() - begun
        if waited >= 60 * minutes:
            raise UserError(
                f"no GPU became idle in {minutes:g} minutes",
                where="train.wait_minutes",
                why=state,
                fix="wait longer, share a GPU (--device cuda:N), or train on the CPU (--device cpu)",
            )
        if waited - told_at >= TELL_SECONDS:
            say(f"waiting for an idle GPU: {state}")
            told_at = waited
        sleep(min(POLL_SECONDS, 60 * minutes - waited))


def choose_gpu(wanted: str, wait_minutes: float | None, say: Say) -> str:
    """The CUDA device of a run that runs alone.

    Args:
        wanted: `auto` or `cuda` for the freest one, or one by its number, which is only waited for.
        wait_minutes: How long to wait for one that nobody works on; None takes the freest as it is.
        say: Told what is waited for, and which one was chosen of several.

    Raises:
        UserError: None became idle in time.
    """
    fixed = wanted if ":" in wanted else None
    gpus = read_gpus()
    if fixed is None and any(gpu.instance and gpu.uuid for gpu in gpus) and _can_still_choose():
        return _choose_instance(wait_minutes, say)
    candidates = _usable(gpus, fixed)
    if not candidates or (wait_minutes is None and len(candidates) == 1):
        return fixed or "cuda"
    chosen = (
        freest(candidates)
        if wait_minutes is None
        else wait_for_idle(lambda: _usable(read_gpus(), fixed) or candidates, wait_minutes, say)
    )
    if len(candidates) > 1:
        others = "; ".join(item.told() for item in candidates if item.device != chosen.device)
        say(f"the freest GPU: {chosen.told()}; {others}")
    return chosen.device


def _can_still_choose() -> bool:
    """An instance is chosen by a variable that CUDA reads when it starts, unless the user has set it."""
    return "CUDA_VISIBLE_DEVICES" not in os.environ and not torch.cuda.is_initialized()


def _choose_instance(wait_minutes: float | None, say: Say) -> str:
    """Makes the freest instance the one device that CUDA shows to this process and its children."""

    def look() -> list[Candidate]:
        return [Candidate(gpu.uuid, gpu) for gpu in read_gpus() if gpu.uuid]

    chosen = freest(look()) if wait_minutes is None else wait_for_idle(look, wait_minutes, say)
    os.environ["CUDA_VISIBLE_DEVICES"] = chosen.gpu.uuid
    say(f"the freest GPU: {chosen.told()}")
    return "cuda"


def _usable(gpus: Sequence[Gpu], fixed: str | None) -> list[Candidate]:
    """States of the devices that torch shows; of one alone where it is named."""
    by_uuid = {_plain(gpu.uuid): gpu for gpu in gpus if gpu.uuid}
    if not by_uuid:
        return []
    found = []
    for number in range(torch.cuda.device_count()):
        device = f"cuda:{number}"
        gpu = by_uuid.get(_plain(str(getattr(torch.cuda.get_device_properties(number), "uuid", ""))))
        if gpu is not None and fixed in (None, device):
            found.append(Candidate(device, gpu))
    return found


def _plain(uuid: str) -> str:
    return uuid.removeprefix("GPU-").lower()
