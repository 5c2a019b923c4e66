"""Dropout: set a random part to zero while training, and make up for it by scaling the rest."""

from __future__ import annotations

from .. import xp
from ..errors import ShapeError, explain
from ..ops.dims import need_bool
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_floating, need_probability, need_tensors


@Slot
def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to zero with probability `p`, and divide the others by `1 - p`.

    An element stays where the number drawn for it, uniform in [0, 1), is at least p; one float32
    per element is drawn from `xp.generator()` in row-major order. Without training, or with p = 0,
    nothing is drawn and the input itself is returned. Raises ValueError, TypeError.

    Source: Srivastava et al. 2014.
    """
    return _dropout("dropout", input, p, training, lambda shape: shape)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set whole channels of (N, C, L) or (C, L) to zero, as `dropout` does with elements.

    One number is drawn per channel. Raises ShapeError, ValueError, TypeError.
    """
    need_tensors("dropout1d", input=input)
    if input.ndim not in (2, 3):
        raise ShapeError(explain("dropout1d", "input must be (N, C, L) or (C, L)",
                                 {"input": input}, "use dropout for other shapes"))
    return _dropout("dropout1d", input, p, training, lambda shape: (*shape[:-1], 1))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set whole channels of (N, C, H, W) or (N, C, L) to zero, as `dropout` does with elements.

    One number is drawn per channel. Raises ShapeError, ValueError, TypeError.
    """
    need_tensors("dropout2d", input=input)
    if input.ndim not in (3, 4):
        raise ShapeError(explain("dropout2d", "input must be (N, C, H, W) or (N, C, L)",
                                 {"input": input}, "use dropout for other shapes"))
    return _dropout("dropout2d", input, p, training,
                    lambda shape: shape[:2] + (1,) * (len(shape) - 2))


def _dropout(function: str, input: Tensor, p: float, training: bool, drawn_shape) -> Tensor:
    need_tensors(function, input=input)
    need_bool(function, training=training)
    p = need_probability(function, p)
    if not training or p == 0:
        return input
    need_floating(function, input=input)
    drawn = xp.generator().random(drawn_shape(input.shape), dtype="float32")
    scale = 1 / (1 - p) if p < 1 else 0.0
    return input * Tensor(xp.astype(xp.array(drawn >= p), input.data.dtype) * scale)
