"""The steps that count, and the line that a contestant prints."""

import json

from benchmarks.contestant import Clock, process_start, steady_steps


def test_warm_up_and_first_steps_of_epochs_are_left_out():
    first = [(float(second), 8) for second in range(30)]
    second = [(100.0 + 2 * number, 8) for number in range(60)]
    # The warm-up is 20 of 90 steps: intervals of one second end at steps 20 to 29, of two at 31 to 89.
    assert steady_steps([first, second]) == [(1.0, 8)] * 10 + [(2.0, 8)] * 59


def test_a_short_run_has_a_short_warm_up():
    times = [(float(second), 4) for second in range(8)]
    assert steady_steps([times]) == [(1.0, 4)] * 6  # a quarter of 8 steps: intervals ending at steps 2 to 7


def test_throughput_counts_the_images_of_a_partial_batch(capsys, monkeypatch):
    ticks = iter([10.0, 11.0, 12.0, 14.0])
    clock = Clock()
    clock.epoch()
    monkeypatch.setattr("benchmarks.contestant.time.perf_counter", lambda: next(ticks))
    for images in (32, 32, 32, 16):
        clock.step(images)
    clock.report(0.5)
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    # Intervals: 1 s with 32 images, 1 s with 32, 2 s with 16.
    assert line["images_per_s"] == 80 / 4
    assert line["us_per_step"] == 1e6
    assert line["final_metric"] == 0.5


def test_the_runner_s_start_is_believed(monkeypatch):
    monkeypatch.setenv("BENCHMARK_STARTED", "123.5")
    assert process_start() == 123.5
