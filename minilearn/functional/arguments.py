"""Checks that several functions share: each raises a sentence that says what to repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops.dims import need_bool, need_tensors
from ..tensor import Tensor


def need_scalars(function: str, **arguments: Any) -> None:
    """Raise TypeError unless every argument is one number: Python's, NumPy's or a tensor's."""
    for name, value in arguments.items():
        if not isinstance(value, int | float) and getattr(value, "shape", None) != ():
            raise TypeError(explain(function, f"{name} must be a number", {name: value}))


def need_floating(function: str, **arguments: Any) -> None:
    """Raise TypeError unless every argument is a Tensor of floating-point numbers."""
    need_tensors(function, **arguments)
    for name, tensor in arguments.items():
        if not xp.is_floating(tensor.data):
            raise TypeError(explain(function, f"{name} must hold floating-point numbers", arguments,
                                    f"convert it with {name}.float()"))


def need_same_shape(function: str, **tensors: Any) -> None:
    """Raise ShapeError unless all shapes are equal: nothing is broadcast by accident."""
    need_tensors(function, **tensors)
    first = next(iter(tensors.values()))
    if any(t.data.shape != first.data.shape for t in tensors.values()):
        raise ShapeError(explain(function, "the shapes must be equal", tensors,
                                 "reshape or expand one to the shape of the other"))


def need_broadcast(function: str, shape: tuple[int, ...], **tensors: Any) -> None:
    """Raise ShapeError unless each tensor broadcasts to `shape`, and not beyond it."""
    need_tensors(function, **tensors)
    for name, tensor in tensors.items():
        sizes = zip(reversed(tensor.shape), reversed(shape), strict=False)
        if tensor.ndim > len(shape) or any(a not in (1, b) for a, b in sizes):
            raise ShapeError(explain(function, f"{name} does not broadcast to {shape}", tensors))


def need_parameters(function: str, input: Tensor, shape: Sequence[int], **parameters: Any) -> None:
    """Raise unless each parameter that is given has `shape` and the dtype of the input."""
    given = {name: p for name, p in parameters.items() if p is not None}
    need_tensors(function, **given)
    for name, p in given.items():
        if tuple(p.data.shape) != tuple(shape):
            raise ShapeError(explain(function, f"{name} must have shape {tuple(shape)}",
                                     {"input": input} | given))
        if p.data.dtype != input.data.dtype:
            raise TypeError(explain(function, f"{name} must have the dtype of the input",
                                    {"input": input} | given, f"convert it with {name}.to(...)"))


def need_probability(function: str, p: Any) -> float:
    """Return p as a number of Python's; ValueError unless it is between 0 and 1."""
    if not 0 <= p <= 1:
        raise ValueError(f"{function}: p is a probability, between 0 and 1; got p={p!r}")
    return float(p)


def need_corners(function: str, align_corners: Any) -> None:
    """Raise TypeError unless align_corners is True, False or None, which is False."""
    if align_corners is not None:
        need_bool(function, align_corners=align_corners)


def need_choice(function: str, name: str, value: Any, choices: Sequence[str]) -> None:
    """Raise ValueError unless the value is one of the choices."""
    if value not in choices:
        raise ValueError(f"{function}: {name} must be one of {', '.join(map(repr, choices))}; "
                         f"got {name}={value!r}")
