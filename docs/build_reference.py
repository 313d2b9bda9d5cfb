"""Writes `docs/reference.md` from the components' own signatures and docstrings.

python docs/build_reference.py
"""

from __future__ import annotations

from pathlib import Path

from trainwright import registry
from trainwright.recipe.explaining import parameter_lines, without_arguments
from trainwright.registry.info import ComponentInfo

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Components

What a recipe can name, by kind, as `trainwright explain KIND.NAME` tells it. Written by
`docs/build_reference.py` from the code.
"""
KINDS = ("source", "processor", "augment", "sampler", "model", "encoder", "aggregator", "loss", "metric")
KINDS += (
    "backbone",
    "neck",
    "head",
    "optimizer",
    "schedule",
    "task",
    "search",
    "stopper",
    "callback",
    "sink",
    "stage",
)


def reference() -> str:
    """The whole page."""
    parts = [HEAD, "\n".join(f"- [{kind}](#{kind})" for kind in KINDS)]
    for kind in KINDS:
        parts.append(f"## {kind}")
        parts += [_component(registry.describe(kind, name)) for name in registry.names(kind)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _component(info: ComponentInfo) -> str:
    lines = [f"### {info.kind}.{info.name}", "", *without_arguments(info.doc)]
    if info.parameters:
        lines.append("")
    for item in info.parameters:
        first, *more = parameter_lines(item, info, item.name)
        name, _, rest = first.partition(": ")
        said = " ".join(line.strip() for line in more)
        lines.append(f"- `{name}`: {rest}" + (f". {said}" if said else ""))
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(reference())
