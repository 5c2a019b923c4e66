"""Arguments of functions on sequences (n = 1) and images (n = 2), checked and completed."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError, explain
from ..ops.shape import integers
from ..tensor import Tensor
from .arguments import need_tensors

LAYOUTS = {1: "(N, C, L) or (C, L)", 2: "(N, C, H, W) or (C, H, W)"}


def sizes(function: str, name: str, value: Any, n: int, least: int = 0, exact=False) -> tuple:
    """Return `value` as n integers of at least `least`; one integer serves for all dimensions.

    exact: a tuple must have n elements, even where torch takes one element for all.
    """
    given = integers(function, name, value)
    if len(given) == 1 and not (exact and isinstance(value, tuple | list)):
        given = given * n
    if len(given) != n:
        raise ShapeError(explain(function, f"{name} must be one integer or {n} of them",
                                 {name: value}))
    if min(given) < least:
        raise ValueError(explain(function, f"{name} must be at least {least}", {name: value}))
    return given


def need_image(function: str, input: Tensor, n: int, channels: bool = True) -> None:
    """Raise ShapeError unless the input has n dimensions after its channels, and pixels in them.

    Only the batch may be empty, and the channels too unless `channels` must be there.
    """
    need_tensors(function, input=input)
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(explain(function, f"the input must be {LAYOUTS[n]}", {"input": input},
                                 "add or leave out dimensions with unsqueeze or flatten"))
    if 0 in input.shape[-n - 1 if channels else -n :]:
        raise ShapeError(explain(function, "only the batch may be empty", {"input": input}))


def as_batch(input: Tensor, ndim: int) -> Tensor:
    """Put a batch dimension of size 1 in front, where there is none."""
    return input if input.ndim == ndim else input.reshape((1, *input.shape))
