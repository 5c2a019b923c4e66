"""Pooling: one number for each window, the largest or the mean, in one and two dimensions.

Windows of fixed size move by a stride; adaptive windows divide the input into a given number of
places. Where these differ in size, the elements of each are first laid side by side, so that
windows of one size, side by side, can take it from there.
"""

from __future__ import annotations

from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops.elementwise import where
from ..ops.pool import Window, chosen, window_max, window_sum
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
    need_floating("max_pool1d", input=input)
    windows = _windows("max_pool1d", input, 1, kernel_size, stride, padding, dilation, ceil_mode)
    return _largest(input, _positions(input, 1), windows, return_indices)


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
    return _largest(input, _positions(input, 2), windows, return_indices)


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
    need_floating("avg_pool1d", input=input)
    windows = _windows("avg_pool1d", input, 1, kernel_size, stride, padding, 1, ceil_mode)
    return _mean(input, windows, [_counts(w, count_include_pad) for w in windows])


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
    only what it meets. divisor_override: divide by this instead. Raises ShapeError, TypeError or
    ValueError.
    """
    need_image("avg_pool2d", input, 2)
    need_floating("avg_pool2d", input=input)
    windows = _windows("avg_pool2d", input, 2, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override is None:
        return _mean(input, windows, [_counts(w, count_include_pad) for w in windows])
    (divisor,) = sizes("avg_pool2d", "divisor_override", divisor_override, 1, least=-(2**63))
    if divisor == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0")
    return _sum(input, windows) / divisor


def adaptive_max_pool1d(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element of each of `output_size` windows that cover each sequence.

    input (N, C, L) or (C, L). The rest is as in `adaptive_max_pool2d`.
    """
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Return the largest element of each of `output_size` windows that cover each image.

    input (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size); None keeps a size.
    Window o of O begins at o * size / O and ends at (o + 1) * size / O, rounded outwards. With
    return_indices also the position of each maximum in its image seen as one line. Raises
    ShapeError, TypeError or ValueError.
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Return the mean of each of `output_size` windows that cover each sequence.

    input (N, C, L) or (C, L). The rest is as in `adaptive_avg_pool2d`.

    >>> adaptive_avg_pool1d(Tensor([[1.0, 3.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    return _adaptive_mean("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Return the mean of each of `output_size` windows that cover each image.

    input (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size); None keeps a size.
    The windows are those of `adaptive_max_pool2d`. Raises ShapeError, TypeError or ValueError.
    """
    return _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)


# ---------------------------------------------------------------- windows of one size


def _windows(function, input, n, kernel_size, stride, padding, dilation, ceil_mode):
    """Check the arguments and return the windows along each dimension, the last one last."""
    kernel = sizes(function, "kernel_size", kernel_size, n, least=1)
    given = kernel if stride is None or stride in ((), []) else stride
    stride = sizes(function, "stride", given, n, least=1)
    padding = sizes(function, "padding", padding, n)
    dilation = sizes(function, "dilation", dilation, n, least=1)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(explain(function, "padding must be at most half of the kernel",
                                 dict(kernel_size=kernel, padding=padding)))
    places = [_places(*along, ceil_mode) for along in
              zip(input.shape[-n:], kernel, stride, padding, dilation, strict=True)]
    if min(places) < 1:
        raise ShapeError(explain(function, "the kernel is larger than the padded input", dict(
            input=input, kernel_size=kernel, padding=padding, dilation=dilation),
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


def _largest(x, positions, windows, return_indices):
    """Take maxima along the last dimension, then along the one before: so the first equal wins."""
    y, index = x, positions
    for window in reversed(windows):
        x, y = y, window_max(y, window=window)
        if return_indices:
            choice = chosen(x.data, y.data, window)
            index = window_sum(index, window=window, choice=choice)
    return (y, index) if return_indices else y


def _positions(input, n):
    """Number the pixels of one image along its rows."""
    size = input.shape[-n:]
    return Tensor(xp.reshape(xp.arange(size[0] * (size[1] if n == 2 else 1)), size))


def _sum(x, windows):
    for window in windows:
        x = window_sum(x, window=window)
    return x


def _mean(x, windows, counts):
    """Divide the sum of each window by its count: the product of those along each dimension."""
    total = _sum(x, windows)
    if all(len(set(along)) == 1 for along in counts):
        rows, columns = counts[0][0], counts[-1][0] if len(counts) == 2 else 1
        return total / (rows * columns)
    for along, window in zip(counts, windows, strict=True):
        column = xp.reshape(xp.array(along, x.data.dtype), (-1,) + (1,) * (-window.dim - 1))
        total = total / Tensor(column)
    return total


def _refuse_bool(function, input):
    if input.data.dtype == xp.bool:
        raise TypeError(explain(function, "the input must hold numbers", {"input": input}))


# ---------------------------------------------------------------- windows that adapt


def _adaptive_max(function, n, input, output_size, return_indices):
    need_image(function, input, n)
    need_floating(function, input=input)
    x, positions, windows = input, _positions(input, n), []
    for dim, size, places in _divided(function, n, input, output_size):
        window, elements, _ = _adaptive(dim, size, places)
        if elements is not None:
            x, positions = (t.index_select(dim, elements) for t in (x, positions))
        windows.append(window)
    return _largest(x, positions, windows, return_indices)


def _adaptive_mean(function, n, input, output_size):
    need_image(function, input, n, channels=False)
    need_floating(function, input=input)
    x, windows, counts = input, [], []
    for dim, size, places in _divided(function, n, input, output_size):
        window, elements, lengths = _adaptive(dim, size, places)
        if elements is not None:
            real = [tap < length for length in lengths for tap in range(window.kernel)]
            column = xp.reshape(xp.array(real), (-1,) + (1,) * (-dim - 1))
            x = where(Tensor(column), x.index_select(dim, elements), 0.0)
        windows.append(window)
        counts.append(lengths)
    return _mean(x, windows, counts)


def _divided(function, n, input, output_size):
    """Return (dimension, size, number of places) for each dimension that is divided."""
    if n == 2 and isinstance(output_size, tuple | list) and len(output_size) == 2:
        kept = zip(output_size, input.shape[-n:], strict=True)
        output_size = tuple(size if places is None else places for places, size in kept)
    places = sizes(function, "output_size", output_size, n, exact=n == 2)
    return list(zip(range(-n, 0), input.shape[-n:], places, strict=True))


def _adaptive(dim, size, places):
    """Return the window, the elements to lay side by side for it (None: all), and its lengths."""
    if places == 0 or size % places == 0:
        kernel = size // places if places else 1
        return Window(dim, size, places, kernel, kernel), None, [kernel] * places
    starts = [place * size // places for place in range(places)]
    ends = [-(-(place + 1) * size // places) for place in range(places)]
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    kernel = max(lengths)
    # A shorter window repeats its last element: the maximum does not mind, the mean passes it over.
    elements = [min(start + tap, end - 1) for start, end in zip(starts, ends, strict=True)
                for tap in range(kernel)]
    side_by_side = Window(dim, places * kernel, places, kernel, kernel)
    return side_by_side, Tensor(xp.array(elements, "int64")), lengths
