"""The verbs and their one-line helps. Kept apart from their code so that `--help` imports none of it."""

from __future__ import annotations

from keyword import iskeyword

VERBS: dict[str, str] = {
    "train": "train a recipe, or go on with its interrupted run",
    "check": "check a recipe, its data and its model without training",
    "find": "find the learning rate or the batch size of a recipe by measuring",
    "data": "check data for faults, mend what is read of them, count and show them",
    "resume": "go on with a run",
    "continue": "train on from a run with other values or other data",
    "evaluate": "score a run on one of its splits or on other data",
    "predict": "apply a run to files or table rows",
    "tune": "search over values of a recipe, in trials that are ordinary runs",
    "pipeline": "make what a file of stages describes: data, trainings, reports, each once",
    "report": "write a run's report anew",
    "runs": "list runs, show one, compare two",
    "recipes": "list, show or copy the recipes that ship",
    "recipe": "compare two recipes, or print the JSON Schema for editors",
    "explain": "what a recipe key or a component means, with its defaults",
    "init": "look at a folder or table and write a recipe for it",
    "doctor": "machine, devices, versions, and what is missing",
    "verify": "prove on a recipe that killing and resuming changes no bit",
}


def module_of(verb: str) -> str:
    """Name of the module of a verb; one that is a word of Python's has an underscore behind it."""
    return f"trainwright.cli.{verb}_" if iskeyword(verb) else f"trainwright.cli.{verb}"


EXAMPLES = """\
first steps:
  trainwright train digits                      train a shipped recipe
  trainwright init DATA                         write a recipe for a folder or a table
  trainwright train recipe.yaml train.epochs=3  change any value of a recipe
  trainwright predict RUN photo.jpg             use what was trained

`trainwright VERB --help` explains one verb.
"""
