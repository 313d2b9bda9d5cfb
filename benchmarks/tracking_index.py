"""The table of 10,000 runs, and ten of them side by side, from the index, as whole commands.

python -m benchmarks.tracking_index

Makes 10,000 runs of 100 metrics each, ten of them with curves of 10,000 points, indexes them in SQLite and in
PostgreSQL (a server of its own, where one can be started), and times `trainwright runs list` from the start
of the process to its end: filtered and sorted by a metric, the same by a recipe value, and all runs; and
`trainwright runs compare` of the ten runs with long curves, its page included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine
from benchmarks.results import Measurement, Results, now
from benchmarks.training import finish
from trainwright.runs.directory import RunDirectory
from trainwright.runs.index.syncing import bring_up_to_date
from trainwright.runs.record import RunRecord, RunState

METRICS, POINTS, LONG = 100, 10_000, 10
COMMAND = [sys.executable, "-m", "trainwright.cli", "runs"]
COMMANDS = {
    "runs list, filtered and sorted": ["list", "--where", "test/m7>0.9", "--sort=-test/m8"],
    "runs list, by a recipe value": [
        *("list", "--where", "train.optimizer.lr<0.1", "--sort=test/m8"),
        *("--columns", "test/m8,seconds"),
    ],
    "runs list, all": ["list"],
    "runs compare, ten with long curves": ["compare", f"made-{'0' * 9}[0-{LONG - 1}]"],
}


def make_runs(folder: Path, count: int) -> None:
    """Run directories as training leaves them, without weights."""
    draw = random.Random(0)
    for number in range(count):
        run = RunDirectory(folder / f"made-{number:010x}")
        run.evaluation("test").mkdir(parents=True)
        record = RunRecord(name="made", salt=f"{number:010x}", created=1.7e9 + number)
        record.begin()
        record.end(RunState.DONE, "the end")
        record.progress = {"step": POINTS, "epoch": 10, "total_steps": POINTS}
        value = vars(record) | {"attempts": [vars(item) for item in record.attempts]}
        run.record_file.write_text(json.dumps({key: item for key, item in value.items() if key != "extra"}))
        run.recipe.write_text("name: made\n")
        lr = draw.random()
        run.resolved.write_text(f"name: made\ntrain:\n  epochs: 10\n  optimizer: {{name: sgd, lr: {lr}}}\n")
        values = {f"m{place}": draw.random() for place in range(METRICS)}
        (run.evaluation("test") / "metrics.json").write_text(json.dumps(values))
        points = POINTS if number < LONG else 1
        with run.metrics_file.open("w") as file:
            for step in range(points):
                logged = {"train/loss": draw.random(), "val/loss": draw.random()}
                line = {"step": step, "epoch": step // 1000, "attempt": 1, "time": 0.0, "values": logged}
                file.write(json.dumps(line) + "\n")


def measure(results: Results, contestant: str, folder: Path, place: str, rounds: int) -> None:
    """Times the commands in turn; the first look at the folder is told apart."""
    begun = time.perf_counter()
    count = bring_up_to_date(place, folder)
    taken = time.perf_counter() - begun
    print(f"{contestant}: {count} runs read into the index in {taken:.1f} s", flush=True)
    results.measurements.append(Measurement("read into the index", contestant, 1, {"seconds": taken}))
    environment = os.environ | {"TRAINWRIGHT_INDEX": place}
    for number in range(rounds):
        for work, words in COMMANDS.items():
            command = [*COMMAND, *words, "--runs-dir", str(folder)]
            begun = time.perf_counter()
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            taken = time.perf_counter() - begun
            assert not done.stderr, done.stderr
            rows = done.stdout.count("\n") - 1
            results.measurements.append(
                Measurement(work, contestant, number + 1, {"seconds": taken, "rows": rows})
            )


def main() -> None:
    """Makes, indexes and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--postgresql", metavar="URL", help="a server to use; one is started when absent")
    parser.add_argument("--made", metavar="DIR", help="runs that were made before, indexed there too")
    parser.add_argument("--dry", action="store_true", help="store nothing")
    options = parser.parse_args()
    settings = {"runs": str(options.runs), "rounds": str(options.rounds)}
    results = Results("tracking_index", settings, now(), machine.describe(), baseline="SQLite")
    with ExitStack() as closing:
        folder = Path(options.made or closing.enter_context(tempfile.TemporaryDirectory()))
        if options.made is None:
            make_runs(folder, options.runs)
        measure(results, "SQLite", folder, str(folder / ".index.sqlite"), options.rounds)
        url = options.postgresql
        if url is None:
            from tests import postgres_server

            if reason := postgres_server.missing():
                print(f"no PostgreSQL: {reason}")
            else:
                url = closing.enter_context(postgres_server.server())
        if url is not None:
            measure(results, "PostgreSQL", folder, url, options.rounds)
    finish(results, ("seconds",), dry=options.dry)


if __name__ == "__main__":
    main()
