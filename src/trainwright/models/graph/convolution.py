"""Convolutions over one, two or three axes, as the input has them."""

from __future__ import annotations

from typing import Literal

from torch import nn

from trainwright.errors import ModelError
from trainwright.fields import PositiveInt

Shape = tuple[int, ...]
_Kinds = dict[int, type[nn.Module]]
_CONV: _Kinds = {2: nn.Conv1d, 3: nn.Conv2d, 4: nn.Conv3d}
_TRANSPOSED: _Kinds = {
    2: nn.ConvTranspose1d,
    3: nn.ConvTranspose2d,
    4: nn.ConvTranspose3d,
}


def conv(
    in_shape: Shape,
    *,
    filters: PositiveInt,
    kernel: PositiveInt | list[PositiveInt] = 3,
    stride: PositiveInt | list[PositiveInt] = 1,
    padding: Literal["same", "valid"] | int | list[int] = "same",
    dilation: PositiveInt = 1,
    groups: PositiveInt = 1,
    bias: bool = True,
) -> nn.Module:
    """Convolution of `[B, C, ...]`.

    Args:
        in_shape: Channels and one to three axes.
        filters: Channels of the output.
        kernel: Side of the kernel, or one per axis.
        stride: Step, or one per axis.
        padding: `same` gives `ceil(size / stride)`, `valid` pads nothing; or pixels.
        dilation: Spacing of the kernel's points.
        groups: Groups of channels; the input's channels make it depthwise.
        bias: Whether to add one.
    """
    kind = _by_rank(_CONV, in_shape, "conv")
    axes = len(in_shape) - 1
    kernels, strides = _per_axis(kernel, axes), _per_axis(stride, axes)
    if isinstance(padding, str):
        pads = [_pad(k, s, dilation, padding) for k, s in zip(kernels, strides, strict=True)]
    else:
        pads = _per_axis(padding, axes)
    even = padding == "same" and any((k - 1) * dilation % 2 for k in kernels)
    return kind(
        in_shape[0],
        filters,
        tuple(kernels),
        stride=tuple(strides),
        padding="same" if even else tuple(pads),
        dilation=dilation,
        groups=groups,
        bias=bias,
    )


def conv_transpose(
    in_shape: Shape,
    *,
    filters: PositiveInt,
    kernel: PositiveInt = 4,
    stride: PositiveInt = 2,
    padding: Literal["same", "valid"] = "same",
    bias: bool = True,
) -> nn.Module:
    """Transposed convolution of `[B, C, ...]`, which enlarges by `stride`.

    Args:
        in_shape: Channels and one to three axes.
        filters: Channels of the output.
        kernel: Side of the kernel; best a multiple of `stride`.
        stride: Factor of enlargement.
        padding: `same` gives exactly `size * stride`; `valid` keeps the kernel's margin.
        bias: Whether to add one.
    """
    kind = _by_rank(_TRANSPOSED, in_shape, "conv_transpose")
    extra = kernel - stride if padding == "same" else 0
    if extra < 0:
        raise ModelError(
            f"a kernel of {kernel} leaves gaps at a stride of {stride}",
            fix="give a kernel at least as large as the stride",
        )
    pad = (extra + 1) // 2
    return kind(
        in_shape[0],
        filters,
        kernel,
        stride=stride,
        padding=pad,
        output_padding=2 * pad - extra,
        bias=bias,
    )


def _by_rank(kinds: _Kinds, in_shape: Shape, name: str) -> type[nn.Module]:
    if len(in_shape) not in kinds:
        raise ModelError(
            f"{name} reads channels and one to three axes, not {list(in_shape)}",
            fix="reshape before it, or use dense",
        )
    return kinds[len(in_shape)]


def _per_axis(value: int | list[int], axes: int) -> list[int]:
    if isinstance(value, int):
        return [value] * axes
    if len(value) != axes:
        raise ModelError(f"{value} has {len(value)} numbers for {axes} axes", fix="give one number per axis")
    return list(value)


def _pad(kernel: int, stride: int, dilation: int, padding: str) -> int:
    if padding == "valid":
        return 0
    span = (kernel - 1) * dilation
    if span % 2 and stride > 1:
        raise ModelError(
            f"a kernel of {kernel} at a stride of {stride} cannot be padded alike on both sides",
            fix="use an odd kernel, or give the padding in pixels",
        )
    return span // 2
