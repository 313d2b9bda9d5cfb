"""Every architecture of timm, with its knobs made explicit."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from trainwright.errors import ModelError, closest
from trainwright.fields import OpenFraction
from trainwright.models.timm_pretrained import pretrained_path


def timm_model(
    architecture: str,
    in_channels: int,
    num_outputs: int,
    image_size: tuple[int, int],
    *,
    pretrained: bool = False,
    drop_rate: OpenFraction = 0.0,
    drop_path_rate: OpenFraction = 0.0,
    options: dict[str, Any] = {},  # noqa: B006 - never changed
) -> nn.Module:
    """A network of timm by its name, such as `mobilenetv2_100` or `resnet50.a1_in1k`.

    Args:
        architecture: timm's name; a tag behind a dot chooses among its published weights.
        in_channels: Channels of the image.
        num_outputs: Width of the output `[B, num_outputs]`; 0 gives the pooled features.
        image_size: Height and width in pixels; architectures of a fixed size are built for it.
        pretrained: Start from the published weights, from timm's cache or the network.
        drop_rate: Dropout before the output layer.
        drop_path_rate: Stochastic depth.
        options: Further arguments of the architecture's own constructor.

    Raises:
        ModelError: Unknown architecture or option, an image size that the architecture cannot read, or
            published weights that cannot be had here.
    """
    # timm imports its 100 model files and torchvision at once, which takes seconds: only here.
    import timm

    default = default_cfg(architecture)
    arguments: dict[str, Any] = {"num_classes": num_outputs, "in_chans": in_channels, **options}
    arguments |= {k: v for k, v in (("drop_rate", drop_rate), ("drop_path_rate", drop_path_rate)) if v}
    if default.get("fixed_input_size"):
        arguments.setdefault("img_size", tuple(image_size))
    if pretrained:
        arguments["pretrained_cfg_overlay"] = {"file": str(pretrained_path(architecture, default))}
    load = pretrained and torch.get_default_device().type != "meta"
    try:
        model: nn.Module = timm.create_model(architecture, pretrained=load, **arguments)
    except TypeError as error:
        raise unknown_option(architecture, error, arguments) from error
    except (AssertionError, ValueError, RuntimeError, ArithmeticError, LookupError) as error:
        raise unsuitable_size(architecture, image_size, default, error) from error
    _refuse_swallowed(architecture, model, options)
    if tuple(default.get("input_size") or ())[1:] != tuple(image_size):  # some were published with a margin
        _refuse_cut_patches(architecture, model, image_size)
    return model


def _refuse_cut_patches(architecture: str, model: nn.Module, image_size: tuple[int, int]) -> None:
    """timm leaves out, without a word, the margin that does not fill a patch."""
    embed = getattr(model, "patch_embed", None)
    patch = getattr(embed, "patch_size", None)
    if not isinstance(patch, tuple) or getattr(embed, "dynamic_img_pad", False):
        return
    if any(size % side for size, side in zip(image_size, patch, strict=False)):
        height, width = image_size
        raise ModelError(
            f"{architecture} cannot read images of {width}x{height} pixels",
            where="model",
            why=f"it cuts them into patches of {patch[1]}x{patch[0]}, which do not fill them",
            fix="make height and width multiples of the patch, or set options.patch_size",
        )


def unsuitable_size(
    architecture: str, image_size: tuple[int, int], default: dict[str, Any], error: Exception
) -> ModelError:
    """The error for images that an architecture cannot read.

    Args:
        architecture: Name of the network.
        image_size: Height and width that it was given.
        default: timm's pretrained configuration of the network.
        error: What went wrong.
    """
    height, width = image_size
    _, published_height, published_width = default.get("input_size") or (3, 224, 224)
    why = error.why or error.what if isinstance(error, ModelError) else _reason(error)
    return ModelError(
        f"{architecture} cannot read images of {width}x{height} pixels",
        where="model",
        why=why,
        fix=f"it was published for {published_width}x{published_height}; change the size of the image "
        "input, or choose another architecture",
    )


def default_cfg(architecture: str) -> dict[str, Any]:
    """timm's pretrained configuration of an architecture. Raises ModelError for an unknown name or tag."""
    from timm.models import get_pretrained_cfg, is_model, list_models

    name = architecture.partition(".")[0]
    if not is_model(name):
        guess = closest(name, list_models())
        raise ModelError(
            f"timm has no architecture {name!r}",
            where="model.name",
            fix=f"did you mean {guess!r}?" if guess else "timm.list_models() lists them",
        )
    try:
        config = get_pretrained_cfg(architecture, allow_unregistered=False)
    except RuntimeError as error:
        if "." in architecture:
            raise _unknown_tag(architecture) from error
        config = None
    return config.to_dict() if config else {}


def _unknown_tag(architecture: str) -> ModelError:
    from timm.models import list_pretrained

    name, _, tag = architecture.partition(".")
    tags = [full.partition(".")[2] for full in list_pretrained(f"{name}.*")]
    return ModelError(
        f"timm has no weights {tag!r} for {name}",
        where="model.name",
        fix=f"choose one of {', '.join(tags)}" if tags else f"write {name} alone: none are published",
    )


def _refuse_swallowed(architecture: str, model: nn.Module, options: dict[str, Any]) -> None:
    """Some constructors take any keyword and ignore it; an option without effect is a mistake."""
    known = _constructor_parameters(type(model))
    for option in options:
        if option not in known:
            raise _option_error(architecture, option, known)


def _constructor_parameters(kind: type) -> list[str]:
    """Parameters of a constructor, and of its parents' as long as it hands keywords on to them."""
    found: list[str] = []
    for base in kind.__mro__:
        if "__init__" not in vars(base) or base in (nn.Module, object):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        found += [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return [name for name in found if name != "self"]


def unknown_option(architecture: str, error: TypeError, arguments: dict[str, Any]) -> ModelError:
    """The error for arguments that an architecture's constructor refuses."""
    message = str(error)
    for name in arguments:
        if f"'{name}'" in message:
            return _option_error(architecture, name, _refusing_constructor(error))
    return ModelError(
        f"{architecture} cannot be built with these options",
        where="model",
        why=message,
        fix="check the options against the constructor of the architecture",
    )


def _refusing_constructor(error: TypeError) -> list[str]:
    """Parameters of the class that timm was about to build, which only its own frame knows."""
    frame = error.__traceback__
    while frame is not None:
        kind = frame.tb_frame.f_locals.get("model_cls")
        if isinstance(kind, type):
            return _constructor_parameters(kind)
        frame = frame.tb_next
    return []


def _option_error(architecture: str, option: str, known: list[str]) -> ModelError:
    knobs = ("drop_rate", "drop_path_rate")
    guess = closest(option, known)
    fix = f"did you mean {guess!r}?" if guess else ""
    if not guess and known:
        fix = f"it takes {', '.join(known)}"
    return ModelError(
        f"{architecture} takes no argument {option!r}",
        where=f"model.{option}" if option in knobs else f"model.options.{option}",
        fix=fix or "leave it out",
    )


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
