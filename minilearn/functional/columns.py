"""The windows of an image as the columns of a matrix, and back."""

from __future__ import annotations

import math
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops.conv import output_size as places_of
from ..ops.pool import Window, window_stack, window_unstack
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_floating
from .spatial import as_batch, need_image, sizes


@Slot
def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Write every window of an image as a column ("im2col").

    input (N, C, H, W) or (C, H, W) -> (N, C * KH * KW, places) or (C * KH * KW, places), place by
    place along the rows of the image. A convolution is this, times the weight as a matrix. Raises
    ShapeError, TypeError or ValueError where the arguments do not fit together.

    >>> unfold(Tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    need_image("unfold", input, 2)
    if input.data.dtype != xp.bool:
        need_floating("unfold", input=input)
    windows = _windows("unfold", input.shape[-2:], kernel_size, dilation, padding, stride)
    x = as_batch(input, 4)
    for window in windows:
        x = window_stack(x, window=window)  # rows first: then the columns are next to last
    n, c, *places, kh, kw = x.shape
    columns = x.permute((0, 1, 4, 5, 2, 3)).reshape((n, c * kh * kw, math.prod(places)))
    return columns if input.ndim == 4 else columns.reshape(columns.shape[1:])


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Add columns up to an image, each in the window it belongs to ("col2im"): transposed `unfold`.

    input (N, C * KH * KW, places) or (C * KH * KW, places) -> (N, C, *output_size) or
    (C, *output_size). Raises ShapeError, TypeError or ValueError where they do not fit together.
    """
    need_image("fold", input, 1)
    need_floating("fold", input=input)
    size = _pair("fold", "output_size", output_size)
    windows = _windows("fold", size, kernel_size, dilation, padding, stride)
    places, kernel = [w.places for w in windows], [w.kernel for w in windows]
    x = as_batch(input, 3)
    if x.shape[1] % math.prod(kernel) or x.shape[2] != math.prod(places):
        raise ShapeError(explain("fold", f"{places[0]} x {places[1]} windows give as many columns, "
                                 f"with a multiple of {math.prod(kernel)} rows",
                                 {"input": input, "output_size": size, "kernel_size": kernel}))
    channels = x.shape[1] // math.prod(kernel)
    x = x.reshape((x.shape[0], channels, *kernel, *places)).permute((0, 1, 4, 5, 2, 3))
    for window in reversed(windows):
        x = window_unstack(x, window=window)
    return x if input.ndim == 3 else x.reshape(x.shape[1:])


def _windows(function, size, kernel_size, dilation, padding, stride):
    """Return the windows down and across the image, both on the next to last dimension."""
    kernel = _pair(function, "kernel_size", kernel_size)
    stride = _pair(function, "stride", stride)
    padding = _pair(function, "padding", padding, least=0)
    dilation = _pair(function, "dilation", dilation)
    places = places_of(function, size, kernel, stride, padding, dilation)
    return [Window(-2, *along) for along in
            zip(size, places, kernel, stride, padding, dilation, strict=True)]


def _pair(function, name, value, least=1):
    """Read one integer or a list of two; as in torch, a Tensor is neither here."""
    if isinstance(value, Tensor):
        raise TypeError(explain(function, f"{name} must be integers", {name: value}))
    return sizes(function, name, value, 2, least=least, exact=True)
