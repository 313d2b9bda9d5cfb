"""Search over values of a recipe, as its `tune` section says; a study that was begun goes on.

trainwright tune RECIPE --trials 40 --jobs 2   starts the recipe's study, or goes on with it
trainwright tune resume STUDY --time 2h        goes on without the recipe; --failed tries failed ones again
trainwright tune show STUDY                    every trial, and why it failed or waits
trainwright tune best STUDY                    the best trial, or the Pareto front
trainwright tune export STUDY -o best.yaml     its recipe, ready to train
trainwright tune export STUDY --optuna URL     all of it as a study of Optuna's, such as sqlite:///optuna.db
trainwright tune report STUDY                  a page: history, front, what matters, why each point was tried
trainwright tune merge STUDY ... -o NEW        several studies of one recipe as one; NEW is a file or a URL

RECIPE takes overrides, such as train.epochs=3 or tune.search=random. STUDY is a name, a file
(runs/NAME.study) or a URL such as postgresql://host/database. Every trial is an ordinary run. Ctrl-C saves
and stops, a second one stops at once; either way the study goes on where it was.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import TYPE_CHECKING, Any

from trainwright.cli.common import add_device, add_index, add_runs_dir, say, say_json, table, tell
from trainwright.wording import counted

if TYPE_CHECKING:
    from trainwright.tune.trial import Trial
    from trainwright.workflows.studies import OpenStudy

ACTIONS = ("resume", "show", "best", "export", "report", "merge")
_INTERRUPTED = 130
_WORKING = ("RECIPE", "resume")
_BELONG_TO = {  # option -> what it is when nothing is given, and the actions that read it
    "trials": (None, _WORKING),
    "time": (None, _WORKING),
    "jobs": (1, _WORKING),
    "quiet": (False, _WORKING),
    "study": (None, ("RECIPE",)),
    "failed": (False, ("resume",)),
    "trial": (None, ("export",)),
    "optuna": (None, ("export",)),
    "json": (False, ("show", "best")),
    "output": (None, ("export", "report", "merge")),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    parser.add_argument("words", metavar="RECIPE | ACTION STUDY", nargs="+", help="see above")
    add_runs_dir(parser)
    add_index(parser)
    add_device(parser)
    parser.add_argument(
        "--trials", metavar="N", type=int, help="points to try, instead of the recipe's number"
    )
    parser.add_argument("--time", metavar="TIME", help="stop after 30s, 90min, 2h ..., saving what runs then")
    parser.add_argument("--jobs", metavar="K", type=int, default=1, help="trials at a time [1]")
    parser.add_argument("--study", metavar="FILE", help="file or URL of the study [RUNS_DIR/NAME.study]")
    parser.add_argument("--failed", action="store_true", help="with resume: try failed trials again")
    parser.add_argument("--trial", metavar="N", type=int, help="with export: another trial than the best")
    parser.add_argument("--json", action="store_true", help="machine output of show and best")
    parser.add_argument("-o", "--output", metavar="FILE", help="where export, report and merge write to")
    parser.add_argument("--optuna", metavar="URL", help="with export: a storage of Optuna's to write to")
    parser.add_argument("--quiet", action="store_true", help="no line per trial")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the actions."""
    from trainwright.cli.parsing import UsageError
    from trainwright.workflows import studies

    first, *more = arguments.words
    _refuse_numbers(arguments)
    _refuse_others_options(first if first in ACTIONS else "RECIPE", arguments)
    if first not in ACTIONS:
        if more:
            raise _no_override(first, more[0])
        opened = studies.start(
            first,
            arguments.overrides,
            runs_dir=arguments.runs_dir,
            place=arguments.study,
            trials=arguments.trials,
        )
        return _work(opened, arguments)
    if first == "merge" and more and not arguments.overrides:
        return _merge(more, arguments)
    if len(more) != 1 or arguments.overrides:
        raise UsageError(f"`tune {first}` takes one study", fix=f"trainwright tune {first} STUDY")
    limit = arguments.trials if first == "resume" else None
    opened = studies.open_study(more[0], runs_dir=arguments.runs_dir, trials=limit)
    if first == "resume":
        return _work(opened, arguments)
    with closing(opened.store):
        {"show": _show, "best": _best, "export": _export, "report": _report}[first](opened, arguments)
    return 0


def _refuse_others_options(action: str, arguments: argparse.Namespace) -> None:
    """An option that an action does not read would be ignored in silence."""
    from trainwright.cli.parsing import UsageError

    for name, (nothing, actions) in _BELONG_TO.items():
        if getattr(arguments, name) != nothing and action not in actions:
            flag = "-o" if name == "output" else f"--{name}"
            takes = " and ".join(f"`tune {known}`" for known in actions)
            raise UsageError(f"`tune {action}` takes no {flag}", fix=f"leave it out; it belongs to {takes}")


def _no_override(first: str, word: str) -> Exception:
    from trainwright.cli.parsing import UsageError
    from trainwright.errors import closest

    meant = closest(first, ACTIONS)
    if meant is not None:
        return UsageError(f"`tune {first}` is no action", fix=f"did you mean `tune {meant} {word}`?")
    fix = f"overrides look like train.epochs=3; actions are {', '.join(ACTIONS)}"
    return UsageError(f"{word!r} is not an override", fix=fix)


def _refuse_numbers(arguments: argparse.Namespace) -> None:
    from trainwright.cli.parsing import UsageError

    for name in ("jobs", "trials"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value} is less than 1", fix="give a whole number >= 1")


def _work(opened: OpenStudy, arguments: argparse.Namespace) -> int:
    from trainwright.engine.signals import stop_on_signals
    from trainwright.workflows.studies import seconds_of
    from trainwright.workflows.tuning import Tuning

    text = arguments.time or opened.tune.time
    go_on = f"trainwright tune resume {opened.place}"
    with closing(opened.store):
        if arguments.failed:
            again = opened.store.retry_failed()
            say(f"trials tried again: {', '.join(map(str, again)) or 'none has failed'}")
        told = (lambda _line: None) if arguments.quiet else tell
        with stop_on_signals(
            lambda _text: tell("saving the trials that run"), lambda: f"go on: {go_on}"
        ) as stop:
            tuning = Tuning(
                opened,
                runs_dir=arguments.runs_dir,
                jobs=arguments.jobs,
                say=told,
                stop=stop,
                seconds=None if text is None else seconds_of(text),
            )
            result = tuning.run()
        _summary(opened, result.counts)
        say(f"study      {opened.place}")
        if result.finished:
            _no_more(opened, arguments.trials, result.counts)
            for action in ("show", "report", "export"):
                say(f"  trainwright tune {action} {opened.place}")
            return 0
        say(f"{result.reason}; go on with: {go_on}")
        return _INTERRUPTED if result.reason == "interrupted" else 0


def _summary(opened: OpenStudy, counts: dict[str, int]) -> None:
    say("trials     " + (", ".join(f"{count} {state}" for state, count in counts.items()) or "none"))
    failed = counts.get("failed", 0)
    if failed:
        say(f"  trainwright tune resume {opened.place} --failed    tries what failed again")
    _best_rows(opened)


def _no_more(opened: OpenStudy, trials: int | None, counts: dict[str, int]) -> None:
    """Says why no more is tried than was."""
    size = opened.study.size
    if opened.study.is_grid and trials is not None and size is not None and trials > size:
        say(f"the grid has {counted(size, 'point')}, and all of them are tried")
    if paused := counts.get("paused"):
        say(f"{counted(paused, 'paused trial')} would go on only if the rule that paused them chose them")


def _best_rows(opened: OpenStudy) -> None:
    found = opened.best()
    if found:
        say("best" if len(opened.directions) == 1 else "Pareto front")
        say(table(_header(opened), [_row(opened, trial) for trial in found]))
    elif any(trial.state == "done" for trial in opened.store.trials()):
        say(str(opened.why_none_is_best()))


def _header(opened: OpenStudy) -> list[str]:
    return ["trial", *opened.tune.objectives, *opened.tune.space, "run"]


def _row(opened: OpenStudy, trial: Trial) -> list[Any]:
    from trainwright.workflows.studies import told_value

    point = [told_value(trial.point[path]) if path in trial.point else "-" for path in opened.tune.space]
    return [trial.number, *_values(opened, trial), *point, trial.run or "-"]


def _values(opened: OpenStudy, trial: Trial) -> list[Any]:
    """The objectives, with the interval of those that were measured several times."""
    if trial.values is None:
        return [None] * len(opened.directions)
    intervals = trial.details.get("intervals", {})
    return [
        f"{value:.4g} [{intervals[name][0]:.4g}, {intervals[name][1]:.4g}]" if name in intervals else value
        for name, value in zip(opened.tune.objectives, trial.values, strict=True)
    ]


def _json(opened: OpenStudy, trials: list[Trial]) -> None:
    from dataclasses import asdict

    names = list(opened.tune.objectives)
    say_json([{**asdict(t), "values": dict(zip(names, t.values or (), strict=False))} for t in trials])


def _show(opened: OpenStudy, arguments: argparse.Namespace) -> None:
    trials = opened.store.trials()
    if arguments.json:
        _json(opened, trials)
        return
    header = _header(opened)
    rows = [[*(row := _row(opened, t))[:1], str(t.state), *row[1:], _why(t)] for t in trials]
    say(table([header[0], "state", *header[1:], ""], rows))


def _why(trial: Trial) -> str:
    from trainwright.tune.trial import TrialState
    from trainwright.workflows.tuning import is_dead

    gone = trial.state is TrialState.RUNNING and is_dead(trial.owner)
    notes = [
        "run before" if trial.reused else "",
        "whoever worked on it is gone: `tune resume` takes it up" if gone else "",
        trial.reason.split("\n")[0] if trial.state != "done" else "",
    ]
    return ", ".join(note for note in notes if note)


def _best(opened: OpenStudy, arguments: argparse.Namespace) -> None:
    if arguments.json:
        _json(opened, opened.best())
    elif opened.best():
        _best_rows(opened)
    else:
        raise opened.why_none_is_best()


def _export(opened: OpenStudy, arguments: argparse.Namespace) -> None:
    from pathlib import Path

    from trainwright.cli.new_file import write_new
    from trainwright.workflows.studies import exported
    from trainwright.workflows.study_exchange import to_optuna

    if arguments.optuna:
        for line in to_optuna(opened, arguments.optuna):
            say(line)
        return
    text = exported(opened, arguments.trial, arguments.output or "FILE")
    if arguments.output:
        write_new(Path(arguments.output), text)
        if arguments.trial is None and len(front := opened.best()) > 1:
            others = ", ".join(str(trial.number) for trial in front[1:])
            say(f"trial {front[0].number}, one of {len(front)} on the front; by --trial: {others}")
        say(f"trainwright train {arguments.output}")
    else:
        say(text.rstrip())


def _report(opened: OpenStudy, arguments: argparse.Namespace) -> None:
    from pathlib import Path

    from trainwright.workflows.study_report import write_study_report

    place = Path(arguments.runs_dir) / f"{opened.store.name}.study.html"
    say(f"report     {write_study_report(opened, Path(arguments.output or place))}")


def _merge(names: list[str], arguments: argparse.Namespace) -> int:
    from trainwright.cli.parsing import UsageError
    from trainwright.workflows.study_exchange import merge_studies

    if not arguments.output:
        raise UsageError("merge needs a place for the new study", fix="-o NEW.study, or -o URL")
    for line in merge_studies(names, arguments.output, runs_dir=arguments.runs_dir):
        say(line)
    return 0
