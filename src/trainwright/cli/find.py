"""Find values of a recipe by measuring, before it is trained; no run is made.

trainwright find lr RECIPE                 the learning rate: a short training at rising rates
trainwright find lr RECIPE --to 1 train.optimizer=sgd
trainwright find batch RECIPE              the batch size: the fastest, and the largest that fits

RECIPE takes overrides, as in `train`. The answer is an override; the curve is drawn on a page. Without an
answer it leaves with 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trainwright.cli.common import add_device, add_runs_dir, say, say_json, table

if TYPE_CHECKING:
    from trainwright.progress import ProgressSink
    from trainwright.workflows.finding_batch import BatchFound
    from trainwright.workflows.finding_rate import RateFound

Found = TypeVar("Found", "BatchFound", "RateFound")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions and their arguments; overrides are taken out before."""
    actions = parser.add_subparsers(dest="action", metavar="lr|batch", required=True)
    rate = _add_action(actions, "lr", "the learning rate")
    rate.add_argument("--from", metavar="RATE", dest="low", type=float, default=1e-7, help="lowest [1e-7]")
    rate.add_argument("--to", metavar="RATE", dest="high", type=float, default=10.0, help="highest [10]")
    rate.add_argument("--count", metavar="N", type=int, default=100, help="steps of the test [100]")
    batch = _add_action(actions, "batch", "the batch size")
    batch.add_argument("--from", metavar="N", dest="low", type=int, default=2, help="smallest [2]")
    batch.add_argument(
        "--to", metavar="N", dest="high", type=int, help="largest [a third of the training samples]"
    )


def _add_action(actions: Any, name: str, what: str) -> argparse.ArgumentParser:
    action: argparse.ArgumentParser = actions.add_parser(name, help=what, allow_abbrev=False)
    action.add_argument("recipe", metavar="RECIPE", help="YAML file, or name of a shipped recipe")
    action.add_argument(
        "override_help", metavar="KEY=VALUE", nargs="*", help="override of a recipe value; --KEY VALUE too"
    )
    add_runs_dir(action)
    add_device(action)
    action.add_argument("-o", "--output", metavar="FILE", help=f"the page [NAME.{name}.html where runs live]")
    action.add_argument("--json", action="store_true", help="machine output, with all that was measured")
    action.add_argument("--quiet", action="store_true", help="no progress")
    return action


def run(arguments: argparse.Namespace) -> int:
    """Measures, writes the page and says what was found."""
    from trainwright.cli.train import refuse_extra
    from trainwright.progress import ConsoleProgress, NoProgress

    refuse_extra(arguments.override_help)
    progress: ProgressSink = NoProgress() if arguments.quiet else ConsoleProgress()
    try:
        return {"lr": _find_rate, "batch": _find_batch}[arguments.action](arguments, progress)
    finally:
        progress.close()


def _tell(
    arguments: argparse.Namespace,
    found: Found,
    in_words: Callable[[Found], None],
    write_page: Callable[[Found, Path], None],
) -> None:
    """Says what was found, in words or as JSON, and writes its page."""
    if arguments.json:
        say_json(found.as_json())
    else:
        in_words(found)
    page = Path(arguments.output or Path(arguments.runs_dir) / f"{found.name}.{arguments.action}.html")
    write_page(found, page)
    if not arguments.json:
        say(f"page       {page}")


def _find_rate(arguments: argparse.Namespace, progress: ProgressSink) -> int:
    from trainwright.workflows.finding_rate import find_rate, write_rate_page

    found = find_rate(
        arguments.recipe,
        arguments.overrides,
        low=arguments.low,
        high=arguments.high,
        steps=arguments.count,
        progress=progress,
    )
    progress.close()
    _tell(arguments, found, _say_rate, write_rate_page)
    return 0 if found.override else 1


def _say_rate(found: RateFound) -> None:
    curve = found.curve
    for note in found.notes:
        say(f"note       {note}")
    last = f"{curve.rates[-1]:.2g}"
    say(f"looked at  rates up to {last}, where {'the loss had risen' if found.risen else 'the test ended'}")
    if curve.steepest is None:
        say(f"none       no rate is suggested: {curve.unknown}")
        for fix in _remedies(found):
            say(f"  fix: {fix}")
        return
    say(f"steepest   {curve.steepest:.2g}: the loss falls fastest there")
    if curve.bound is None:
        say("bound      not seen: the loss was still falling at the end; a higher --to shows it")
    else:
        say(f"bound      {curve.bound:.2g}: the loss is lowest there, and rises above")
    say(f"recipe     {found.present:g}")
    say(f"suggested  {found.override}")


def _remedies(found: RateFound) -> list[str]:
    more = "--count 300 averages over more batches, and so does a larger train.batch_size"
    if found.risen:
        return ["a lower --from begins where nothing explodes", more]
    return ["a higher --to", more, "or the model cannot learn this: look at its inputs and what is frozen"]


def _find_batch(arguments: argparse.Namespace, progress: ProgressSink) -> int:
    from trainwright.workflows.finding_batch import find_batch, write_batch_page

    found = find_batch(
        arguments.recipe, arguments.overrides, low=arguments.low, high=arguments.high, progress=progress
    )
    progress.close()
    _tell(arguments, found, _say_batch, write_batch_page)
    return 0


def _say_batch(found: BatchFound) -> None:
    from trainwright.workflows.finding_batch import HEADER, largest_told, rows_of

    say(table(HEADER, rows_of(found)))
    say()
    for note in found.notes:
        say(f"note       {note}")
    say(f"memory     {found.free}")
    say(f"largest    {largest_told(found)}")
    say(f"recipe     {found.present}")
    say(f"suggested  {found.override}")
