"""SIGKILL at random moments: what was logged more than a second before is kept, and the index catches up.

TRAINWRIGHT_KILLS=20 kills more often.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.syncing import bring_up_to_date, open_index
from trainwright.runs.record import RunState

KILLS = int(os.environ.get("TRAINWRIGHT_KILLS", "3"))
WORK = """
import sys, time
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.feeding import feeding
from trainwright.runs.spool import Spool
run = RunDirectory(sys.argv[1])
with run.acquire(), feeding(run):
    record = run.record()
    step = int(sys.argv[2])
    attempt = record.begin(from_step=step)
    run.save(record)
    spool = Spool(run.metrics_file, attempt=attempt.number)
    while True:
        step += 1
        spool.log(step, 0, {f"m{key}": step + key / 10 for key in range(10)})
        print(step, time.time(), flush=True)
        time.sleep(0.002)
"""


def killed_after(run: RunDirectory, step: int, seconds: float) -> list[tuple[int, float]]:
    """Lets a process work and kills it; steps that it had logged over a second before."""
    words = [sys.executable, "-c", WORK, str(run.path), str(step)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()  # it is at work now
        time.sleep(seconds)
        moment = time.time()
        process.send_signal(signal.SIGKILL)
        lines = [first, *process.stdout.read().splitlines()]
    told = [line.split() for line in lines if len(line.split()) == 2]
    return [(int(number), float(logged)) for number, logged in told if float(logged) < moment - 1.0]


def test_nothing_older_than_a_second_is_lost_and_the_index_equals_the_spool(
    place: str, make_run: Callable[..., RunDirectory], salt: str
) -> None:
    run = make_run(salt=salt, state=RunState.RUNNING, accuracy=None)
    draw = random.Random(0)
    step = 20
    for number in range(KILLS):
        old = killed_after(run, step, 1.2 + draw.random() * 1.5)
        series = run.metrics()
        kept = dict(series["m3"])
        assert old and all(kept.get(number) == number + 0.3 for number, _ in old)
        bring_up_to_date(place, run.path.parent)
        index = open_index(place, run.path.parent)
        assert index.series(index.numbers([run.id])[run.id]) == series
        index.close()
        step = max(kept) - draw.randrange(0, 100)  # some steps are done again, as after a resume
        assert len(run.record().attempts) == number + 2
