"""Adaptive pooling: windows that divide the input into a given number of places.

Where their sizes differ, the elements of each window are first laid side by side, all windows made
as long as the longest; then they are windows of one size, side by side.
"""

from __future__ import annotations

from typing import Any

from ..ops.pool import Window
from ..ops.resample import pick
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_floating
from .pool import largest, mean_of, positions_of
from .spatial import need_image, sizes


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


@Slot
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Return the mean of each of `output_size` windows that cover each image.

    input (N, C, H, W) or (C, H, W) -> (N, C, *output_size) or (C, *output_size); None keeps a size.
    The windows are those of `adaptive_max_pool2d`. Raises ShapeError, TypeError or ValueError.
    """
    return _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)


# ---------------------------------------------------------------- the common part


def _adaptive_max(function, n, input, output_size, return_indices):
    need_image(function, input, n)
    need_floating(function, input=input)
    x, positions, windows = input, positions_of(input, n), []
    for dim, size, places in _divided(function, n, input, output_size):
        window, bounds = _adaptive(dim, places, size)
        # A shorter window repeats its last element: the maximum stays the same.
        elements = [min(start + tap, end - 1)
                    for start, end in bounds for tap in range(window.kernel)]
        x, positions = (_side_by_side(t, dim, elements) for t in (x, positions))
        windows.append(window)
    return largest(x, positions, windows, return_indices)


def _adaptive_mean(function, n, input, output_size):
    need_image(function, input, n, channels=False)
    need_floating(function, input=input)
    x, windows, counts = input, [], []
    for dim, size, places in _divided(function, n, input, output_size):
        window, bounds = _adaptive(dim, places, size)
        # A shorter window goes on with zeros (what `pick` finds after the last place).
        elements = [start + tap if start + tap < end else size
                    for start, end in bounds for tap in range(window.kernel)]
        x = _side_by_side(x, dim, elements)
        windows.append(window)
        counts.append([end - start for start, end in bounds])
    return mean_of(x, windows, counts)


def _divided(function, n, input, output_size):
    """Return (dimension, size, number of places) for each dimension that is divided."""
    if n == 2 and isinstance(output_size, tuple | list) and len(output_size) == 2:
        kept = zip(output_size, input.shape[-n:], strict=True)
        output_size = tuple(size if places is None else places for places, size in kept)
    places = sizes(function, "output_size", output_size, n, exact=n == 2)
    return list(zip(range(-n, 0), input.shape[-n:], places, strict=True))


def _adaptive(dim, places, size):
    """Return windows of the longest size, side by side, and where each really starts and ends."""
    bounds = [(o * size // places, -(-(o + 1) * size // places)) for o in range(places)]
    longest = max((end - start for start, end in bounds), default=1)
    return Window(dim, places * longest, places, longest, longest), bounds


def _side_by_side(x, dim, elements):
    if elements == list(range(x.shape[dim])):
        return x
    return pick(x, dim=dim, places=tuple(elements))
