"""Pooling: one number for each window, the largest or the mean, in one and two dimensions.

A window moves along one dimension after the other (`ops/pool.py`); here arguments are checked, and
means know what to divide by. `adaptive_pool.py` has windows that adapt to the input.
"""

from __future__ import annotations

from typing import Any

from .. import xp
from ..arrays import constant
from ..errors import ShapeError, explain
from ..ops.dims import integer, need_bool
from ..ops.elementwise import div
from ..ops.pool import Window, chosen, window_max, window_sum
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_floating
from .spatial import need_image, sizes


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element of each window of the sequences (N, C, L) or (C, L).

    The arguments, what is returned and what is raised are those of `max_pool2d`.

    >>> max_pool1d(Tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    need_image("max_pool1d", input, 1)
    if not return_indices:  # only then torch takes integers
        need_floating("max_pool1d", input=input)
    _refuse_bool("max_pool1d", input)
    windows = _windows("max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode)
    return largest(input, positions_of(input, 1), windows, return_indices)


@Slot
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element of each window of the images (N, C, H, W) or (C, H, W).

    stride: the kernel's size unless given. padding: at most half of the kernel, never chosen.
    ceil_mode: the last window may reach over the end. A NaN is larger than all; of equals the first
    gets the gradient. With return_indices also the position of each maximum in its image (or
    sequence) seen as one line. Raises ShapeError, TypeError or ValueError.
    """
    need_image("max_pool2d", input, 2)
    _refuse_bool("max_pool2d", input)
    windows = _windows("max_pool2d", input, 2, kernel_size, stride, padding, dilation, ceil_mode)
    return largest(input, positions_of(input, 2), windows, return_indices)


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of the sequences (N, C, L) or (C, L).

    The arguments and what is raised are those of `avg_pool2d`.
    """
    need_image("avg_pool1d", input, 1)
    _need_averages("avg_pool1d", input, count_include_pad)
    windows = _windows("avg_pool1d", input, 1, kernel_size, stride, padding, 1, ceil_mode)
    return mean_of(input, windows, [_counts(w, count_include_pad) for w in windows])


@Slot
def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of the images (N, C, H, W) or (C, H, W).

    stride: the kernel's size unless given. padding: zeros, at most half of the kernel; counted
    unless count_include_pad is False. ceil_mode: the last window may reach over the end, and counts
    only what it meets. divisor_override: divide by this instead. Means of int64 are cut to
    integers. Raises ShapeError, TypeError or ValueError.
    """
    need_image("avg_pool2d", input, 2)
    _need_averages("avg_pool2d", input, count_include_pad)
    windows = _windows("avg_pool2d", input, 2, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is None:
        return mean_of(input, windows, [_counts(w, count_include_pad) for w in windows])
    divisor = integer("avg_pool2d", "divisor_override", divisor_override)
    if divisor == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0")
    return _divided(_sum(input, windows), divisor)


# ---------------------------------------------------------------- windows of one size


def _windows(function, input, n, kernel_size, stride, padding, dilation, ceil_mode):
    """Check the arguments and return the windows along each dimension, the last one last."""
    need_bool(function, ceil_mode=ceil_mode)
    kernel = sizes(function, "kernel_size", kernel_size, n, least=1)
    given = kernel if stride is None or isinstance(stride, tuple | list) and not stride else stride
    stride = sizes(function, "stride", given, n, least=1)
    padding = sizes(function, "padding", padding, n)
    dilation = sizes(function, "dilation", dilation, n, least=1)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(explain(function, "padding must be at most half of the kernel",
                                 {"kernel_size": kernel, "padding": padding}))
    places = [_places(*along, ceil_mode) for along in
              zip(input.shape[-n:], kernel, stride, padding, dilation, strict=True)]
    if min(places) < 1:
        raise ShapeError(explain(function, "the kernel is larger than the padded input", {
            "input": input, "kernel_size": kernel, "padding": padding, "dilation": dilation},
            "use a smaller kernel or more padding"))
    return [Window(*along) for along in zip(range(-n, 0), input.shape[-n:], places, kernel, stride,
                                            padding, dilation, strict=True)]


def _places(size, kernel, stride, padding, dilation, ceil_mode):
    """Count the places; with ceil_mode one more, if it begins inside or in the padding in front."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    places = -(-room // stride) + 1
    return places - ((places - 1) * stride >= size + padding)


def _counts(window, count_include_pad):
    """Count, for each place, what its mean is over."""
    border = window.padding if count_include_pad else 0
    starts = [place * window.stride - window.padding for place in range(window.places)]
    return [min(start + window.kernel, window.size + border) - max(start, -border)
            for start in starts]


def largest(x, positions, windows, return_indices):
    """Take maxima along the last dimension, then along the one before: so the first equal wins."""
    y, index = x, positions
    for window in reversed(windows):
        x, y = y, window_max(y, window=window)
        if return_indices:
            choice = chosen(x.data, y.data, window)
            index = window_sum(index, window=window, choice=choice)
    return (y, index) if return_indices else y


def positions_of(input, n):
    """Number the pixels of one image along its rows."""
    size = input.shape[-n:]
    return Tensor(xp.reshape(xp.arange(size[0] * (size[1] if n == 2 else 1)), size))


def _sum(x, windows):
    for window in windows:
        whole = window.places == 1 and window.kernel == window.size and not window.padding
        x = x.sum(window.dim, True) if whole else window_sum(x, window=window)
    return x


def mean_of(x, windows, counts):
    """Divide the sum of each window by its count: the product of those along each dimension."""
    total = _sum(x, windows)
    if all(len(set(along)) == 1 for along in counts):
        rows, columns = counts[0][0], counts[-1][0] if len(counts) == 2 else 1
        return _divided(total, rows * columns)
    for along, window in zip(counts, windows, strict=True):
        column = xp.reshape(constant(tuple(along), x.data.dtype), (-1,) + (1,) * (-window.dim - 1))
        total = _divided(total, Tensor(column))
    return total


def _divided(total, count):
    """Divide; the means of integers are integers, cut towards 0."""
    return div(total, count, rounding_mode=None if xp.is_floating(total.data) else "trunc")


def _need_averages(function, input, count_include_pad):
    need_bool(function, count_include_pad=count_include_pad)
    if xp.host_dtype(input.data) != "int64":  # torch averages no other integers
        need_floating(function, input=input)


def _refuse_bool(function, input):
    if input.data.dtype == xp.bool:
        raise TypeError(explain(function, "the input must hold numbers", {"input": input}))
