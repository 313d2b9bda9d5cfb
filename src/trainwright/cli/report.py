"""Write the report of runs anew, from what they have stored."""

from __future__ import annotations

import argparse

from trainwright.cli.common import add_runs, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_runs(parser, many=True)


def run(arguments: argparse.Namespace) -> int:
    """Prints the path of each report."""
    from trainwright.runs.listing import chosen_runs
    from trainwright.workflows.reporting import write_report

    for directory in chosen_runs(arguments.runs, arguments.runs_dir):
        say(str(write_report(directory.path)))
    return 0
