"""A pipeline at work: made once, made again where something changed, stopped and taken up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

from trainwright.runs.listing import all_runs, row
from trainwright.workflows.pipeline.content import file_digests
from trainwright.workflows.pipeline.planning import StageState


def states(bench):
    return {status.stage: status.state for status in bench.plan().statuses()}


def test_made_once_then_kept_and_made_again_where_it_has_to_be(chain):
    result = chain.work(jobs=2)
    assert result.finished and sorted(result.made) == ["apart", "first", "last", "second"]
    assert (chain.output("last") / "d.txt").read_text() == "s++++"
    record = row(chain.plan().directory("last").run)  # tracked as a run is
    assert record.state == "done" and record.metrics["stage/seconds"] > 0

    again = chain.work()
    assert again.finished and again.made == [] and len(again.kept) == 4

    (chain.folder / "start.txt").write_text("t")
    changed = chain.work()
    assert changed.kept == ["apart"] and changed.made == ["first", "second", "last"]
    assert any(
        "first: starts: not the same as first-" in line and "content of" in line for line in chain.lines
    )

    (chain.output("second") / "b.txt").write_text("damaged")
    mended = chain.work()
    assert mended.made == ["second"]  # it came out the same, so that `last` still stands
    assert any("b.txt of its output has changed" in line for line in chain.lines)


def test_a_failure_stops_what_waits_for_it_and_nothing_else(chain):
    text = chain.file.read_text()
    chain.file.write_text(text.replace("outputs: [b.txt]", "outputs: [b.txt, missing.txt]"))
    result = chain.work(jobs=2)
    assert not result.finished and "missing.txt" in result.failed["second"]
    assert result.blocked == {"last": "second"} and sorted(result.made) == ["apart", "first"]
    found = states(chain)
    assert found["second"] is StageState.FAILED and found["last"] is StageState.BLOCKED
    chain.file.write_text(text)
    assert chain.work().made == ["second", "last"]


def test_only_and_force(chain):
    assert chain.work(only=["second"]).made == ["first", "second"]
    assert states(chain)["last"] is StageState.WAITING
    assert chain.work().made == ["apart", "last"]
    forced = chain.work(force=["first"])
    assert forced.made == ["first"] and forced.finished  # the same output: what builds on it stands


def test_a_stage_of_the_user_and_its_error(bench):
    (bench.folder / "own_stage.py").write_text(
        "def count(stage, *, limit: int = 3) -> None:\n"
        "    if limit > 5:\n        raise ValueError('too many')\n"
        "    (stage.folder / 'n.txt').write_text(str(limit))\n    stage.log({'limit': limit})\n"
    )
    bench.write("stages: {a: {name: 'own_stage:count', limit: 4}}\n")
    assert bench.work().made == ["a"]
    assert (bench.output("a") / "n.txt").read_text() == "4"
    assert bench.plan().status("a").metrics["limit"] == 4
    bench.write("stages: {a: {name: 'own_stage:count', limit: 6}}\n")
    assert "ValueError: too many" in bench.work().failed["a"]


def test_two_starts_make_a_stage_once(chain):
    (chain.folder / "write.py").write_text(
        "import pathlib, sys, time\nopen('count', 'a').write('x'); time.sleep(0.5)\n"
        "pathlib.Path(sys.argv[1]).write_text('+')\n"
    )
    command = [sys.executable, "-m", "trainwright.cli", "pipeline", "pipe.yaml", "--quiet"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert (chain.folder / "count").read_text() == "xxxx"


DIGITS = """\
stages:
  check: {name: check_data, recipe: digits, errors: report}
  data: {name: command, argv: [python, samples.py, "{output}/x.npz"], outputs: [x.npz]}
  train:
    name: train
    recipe: digits
    overrides:
      train.epochs: 4
      train.threads: 1
      train.precision: fp32
      train.memory_format: contiguous
      train.checkpoint.every_steps: 5
      report.enabled: false
    needs: check
  score: {name: evaluate, run: "${stages.train}"}
  answers: {name: predict, run: "${stages.train}", inputs: ["${stages.data}/x.npz"]}
"""
SAMPLES = """\
import sys
import numpy as np
values = np.random.default_rng(0).integers(0, 255, (12, 8, 8, 1)).astype(np.uint8)
np.savez(sys.argv[1], image=values)
"""


def start(folder):
    """The pipeline in a process group of its own, to be killed as a whole."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainwright.cli", "pipeline", "pipe.yaml", "--pipelines-dir", "made"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_all(process):
    """SIGKILL to a coordinator and to every process that it started."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    )
    process.kill()
    for pid in children.stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()
    process.stderr.close()


def outputs(bench):
    """Digests of everything deterministic that the stages made; of the run its weights and what made it."""
    plan = bench.plan()
    found = {}
    for name in ("data", "train", "score", "answers"):
        manifest, fault = plan.made(name)
        assert manifest is not None, fault
        found[name] = manifest.digest
    return found


def test_kills_change_no_output(bench, tmp_path_factory):
    (bench.folder / "samples.py").write_text(SAMPLES)
    bench.write(DIGITS)
    assert bench.work().finished
    undisturbed = outputs(bench)

    folder = tmp_path_factory.mktemp("killed")
    other = type(bench)(folder)
    for name in ("samples.py", "pipe.yaml"):
        (folder / name).write_text((bench.folder / name).read_text())
    os.chdir(folder)
    kills = 0
    # Each life is longer than the one before, so that the kills come at all moments and it ends.
    for life in (0.4, 1.1, 2.0, 3.1, 4.3, 5.6, 7.0, 9.0):
        process = start(folder)
        try:
            process.wait(life)
            process.stderr.close()
            break
        except subprocess.TimeoutExpired:
            kill_all(process)
            kills += 1
    assert kills >= 3
    assert other.work().finished
    assert outputs(other) == undisturbed
    left = [path.name for path in (folder / "made" / "pipe").rglob("unfinished-*")]
    assert left == []


def stopped_at(process, words):
    """Sends Ctrl-C when a line has these words; all that was said. The training is too long to end before."""
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            process.send_signal(signal.SIGINT)
            break
    said += process.stderr.readlines()
    assert process.wait() == 130, said
    process.stderr.close()
    return "".join(said)


def test_ctrl_c_saves_and_a_second_start_goes_on(bench):
    (bench.folder / "samples.py").write_text(SAMPLES)
    bench.write(DIGITS.replace("train.epochs: 4", "train.epochs: 400"))
    said = stopped_at(start(bench.folder), "epoch 2")
    assert "go on with: trainwright pipeline pipe.yaml" in said
    assert states(bench)["train"] is StageState.INTERRUPTED
    [run] = all_runs(bench.folder / "runs")
    assert run.state() == "interrupted"
    assert file_digests(bench.output("data"))
    said = stopped_at(start(bench.folder), "resuming at step")
    assert re.search(r"data +done before", said)
    assert [item.id for item in all_runs(bench.folder / "runs")] == [run.id]
