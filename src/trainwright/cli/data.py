"""Look at data without training: check them, mend them, count them, show them.

trainwright data check recipe.yaml            everything that is wrong, as a table
trainwright data check photos/ --html x.html  the same for data without a recipe, with pictures
trainwright data check recipe.yaml --json     for programs
trainwright data fix recipe.yaml -o fixed/    leave out and mend what can be, originals untouched
trainwright data show recipe.yaml -o grid.png a picture of samples with their targets drawn
trainwright data stats recipe.yaml            counts, ranges, classes and sizes per column
trainwright data review RUN -o reviewed/      leave out training samples whose labels a run contradicts
trainwright data convert cells/ new/ --to coco  the same pictures and annotations in another format

`check` and `fix` leave with 1 where something still has to be mended, else with 0.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainwright.cli import data_convert
from trainwright.cli.common import add_runs, say, say_json, table
from trainwright.wording import counted, with_count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and their arguments; overrides are taken out before."""
    actions = parser.add_subparsers(
        dest="action", metavar="check|fix|show|stats|review|convert", required=True
    )
    check = actions.add_parser("check", help="everything that is wrong with data", allow_abbrev=False)
    _add_data(check)
    check.add_argument("--json", action="store_true", help="machine output")
    check.add_argument("--html", metavar="FILE", help="also write a page with pictures")
    fix = actions.add_parser(
        "fix", help="write a file of fixes, and a recipe that reads it", allow_abbrev=False
    )
    _add_data(fix)
    fix.add_argument("-o", "--output", metavar="DIR", help="folder for both [NAME.fixed]")
    show = actions.add_parser("show", help="a picture of samples with their targets", allow_abbrev=False)
    _add_data(show)
    show.add_argument("-o", "--output", metavar="FILE", default="samples.png", help="PNG [samples.png]")
    show.add_argument("--split", default="train", help="split that they are from [train]")
    show.add_argument("--count", type=int, default=24, help="number of samples [24]")
    show.add_argument("--tile", type=int, default=200, metavar="PX", help="longer side of a picture [200]")
    show.add_argument("--augmented", action="store_true", help="as a training varies them")
    stats = actions.add_parser("stats", help="counts, ranges, classes and sizes", allow_abbrev=False)
    _add_data(stats)
    stats.add_argument("--json", action="store_true", help="machine output")
    review = actions.add_parser("review", help="leave out what a run contradicts", allow_abbrev=False)
    add_runs(review, many=False)
    review.add_argument("-o", "--output", metavar="DIR", default="reviewed", help="folder [reviewed]")
    review.add_argument("--limit", metavar="N", type=int, help="at most so many samples [all suspects]")
    data_convert.add_action(actions)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="RECIPE|PATH", help="recipe, or folder or file without one")
    parser.add_argument("override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the actions."""
    if arguments.action == "convert":
        return data_convert.run(arguments)
    if arguments.action == "review":
        return _review(arguments)
    from trainwright.cli.train import refuse_extra

    refuse_extra(arguments.override_help)
    return {"check": _check, "fix": _fix, "show": _show, "stats": _stats}[arguments.action](arguments)


def _check(arguments: argparse.Namespace) -> int:
    from trainwright.workflows.gate import check_data, write_page

    checked = check_data(arguments.data, arguments.overrides)
    if arguments.html:
        write_page(Path(arguments.html), checked.data, checked.findings, checked.name)
    if arguments.json:
        say_json(checked.findings.as_json())
    else:
        _say_findings(checked)
        if arguments.html:
            say(f"page       {arguments.html}")
    return 0 if checked.in_order else 1


def _fix(arguments: argparse.Namespace) -> int:
    from trainwright.workflows.data_fixing import fix_data

    output = Path(arguments.output or f"{Path(arguments.data).resolve().name.split('.')[0]}.fixed")
    fixed = fix_data(arguments.data, arguments.overrides, output)
    if fixed.fixes is None:
        say("nothing that can be mended by leaving out, clipping or passing over")
    else:
        for action, count in fixed.counts.items():
            say(f"{action.replace('_', ' '):14} {count:,}")
        say(f"fixes          {fixed.fixes}")
        say(f"recipe         {fixed.recipe}")
        say("the data themselves are as they were")
    say()
    _say_findings(fixed.checked)
    return 0 if fixed.checked.in_order else 1


def _show(arguments: argparse.Namespace) -> int:
    from trainwright.workflows.showing import show_data

    count = show_data(
        arguments.data,
        Path(arguments.output),
        arguments.overrides,
        split=arguments.split,
        count=arguments.count,
        augmented=arguments.augmented,
        tile=arguments.tile,
    )
    say(f"{counted(count, 'sample')} of {arguments.split} in {arguments.output}")
    return 0


def _review(arguments: argparse.Namespace) -> int:
    from trainwright.runs.listing import find_run
    from trainwright.workflows.reviewing import review

    found = review(
        find_run(arguments.run, arguments.runs_dir).path, Path(arguments.output), limit=arguments.limit
    )
    say(f"looked at  {found.found.looked_at:,} training samples of the largest loss over the epochs")
    say(f"suspected  {len(found.found.suspects):,}, whose label the best weights contradict")
    if found.fixes is None:
        return 0
    cells = [
        [item.sample, item.true, item.predicted, f"{item.probability:.2f}", f"{item.loss:.3g}"]
        for item in found.found.suspects[: min(found.left_out, 20)]
    ]
    say()
    say(table(["sample", "label", "said", "probability", "mean loss"], cells))
    say()
    say(f"fixes      {found.fixes}")
    say(f"           leaves out {found.left_out:,}; delete the lines of those whose label is right")
    say(f"recipe     {found.recipe}")
    return 0


def _stats(arguments: argparse.Namespace) -> int:
    from trainwright.workflows.data_stats import data_stats

    found = data_stats(arguments.data, arguments.overrides)
    if arguments.json:
        say_json(found)
        return 0
    sizes = ", ".join(f"{name} {count:,}" for name, count in found["sizes"].items())
    say(f"samples    {sizes}; {found['dropped']:,} left out")
    for name, about in found["columns"].items():
        say()
        missing = f"{about['count']:,} values, {about['missing']:,} missing"
        say(f"{name}: {about['role']}, {about['type']}, {missing}")
        _say_statistics({key: value for key, value in about.items() if isinstance(value, dict)})
        for key, value in about.items():
            if key not in ("role", "type", "count", "missing") and not isinstance(value, dict):
                say(f"  {key}: {value}")
    return 0


def _say_statistics(about: dict[str, dict[str, Any]]) -> None:
    """Distributions of equal form in one table, counts by name in another."""
    distributions = {key: value for key, value in about.items() if "mean" in value}
    for key, value in about.items():
        if value and all(isinstance(item, dict) for item in value.values()):
            header = list(next(iter(value.values())))
            say(table([key, *header], [[name, *map(item.get, header)] for name, item in value.items()]))
        elif key not in distributions and value:
            say(table([key, "count"], value.items()))
    if distributions:
        header = list(next(iter(distributions.values())))
        say(table(["of", *header], [[name, *map(item.get, header)] for name, item in distributions.items()]))


def _say_findings(checked: Any) -> None:
    findings = checked.findings
    sizes = ", ".join(f"{name} {count:,}" for name, count in findings.checked.items())
    say(f"checked    {sizes or 'nothing'}")
    for note in findings.notes:
        say(f"note       {note}")
    if findings.found:
        say()
        cells = [
            [item["severity"], item["count"], item["check"], item["what"], "yes" if item["fixable"] else "-"]
            for item in findings.found
        ]
        say(table(["severity", "count", "check", "what", "data fix"], cells))
    for item in findings.found:
        say()
        say(f"{item['severity']}: {with_count(item['count'], item['what'])}")
        for key in ("why", "fix"):
            if item[key]:
                say(f"  {key}: {item[key]}")
        for example in item["examples"][:5]:
            say(f"  {example['sample']}" + (f": {example['detail']}" if example["detail"] else ""))
        if item["count"] > 5 and len(item["examples"]) >= 5:
            say(f"  ... {item['count'] - 5:,} more")
    if not findings.found:
        say("nothing to say against them")
