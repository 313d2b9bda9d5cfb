"""Values of a recipe that contradict each other, or that another value makes dead.

A component declares its own dead values beside its signature; here are those of the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trainwright import registry
from trainwright.recipe.schema import Column, Recipe
from trainwright.registry.problems import Path, Problem
from trainwright.registry.tables import AUGMENTED

_LARGEST_SAMPLE = 2**30  # bytes
_CHANNELS = {"gray": 1, "rgba": 4}
_FRAMES = 16  # of a video, where the recipe names no number
_ANSWERS = ("category", "categories", "number", "distribution")
Rule = Callable[[Recipe], Iterator[Problem]]


def check_rules(recipe: Recipe) -> list[Problem]:
    """Everything in a valid recipe that cannot be meant."""
    return [problem for rule in RULES for problem in rule(recipe)]


DEAD_WHEN: dict[str, str] = {
    "data.split.seed": "data.split.val and data.split.test are 0, so nothing is split",
    "data.split.stratify": "data.split.val and data.split.test are 0, so nothing is split",
    "data.on_bad.limit": "data.on_bad.policy is not skip: the first bad sample ends the run",
    "data.on_bad.wait": "a sample is read once: data.on_bad.attempts is 1",
    "data.targets.*.class_weights": "the target's type is number, which has no classes",
    "model.pretrained": "init.path replaces every weight",
    "train.early_stop.mode": "train.early_stop.monitor is absent: the task knows its own metric",
    "train.checkpoint.mode": "train.checkpoint.monitor is absent: the task knows its own metric",
    "train.health.every": "diverging, exploding and vanishing are ignored, so nothing is read",
    "train.health.lr_factor": "no rule of train.health rolls back",
    "train.health.rollbacks": "no rule of train.health rolls back",
    "train.wait_minutes": "train.device is no GPU of NVIDIA's, and only those are waited for",
}
"""Key path -> when its value has no effect; such a value is refused, unless it is the default."""


def dead(key: str, path: Path = (), fix: str = "") -> Problem:
    """A value that has no effect. `path` is its place where the key has a wildcard."""
    name = key.rpartition(".")[2]
    place = path or tuple(key.split("."))
    return Problem(place, f"`{name}` has no effect", why=DEAD_WHEN[key], fix=fix or f"remove `{name}`")


def split_adds_up(recipe: Recipe) -> Iterator[Problem]:
    """Shares of the rows are at most all of them, and something is left to train on."""
    split, path = recipe.data.split, ("data", "split")
    if split is None:
        return
    held_out = split.val + split.test
    total = held_out + (split.train or 0.0)
    # Decimal fractions such as 0.7 + 0.2 + 0.1 may exceed 1 by a rounding error.
    if total > 1 + 1e-9:
        yield Problem(
            path, f"the fractions sum to {total:g}, which is more than all rows", fix="lower val or test"
        )
    elif split.train == 0 or (split.train is None and held_out > 1 - 1e-9):
        yield Problem(path, "no rows are left to train on", fix="lower val or test")
    elif held_out == 0 and split.train in (None, 1.0):
        if split.seed:
            yield dead("data.split.seed")
        if not split.stratify:
            yield dead("data.split.stratify")


def bad_samples(recipe: Recipe) -> Iterator[Problem]:
    """A limit counts what is skipped, and only a second read waits."""
    on_bad = recipe.data.on_bad
    if on_bad.policy != "skip" and on_bad.limit != type(on_bad)().limit:
        yield dead("data.on_bad.limit", fix="set policy: skip, or remove `limit`")
    if on_bad.policy == "retry" and on_bad.reads == 1:
        what = "policy `retry` with one attempt tries nothing again"
        yield Problem(("data", "on_bad", "attempts"), what, fix="raise attempts, or set policy: stop")
    elif on_bad.reads == 1 and on_bad.wait != type(on_bad)().wait:
        yield dead("data.on_bad.wait", fix="set policy: retry, or attempts: 4, or remove `wait`")


def one_way_to_clip(recipe: Recipe) -> Iterator[Problem]:
    """Norm or value."""
    if recipe.train.clip.norm is not None and recipe.train.clip.value is not None:
        yield Problem(("train", "clip"), "clip by norm or by value, not both", fix="remove one of them")


def mode_needs_monitor(recipe: Recipe) -> Iterator[Problem]:
    """A direction belongs to a metric; the task knows that of its own."""
    sections = (("early_stop", recipe.train.early_stop), ("checkpoint", recipe.train.checkpoint))
    for name, section in sections:
        if section is not None and section.mode is not None and section.monitor is None:
            yield dead(f"train.{name}.mode", fix="name a `monitor`, or remove `mode`")


def health_is_read(recipe: Recipe) -> Iterator[Problem]:
    """How often something is read matters where a rule asks for it."""
    health = recipe.train.health
    if health.every != type(health)().every and not health.reads:
        yield dead("train.health.every")
    for name in ("lr_factor", "rollbacks") if not health.rolls_back else ():
        if getattr(health, name) != getattr(type(health)(), name):
            yield dead(f"train.health.{name}", fix="let a rule roll_back, or remove it")


def monitored_split_exists(recipe: Recipe) -> Iterator[Problem]:
    """A metric on validation data needs validation data."""
    split, train = recipe.data.split, recipe.train
    for name, section in (("early_stop", train.early_stop), ("checkpoint", train.checkpoint)):
        monitor = (section.monitor if section else None) or ""
        where, _, metric = monitor.partition("/")
        path = ("train", name, "monitor")
        if where == "test":
            what, why = f"{monitor} is not computed during the training", "the test split is for the very end"
            yield Problem(path, what, why=why, fix=f"watch val/{metric}")
        elif split is not None and where == "val" and split.val == 0:
            yield Problem(path, f"there is no val split to compute {monitor} on", fix="raise data.split.val")


def micro_batch_fits(recipe: Recipe) -> Iterator[Problem]:
    """A micro-batch is a part of a batch."""
    micro, batch = recipe.train.micro_batch, recipe.train.batch_size
    if isinstance(micro, int) and micro > batch:
        what = f"micro_batch {micro} is larger than batch_size {batch}"
        fix = f"give at most {batch}, or raise train.batch_size"
        yield Problem(("train", "micro_batch"), what, why="a micro-batch is a part of the batch", fix=fix)


def only_gpus_are_waited_for(recipe: Recipe) -> Iterator[Problem]:
    """Others' work on a processor is no reason to wait."""
    train = recipe.train
    if train.wait_minutes is not None and train.device.split(":")[0] in ("cpu", "mps", "xla"):
        yield dead("train.wait_minutes")


def pretrained_and_init(recipe: Recipe) -> Iterator[Problem]:
    """Weights of a file replace the pretrained ones."""
    init = recipe.init
    if init is not None and init.strict and not init.exclude and recipe.model.get("pretrained") is True:
        yield dead("model.pretrained", fix="set pretrained: false, or remove `init`")


def weights_need_classes(recipe: Recipe) -> Iterator[Problem]:
    """Numbers have no classes to weigh."""
    for name, target in recipe.data.targets.items():
        if target.class_weights != "none" and target.type in ("number", "distribution"):
            path = ("data", "targets", name, "class_weights")
            yield dead("data.targets.*.class_weights", path)


def targets_have_weight(recipe: Recipe) -> Iterator[Problem]:
    """Something must be learned."""
    targets = recipe.data.targets
    if targets and not any(target.weight for target in targets.values()):
        path = ("data", "targets", next(iter(targets)), "weight")
        what = "the weight of every target is 0, so nothing is learned"
        yield Problem(path, what, fix="give at least one target a weight above 0")


def losses_and_metrics_suit(recipe: Recipe) -> Iterator[Problem]:
    """Each says beside its code which types of column it is for."""
    for name, target in recipe.data.targets.items():
        place = ("data", "targets", name)
        if target.loss is not None:
            yield from _suits("loss", target.loss["name"], target.type, (*place, "loss"))
        for metric in target.metrics or ():
            yield from _suits("metric", metric["name"], target.type, (*place, "metrics"))


def _suits(kind: str, name: str, column_type: str, path: Path) -> Iterator[Problem]:
    suited = registry.describe(kind, name).targets
    if not suited or column_type in suited:
        return
    fitting = [item for item in registry.names(kind) if column_type in registry.describe(kind, item).targets]
    fix = (
        f"for {column_type}: {', '.join(fitting)}"
        if fitting
        else f"no {kind} that ships is for {column_type}"
    ) + f"; or give the column type: {suited[0]}, if that is what it is"
    yield Problem(
        path, f"{kind} `{name}` is for {' and '.join(suited)}, the column is {column_type}", fix=fix
    )


def augmentation_acts(recipe: Recipe) -> Iterator[Problem]:
    """An augmentation that ships changes images, or the types that its table says."""
    present = {column.type for column in recipe.data.inputs.values()}
    known = {"image", "number", "category", "categories", "text", "series", "audio", "video"}
    if present - known:  # a type of the user's own may hold anything
        return
    for index, item in enumerate(recipe.data.augment):
        wanted = AUGMENTED.get(item["name"], ("image",))
        if item["name"] in registry.names("augment") and not present & set(wanted):
            what = f"`{item['name']}` has nothing to act on"
            article = "an" if wanted[0][0] in "aeiou" else "a"
            why = f"no input is {article} {' or '.join(wanted)}"
            yield Problem(("data", "augment", index), what, why=why, fix="remove it")


def columns_are_named_once(recipe: Recipe) -> Iterator[Problem]:
    """Decoded columns are kept by name."""
    for name in recipe.data.targets:
        if name in recipe.data.inputs:
            fix = (
                "remove it from data.inputs; where the input reads another column, give the target another "
                f"name and `column: {name}`"
            )
            what = f"`{name}` is an input and a target"
            why = "what is to be predicted would be given to the model"
            yield Problem(("data", "targets", name), what, why=why, fix=fix)


def nothing_is_told_twice(recipe: Recipe) -> Iterator[Problem]:
    """The same callback or sink, with the same values, listed again."""
    for name in ("callbacks", "sinks"):
        listed = getattr(recipe.train, name)
        for place, item in enumerate(listed):
            if item in listed[:place]:
                what = f"{item['name']} is listed twice with the same values"
                yield Problem(("train", name, place), what, fix="remove one of them")


def answers_are_no_inputs(recipe: Recipe) -> Iterator[Problem]:
    """A model that is given the class or number to predict learns to copy it.

    A picture, series or text may well be its own target: that is how an autoencoder learns.
    """
    read = {part: name for name, column in recipe.data.inputs.items() for part in _columns(name, column)}
    for name, target in recipe.data.targets.items():
        given = [part for part in _columns(name, target) if part in read]
        if given and name not in recipe.data.inputs and target.type in _ANSWERS:
            what = f"the input `{read[given[0]]}` reads column `{given[0]}`, which target `{name}` predicts"
            why = "what is to be predicted would be given to the model"
            fix = f"remove column `{given[0]}` from the input"
            yield Problem(("data", "inputs", read[given[0]]), what, why=why, fix=fix)


def _columns(name: str, column: Column) -> list[str]:
    """Columns of the source that a column of the recipe reads."""
    joined = (column.model_extra or {}).get("columns")
    return list(joined) if joined else [column.column or name]


def samples_have_a_sensible_size(recipe: Recipe) -> Iterator[Problem]:
    """Pixels of one stored sample, a byte per channel, stay within what a machine can hold many of."""
    for group, columns in (("inputs", recipe.data.inputs), ("targets", recipe.data.targets)):
        for name, column in columns.items():
            options = column.model_extra or {}
            size = options.get("size")
            if column.type not in ("image", "video") or size is None:
                continue
            height, width = size if isinstance(size, list) and len(size) == 2 else (size, size)
            if not isinstance(height, int) or not isinstance(width, int):
                continue  # the processor says what is wrong with it
            frames = options.get("frames", _FRAMES) if column.type == "video" else 1
            stored = height * width * frames * _CHANNELS.get(options.get("mode", "rgb"), 3)
            if stored > _LARGEST_SAMPLE:
                what = f"a sample of this size takes {stored / 2**30:.1f} GiB"
                why = f"at most {_LARGEST_SAMPLE / 2**30:g} GiB are stored of one sample"
                yield Problem(("data", group, name, "size"), what, why=why, fix="give a smaller size")


RULES: tuple[Rule, ...] = (
    samples_have_a_sensible_size,
    split_adds_up,
    bad_samples,
    columns_are_named_once,
    nothing_is_told_twice,
    answers_are_no_inputs,
    targets_have_weight,
    losses_and_metrics_suit,
    augmentation_acts,
    weights_need_classes,
    pretrained_and_init,
    micro_batch_fits,
    only_gpus_are_waited_for,
    one_way_to_clip,
    mode_needs_monitor,
    health_is_read,
    monitored_split_exists,
)
