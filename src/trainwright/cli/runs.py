"""Runs: list them, show one with its metrics, compare two, see where one comes from.

trainwright runs                        all runs of ./runs
trainwright runs list 'digits-*' mnist  some of them
trainwright runs list --where 'test/accuracy>0.9' --sort=-test/accuracy --columns seconds,train.optimizer.lr
trainwright runs diff RUN RUN           recipe values and metrics that differ
trainwright runs compare RUN RUN...     curves, recipes and metrics side by side, with paired tests and a page
trainwright runs lineage RUN            runs that it goes on from, and that go on from it
trainwright runs combine RUN RUN...     the mean of their weights, if it is as good as the best
trainwright runs merge RUN              one run of the chain that leads to it, with joined curves
trainwright runs tag RUN --add best     tags, also --where tags=best; `runs note RUN TEXT` writes a note
trainwright runs archive 'old-*'        packs runs, out of the lists; `list --archived`, `restore`
trainwright runs purge RUN              deletes a run for good
trainwright runs index                  reads into the index what it lacks; --rebuild makes it anew
trainwright runs sync RUN               give its sinks (MLflow ...) what they lack
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from trainwright.cli import runs_archive, runs_compare, runs_labels, runs_list
from trainwright.cli.common import add_index, add_runs_dir, say, say_json, table
from trainwright.cli.parsing import UsageError
from trainwright.cli.run_words import age, duration, main_metrics, progress

if TYPE_CHECKING:
    from trainwright.runs.directory import RunDirectory
    from trainwright.runs.record import RunRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list` (also when nothing is said), `show`, `diff`, `lineage`, `merge`, `combine` and `sync`."""
    add_runs_dir(parser)
    add_index(parser)
    parser.add_argument("--json", action="store_true", help="machine output")
    actions = parser.add_subparsers(
        dest="action",
        prog=parser.prog,  # argparse would find it out by laying out a usage, which loads four modules
        metavar="list|show|diff|compare|lineage|merge|combine|sync|index|tag|note|archive|restore|purge",
    )
    listing = actions.add_parser("list", help="one row per run", allow_abbrev=False)
    runs_list.add_arguments(listing)
    show = actions.add_parser("show", help="one run in full", allow_abbrev=False)
    show.add_argument("run", metavar="RUN")
    diff = actions.add_parser("diff", help="what differs between two runs", allow_abbrev=False)
    diff.add_argument("left", metavar="RUN")
    diff.add_argument("right", metavar="RUN")
    comparing = runs_compare.add_arguments(actions)
    family = actions.add_parser("lineage", help="ancestors and descendants of a run", allow_abbrev=False)
    family.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    merging = actions.add_parser("merge", help="one run of a chain of continued ones", allow_abbrev=False)
    merging.add_argument("run", metavar="RUN", help="the last run of the chain")
    syncing = actions.add_parser("sync", help="give its sinks what they lack", allow_abbrev=False)
    syncing.add_argument("run", metavar="RUN", help="path, id, name or salt")
    combining = actions.add_parser("combine", help="average the weights of several runs", allow_abbrev=False)
    combining.add_argument("patterns", metavar="RUN", nargs="+", help="path, id, name, salt or glob")
    combining.add_argument(
        "--how",
        choices=("greedy", "uniform", "interpolate"),
        default="greedy",
        help="take what does no harm, all equally, or the best point between two [greedy]",
    )
    labelling = [*runs_labels.add_arguments(actions), *runs_archive.add_arguments(actions)]
    indexing = actions.add_parser("index", help="bring the index of runs up to date", allow_abbrev=False)
    indexing.add_argument("--rebuild", action="store_true", help="make it anew from the run directories")
    for action in (listing, show, diff, comparing, family, merging, combining, syncing, indexing, *labelling):
        # The same options behind the action; SUPPRESS keeps what was said before it.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="machine output")
        action.add_argument("--runs-dir", metavar="DIR", default=argparse.SUPPRESS, help="where runs live")
        add_index(action, default=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the actions."""
    if arguments.action == "show":
        _show(arguments)
    elif arguments.action == "diff":
        _diff(arguments)
    elif arguments.action == "compare":
        runs_compare.compare(arguments)
    elif arguments.action == "lineage":
        _lineage(arguments)
    elif arguments.action == "merge":
        _merge(arguments)
    elif arguments.action == "combine":
        _combine(arguments)
    elif arguments.action in ("tag", "note"):
        runs_labels.label(arguments)
    elif arguments.action == "archive":
        runs_archive.archive_runs(arguments)
    elif arguments.action == "restore":
        runs_archive.restore_runs(arguments)
    elif arguments.action == "purge":
        runs_archive.purge_runs(arguments)
    elif arguments.action == "index":
        _index(arguments)
    elif arguments.action == "sync":
        _sync(arguments)
    else:
        runs_list.list_runs(arguments)
    return 0


def _index(arguments: argparse.Namespace) -> None:
    from trainwright.runs.index.place import index_place
    from trainwright.runs.index.syncing import bring_up_to_date, rebuild

    place = index_place(arguments.runs_dir)
    if place is None:
        raise UsageError("there is to be no index", fix="leave out --index none, or TRAINWRIGHT_INDEX=none")
    work = rebuild if arguments.rebuild else bring_up_to_date
    count = work(place, arguments.runs_dir, runs_list.show_reading)
    if arguments.json:
        say_json({"index": place, "runs": count})
    else:
        say(f"{count} runs in {place}")


def _show(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from trainwright.runs.ledger import in_words, read_ledger, shares
    from trainwright.runs.listing import find_run, row

    directory = find_run(arguments.run, arguments.runs_dir)
    item, record = row(directory), directory.record()
    if arguments.json:
        say_json({**asdict(record), **item.as_json()})
        return
    git = (
        f"{record.git['commit'][:10]}{' with changes' if record.git.get('dirty') else ''}"
        if record.git
        else "-"
    )
    attempts = ", ".join(f"{a.number}: {a.state} (from step {a.from_step})" for a in record.attempts)
    facts = {
        "run": item.id,
        "path": item.path,
        "state": f"{item.state}  {item.reason}".rstrip(),
        "step": progress(item),
        "started": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(item.created)),
        "time": duration(item.seconds),
        "attempts": attempts,
        "epochs": in_words(shares(read_ledger(directory, record))),
        "advice": _advice(directory, record),
        "best": ", ".join(f"{key} {value}" for key, value in record.best.items()),
        "pinned": ", ".join(f"{key} {value}" for key, value in record.pinned.items()),
        "git": git,
        "packages": ", ".join(f"{key} {value}" for key, value in record.packages.items()),
        "command": " ".join(record.command),
        "report": str(directory.report) if directory.report.exists() else "",
    }
    for key, value in facts.items():
        if value:
            say(f"{key:10} {value}")
    if item.metrics:
        say()
        say(table(["metric", "value"], sorted(item.metrics.items())))


def _advice(directory: RunDirectory, record: RunRecord) -> str:
    from trainwright.runs.difference import resolved_values
    from trainwright.runs.ledger import advice, read_ledger, shares

    on_device = record.pinned.get("device", "cpu") != "cpu"
    return advice(shares(read_ledger(directory, record)), resolved_values(directory), on_device=on_device)


def _diff(arguments: argparse.Namespace) -> None:
    from dataclasses import asdict

    from trainwright.runs.difference import difference
    from trainwright.runs.listing import find_run

    left = find_run(arguments.left, arguments.runs_dir)
    right = find_run(arguments.right, arguments.runs_dir)
    found = difference(left, right)
    if arguments.json:
        say_json(asdict(found))
        return
    sections = {"recipe": found.recipe, "metric": found.metrics, "package": found.packages}
    for title, changed in sections.items():
        if changed:
            say(table([title, left.id, right.id], [[c.key, c.left, c.right] for c in changed]))
            say()
    if not found.recipe:
        say("the recipes have equal values")


def _lineage(arguments: argparse.Namespace) -> None:
    from trainwright.runs.lineage import Branch, lineage
    from trainwright.runs.listing import find_runs, rows

    families: dict[str, Branch] = {}
    for asked in find_runs(arguments.patterns, arguments.runs_dir):
        if str(asked.path.resolve()) not in families:
            for branch in lineage(asked, arguments.runs_dir):
                families.setdefault(str(branch.run.path.resolve()), branch)
    branches = list(families.values())
    found = rows([branch.run for branch in branches])
    if arguments.json:
        say_json(
            [
                {**item.as_json(), "depth": branch.depth, "origin": branch.origin and branch.origin.as_json()}
                for branch, item in zip(branches, found, strict=True)
            ]
        )
        return
    cells = []
    for branch, item in zip(branches, found, strict=True):
        origin = branch.origin
        told = "" if origin is None else ", ".join(map(str, origin.changes))
        step = "" if origin is None else f"{origin.step}{' (best)' if origin.checkpoint == 'best' else ''}"
        name = f"{'  ' * branch.depth}{item.id}"
        cells.append([name, item.state, step, progress(item), age(item.created), main_metrics(item), told])
    say(table(["run", "state", "from step", "step", "age", "metrics", "changed"], cells))


def _merge(arguments: argparse.Namespace) -> None:
    from trainwright.runs.listing import find_run
    from trainwright.runs.merging import merge
    from trainwright.workflows.reporting import write_report

    merged, there = merge(find_run(arguments.run, arguments.runs_dir), arguments.runs_dir)
    if not there:
        write_report(merged.path)
    record = merged.record()
    if arguments.json:
        say_json({"run": str(merged.path), "merged": record.merged})
        return
    say(table(["run", "from step"], [[item["run"], item["from_step"]] for item in record.merged]))
    say(f"run         {merged.path}{' (was there already)' if there else ''}")
    if merged.report.exists():
        say(f"report      {merged.report}")


def _combine(arguments: argparse.Namespace) -> None:
    from trainwright.runs.listing import chosen_runs
    from trainwright.workflows.combining import combine

    runs = chosen_runs(arguments.patterns, arguments.runs_dir)
    found = combine(runs, how=arguments.how, runs_dir=arguments.runs_dir)
    if arguments.json:
        say_json(
            {
                "run": str(found.run.path),
                "metric": found.metric,
                "score": found.score,
                "scores": found.scores,
                "shares": found.shares,
            }
        )
        return
    cells = [[name, found.shares.get(name), score] for name, score in found.scores.items()]
    say(table(["run", "share", found.metric], [*cells, ["their mean", None, found.score]]))
    say(f"run         {found.run.path}")
    say(f"report      {found.run.report}")


def _sync(arguments: argparse.Namespace) -> None:
    from trainwright.runs.listing import find_run
    from trainwright.workflows.feeding import sync

    told = sync(find_run(arguments.run, arguments.runs_dir))
    if arguments.json:
        say_json({"sinks": told})
        return
    for line in told:
        say(line)
