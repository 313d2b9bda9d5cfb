"""Prove on a recipe that killing and resuming changes no bit.

`trainwright verify resume RECIPE` trains it undisturbed, then again while killing it at random moments
and resuming it, and compares weights, optimizer state and every logged metric bit by bit.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from trainwright.cli.common import add_device, say
from trainwright.cli.train import refuse_extra

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's own arguments; overrides are taken out before."""
    parser.add_argument("what", metavar="resume", choices=("resume",), help="what to verify: resume")
    parser.add_argument("recipe", metavar="RECIPE", help="YAML file, or name of a shipped recipe")
    parser.add_argument("override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value")
    parser.add_argument("--kills", type=int, default=3, metavar="N", help="how often it is killed [3]")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments [0]")
    add_device(parser)
    parser.add_argument("--keep", metavar="DIR", help="keep both runs there")


def run(arguments: argparse.Namespace) -> int:
    """Prints what was compared; 1 where something differs."""
    refuse_extra(arguments.override_help)
    if arguments.keep:
        return _verify(arguments, Path(arguments.keep))
    with tempfile.TemporaryDirectory(prefix="trainwright-verify-") as folder:
        return _verify(arguments, Path(folder))


def _verify(arguments: argparse.Namespace, folder: Path) -> int:
    from trainwright.workflows.verifying import verify_resume

    found = verify_resume(
        arguments.recipe,
        arguments.overrides,
        folder,
        kills=arguments.kills,
        seed=arguments.seed,
        say=say,
    )
    for title, count in found.compared.items():
        say(f"compared {count} leaves of {title}")
    for difference in found.differences[:_SHOWN]:
        say(f"differs: {difference}")
    if len(found.differences) > _SHOWN:
        say(f"... and {len(found.differences) - _SHOWN} more")
    if found.differences:
        say(f"{len(found.differences)} differences after {len(found.kills)} kills")
        return 1
    say(f"bit-identical after {len(found.kills)} kills")
    return 0
