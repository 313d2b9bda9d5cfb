"""Any nested state as plain JSON plus one dictionary of contiguous tensors, and back.

safetensors stores neither strides nor shared storage, so both are kept beside it: each tensor is
laid out in the order of its own strides, and a tensor that is the same memory in the same shape as an
earlier one is written as an alias of it. Nothing here can run code on loading.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

Node = dict[str, Any]


def flatten(tree: Any) -> tuple[Node, dict[str, Tensor]]:
    """Splits a tree of dicts, lists, tuples, scalars, None and tensors.

    Returns:
        The structure as JSON-ready data, and contiguous CPU copies of its tensors by number.

    Raises:
        TypeError: A leaf is of another type; its path is named.
    """
    tensors: dict[str, Tensor] = {}
    seen: dict[Any, str] = {}

    def visit(value: Any, path: str) -> Node:
        if isinstance(value, Tensor):
            return _put(value.detach(), tensors, seen)
        if isinstance(value, dict):
            return {"dict": [[_key(k, path), visit(v, f"{path}.{k}")] for k, v in value.items()]}
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return {kind: [visit(v, f"{path}.{i}") for i, v in enumerate(value)]}
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": repr(value)}
        if value is None or isinstance(value, bool | int | float | str):
            return {"value": value}
        raise TypeError(f"state{path} is a {type(value).__name__}, which cannot be saved as data")

    return visit(tree, ""), tensors


def _key(key: Any, path: str) -> Any:
    if isinstance(key, str | int):
        return key
    raise TypeError(f"state{path} has a key of type {type(key).__name__}")


def _put(tensor: Tensor, tensors: dict[str, Tensor], seen: dict[Any, str]) -> Node:
    shape, stride = list(tensor.shape), list(tensor.stride())
    order = _memory_order(shape, stride)
    permuted = order is not None and stride != _contiguous(shape)
    node: Node = {"shape": shape, "stride": stride} if permuted else {}
    identity = (tensor.device, tensor.data_ptr(), tuple(shape), tuple(stride), tensor.dtype)
    if tensor.numel() and identity in seen:
        return {"tensor": seen[identity], **node}
    name = str(len(tensors))
    seen[identity] = name
    # A clone, always: training goes on while a checkpoint is being written.
    laid_out = tensor.permute(order).contiguous() if permuted else tensor.contiguous()
    shares = laid_out.device.type == "cpu" and laid_out.data_ptr() == tensor.data_ptr()
    tensors[name] = laid_out.clone() if shares else laid_out.cpu()
    return {"tensor": name, **node}


def _memory_order(shape: list[int], stride: list[int]) -> list[int] | None:
    """The axes from the slowest to the fastest; None where elements overlap or leave gaps."""
    order = sorted(range(len(shape)), key=lambda axis: (-stride[axis], shape[axis] == 1, axis))
    expected = 1
    for axis in reversed(order):
        if shape[axis] != 1 and stride[axis] != expected:
            return None
        expected *= shape[axis]
    return order


def _contiguous(shape: list[int]) -> list[int]:
    """Strides of a tensor of this shape in plain row order."""
    stride, expected = [], 1
    for size in reversed(shape):
        stride.append(expected)
        expected *= max(size, 1)
    return stride[::-1]


def unflatten(node: Node, tensors: dict[str, Tensor]) -> Any:
    """The tree that `flatten` split, with strides and shared tensors as they were."""
    restored: dict[str, Tensor] = {}

    def tensor(item: Node) -> Tensor:
        name = item["tensor"]
        if name not in restored:
            value = tensors[name]
            # The stride of an axis of size 1 counts as well: by it a kernel chooses its memory format.
            laid_out = "stride" in item
            restored[name] = value.as_strided(item["shape"], item["stride"]) if laid_out else value
        return restored[name]

    def visit(item: Node) -> Any:
        if "tensor" in item:
            return tensor(item)
        if "dict" in item:
            return {key: visit(value) for key, value in item["dict"]}
        if "list" in item:
            return [visit(value) for value in item["list"]]
        if "tuple" in item:
            return tuple(visit(value) for value in item["tuple"])
        return float(item["float"]) if "float" in item else item["value"]

    return visit(node)
