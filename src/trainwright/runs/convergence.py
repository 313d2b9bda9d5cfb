"""How soon a run converged: epochs, steps and seconds until its best weights."""

from __future__ import annotations

from trainwright.runs.directory import RunDirectory
from trainwright.runs.ledger import read_ledger
from trainwright.runs.record import RunRecord

KIND = "run"
"""What stands where a metric has its split."""

STEPS, EPOCHS, SECONDS = (f"{KIND}/{unit}_to_best" for unit in ("steps", "epochs", "seconds"))


def convergence(run: RunDirectory, record: RunRecord) -> dict[str, float]:
    """`run/epochs_to_best`, `run/steps_to_best` and `run/seconds_to_best`, as far as they are known.

    Epochs and seconds are those of the epoch in which the best weights were scored; a run that kept no time
    of its epochs has steps alone, one without a best nothing.
    """
    step = (record.best or {}).get("step")
    if not isinstance(step, int | float):
        return {}
    found: dict[str, float] = {STEPS: step}
    epoch = next((line for line in read_ledger(run, record) if line.step >= step), None)
    if epoch is not None:
        found |= {EPOCHS: epoch.epoch, SECONDS: epoch.elapsed}
    return found
