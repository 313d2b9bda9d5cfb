"""Look at data without training: check them, mend them, count them, show them.

trainwright data check recipe.yaml            everything that is wrong, as a table
trainwright data check photos/ --html x.html  the same for data without a recipe, with pictures
trainwright data check recipe.yaml --json     for programs
trainwright data fix recipe.yaml -o fixed/    leave out and mend what can be, originals untouched

`check` and `fix` leave with 1 where something still has to be mended, else with 0.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainwright.cli.common import say, say_json, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and their arguments; overrides are taken out before."""
    actions = parser.add_subparsers(dest="action", metavar="check|fix", required=True)
    check = actions.add_parser("check", help="everything that is wrong with data", allow_abbrev=False)
    _add_data(check)
    check.add_argument("--json", action="store_true", help="machine output")
    check.add_argument("--html", metavar="FILE", help="also write a page with pictures")
    fix = actions.add_parser(
        "fix", help="write a file of fixes, and a recipe that reads it", allow_abbrev=False
    )
    _add_data(fix)
    fix.add_argument("-o", "--output", metavar="DIR", help="folder for both [NAME.fixed]")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="RECIPE|PATH", help="recipe, or folder or file without one")
    parser.add_argument("override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value")


def run(arguments: argparse.Namespace) -> int:
    """Runs one of the actions."""
    from trainwright.cli.train import refuse_extra

    refuse_extra(arguments.override_help)
    return {"check": _check, "fix": _fix}[arguments.action](arguments)


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
        say(f"{item['severity']}: {item['count']:,} {item['what']}")
        for key in ("why", "fix"):
            if item[key]:
                say(f"  {key}: {item[key]}")
        for example in item["examples"][:5]:
            say(f"  {example['sample']}" + (f": {example['detail']}" if example["detail"] else ""))
        if item["count"] > 5 and len(item["examples"]) >= 5:
            say(f"  ... {item['count'] - 5:,} more")
    if not findings.found:
        say("nothing to say against them")
