"""Linear and bilinear maps of the last dimension."""

from __future__ import annotations

import math

from ..errors import ShapeError, explain
from ..ops.matmul import matmul, one_dtype
from ..ops.shape import reshape, t, unsqueeze
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_tensors


@Slot
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return `input @ weight.T + bias`: every output is a weighted sum of the inputs.

    input (..., in), weight (out, in), bias (out,) -> (..., out); a weight (in,) gives (...).
    Raises ShapeError if they do not fit, TypeError for mixed dtypes.
    """
    given = {"input": input, "weight": weight} | ({} if bias is None else {"bias": bias})
    need_tensors("linear", **given)
    if not input.ndim or weight.ndim not in (1, 2) or input.shape[-1] != weight.shape[-1]:
        raise ShapeError(explain("linear", "the last size of input and weight must agree", given))
    one_dtype("linear", **given)
    # One product of two matrices is faster than a product for each leading index.
    rows = input if input.ndim < 3 else reshape(input, shape=(_leading(input), input.shape[-1]))
    y = matmul(rows, t(weight))
    y = y if input.ndim < 3 else reshape(y, shape=(*input.shape[:-1], *weight.shape[:-1]))
    return y if bias is None else _biased(y, bias, given)


def _biased(y, bias, given):
    """Add a bias that may stretch, but not stretch the result."""
    full = (1,) * (bias.ndim - y.ndim) + y.shape
    sizes = zip(bias.shape[::-1], full[::-1], strict=False)
    one_output = given["weight"].ndim == 1  # torch has no bias for it, if the input is a matrix
    most = max(y.ndim, 2) if not one_output else -1 if y.ndim == 1 else 0
    if bias.ndim > most or any(m not in (1, n) for m, n in sizes):
        raise ShapeError(explain("linear", "the bias needs one number for each output", given))
    return reshape(y + bias, shape=y.shape)


def bilinear(
    input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Return `input1 @ weight[o] @ input2 + bias[o]` for each output o.

    input1 (..., in1), input2 (..., in2), weight (out, in1, in2), bias (out,) -> (..., out).
    Raises ShapeError if they do not fit, TypeError for mixed dtypes.
    """
    given = {"input1": input1, "input2": input2, "weight": weight}
    given |= {} if bias is None else {"bias": bias}
    if not input1.ndim or input1.shape[:-1] != input2.shape[:-1] or weight.ndim != 3 \
            or (input1.shape[-1], input2.shape[-1]) != weight.shape[1:] or input2.ndim == 0:
        raise ShapeError(explain("bilinear", "sizes do not fit", given))
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(explain("bilinear", "the bias needs one number for each output", given))
    one_dtype("bilinear", **given)
    (out, in1, in2), rows = weight.shape, _leading(input1)
    left = reshape(weight.permute((1, 0, 2)), shape=(in1, out * in2))
    each = reshape(matmul(reshape(input1, shape=(rows, in1)), left), shape=(rows, out, in2))
    y = matmul(each, unsqueeze(reshape(input2, shape=(rows, in2)), 2))
    y = reshape(y, shape=(*input1.shape[:-1], out))
    return y if bias is None else y + bias


def _leading(x: Tensor) -> int:
    """How many rows there are: the product of all sizes but the last."""
    return math.prod(x.shape[:-1])
