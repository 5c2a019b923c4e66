"""Sampling images on any grid of points, and the grids of affine maps (Jaderberg et al. 2015).

Points are (x, y) with -1 and 1 at the edges of the image. Differentiable in the image and, through
the weights of the pixels around each point, in the grid.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from .. import xp
from ..errors import ShapeError, explain
from ..ops.elementwise import where
from ..tensor import Tensor
from .arguments import need_choice, need_corners, need_floating
from .resize import cubic_weights
from .spatial import sizes


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return the image's values at the points of the grid, interpolated between its pixels.

    input (N, C, H, W), grid (N, OH, OW, 2) with points (x, y) -> (N, C, OH, OW). mode: "bilinear",
    "nearest" or "bicubic". Points outside see "zeros", the "border", or a "reflection" of the
    image. -1 and 1 are the outer edges of the first and the last pixel; with align_corners their
    centres. Raises ShapeError, TypeError or ValueError.
    """
    need_choice("grid_sample", "mode", mode, tuple(TAPS))
    need_choice("grid_sample", "padding_mode", padding_mode, tuple(OUTSIDE))
    need_corners("grid_sample", align_corners)
    _check_grid(input, grid)
    size = input.shape[:1:-1]  # width, height: the order of x and y
    with xp.quiet():  # points may be infinite, or not a number
        across, down = (
            TAPS[mode](_pixel(grid.narrow(3, i, 1), size[i], align_corners),
                       lambda at, n=size[i]: OUTSIDE[padding_mode](at, n, align_corners))
            for i in (0, 1))
        parts = [_picked(input, x, y) * (wx * wy) for y, wy in down for x, wx in across]
        return reduce(add, parts).permute((0, 3, 1, 2))


def _check_grid(input, grid):
    given = {"input": input, "grid": grid}
    need_floating("grid_sample", **given)
    if input.ndim != 4 or grid.ndim != 4:
        raise ShapeError(explain("grid_sample", "input must be (N, C, H, W), grid (N, OH, OW, 2)",
                                 given))
    if input.shape[0] != grid.shape[0] or grid.shape[3] != 2:
        raise ShapeError(explain("grid_sample", "there must be one grid for each image, with two "
                                 "numbers for each point", given))
    if 0 in input.shape[2:]:
        raise ShapeError(explain("grid_sample", "images must not be empty", given))
    if input.data.dtype != grid.data.dtype:
        raise TypeError(explain("grid_sample", "input and grid must have one dtype", given,
                                "convert with .to(dtype)"))


def _pixel(at, size, align_corners):
    """Count from -1..1 to pixels: their centres have the numbers 0 to size - 1."""
    return (at + 1) * ((size - 1) / 2) if align_corners else ((at + 1) * size - 1) / 2


def _picked(input, x, y):
    """Return the pixels in columns x and rows y, (N, OH, OW, C); 0 outside the image."""
    n, c, h, w = input.shape
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    first = xp.reshape(xp.arange(n) * (h * w), (n, 1, 1, 1))
    row, column = (xp.astype(xp.where(inside, at, 0), xp.int64) for at in (y, x))
    rows = input.permute((0, 2, 3, 1)).reshape((n * h * w, c))
    index = xp.reshape(first + row * w + column, (-1,))
    picked = rows.index_select(0, Tensor(index)).reshape((*inside.shape[:3], c))
    return where(Tensor(inside), picked, 0.0)


# ---------------------------------------------------------------- which pixels, with which weights
# `outside` says where a point outside the image looks, and how fast that place moves with it.


def _nearest(at, outside):
    place, _ = outside(at.data)
    return [(xp.round(place), 1.0)]


def _linear(at, outside):
    place, slope = outside(at.data)
    # The place is a number like any other to `outside`; its derivative is put back here.
    moving = where(Tensor(slope != 0), (at - at.detach()) * Tensor(slope), 0.0)
    first = xp.floor(place)
    t = Tensor(place - first) + moving
    return [(first, 1 - t), (first + 1, t)]


def _cubic(at, outside):
    first = xp.floor(at.data)
    weights = cubic_weights(at - Tensor(first))
    return [(outside(first + i)[0], weight) for i, weight in enumerate(weights, -1)]


TAPS = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}


# ---------------------------------------------------------------- outside the image


def _zeros(at, size, align_corners):
    return at, xp.ones_like(at)


def _border(at, size, align_corners):
    inside = (at > 0) & (at < size - 1)
    edge = xp.astype(at >= size - 1, at.dtype) * (size - 1)
    return xp.where(inside, at, edge), xp.astype(inside, at.dtype)


def _reflection(at, size, align_corners):
    """Walk to and fro between two mirrors: the outer edges, or the centres of the last pixels."""
    mirror, span = (0.0, size - 1) if align_corners else (-0.5, size)
    if span == 0:
        return xp.zeros_like(at), xp.zeros_like(at)
    away = xp.abs(at - mirror)
    rest, back = xp.remainder(away, span), xp.remainder(xp.floor(away / span), 2) == 1
    place, inside = _border(xp.where(back, span - rest, rest) + mirror, size, align_corners)
    return place, xp.where(back == (at < mirror), inside, -inside)


OUTSIDE = {"zeros": _zeros, "border": _border, "reflection": _reflection}


# ---------------------------------------------------------------- affine maps


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """Return, for each matrix, where the pixels of an image look: a grid for `grid_sample`.

    theta (N, 2, 3): (x, y) of a pixel becomes theta @ (x, y, 1). size: (N, C, H, W) of the image
    to make -> (N, H, W, 2). align_corners: as in `grid_sample`. Raises ShapeError, TypeError.

    >>> affine_grid(Tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]]]), (1, 1, 1, 2))
    tensor([[[[-0.5,  0.5],
              [ 0.5,  0.5]]]])
    """
    need_floating("affine_grid", theta=theta)
    need_corners("affine_grid", align_corners)
    n, _, h, w = size = sizes("affine_grid", "size", size, 4, least=1, exact=True)
    if theta.shape != (n, 2, 3):
        raise ShapeError(explain("affine_grid", f"theta must have shape ({n}, 2, 3)",
                                 {"theta": theta, "size": size}))
    x, y = (_line(count, align_corners, theta.data.dtype) for count in (w, h))
    x, y = xp.broadcast_arrays(xp.reshape(x, (1, w)), xp.reshape(y, (h, 1)))
    points = xp.reshape(xp.stack([x, y, xp.ones_like(x)], axis=-1), (h * w, 3))
    return (Tensor(points) @ theta.mT).reshape((n, h, w, 2))


def _line(count, align_corners, dtype):
    """Return the centres of some pixels side by side, between -1 and 1."""
    i = xp.arange(count, dtype_=dtype)
    if not align_corners:
        return (2 * i + 1) / count - 1
    return 2 * i / (count - 1) - 1 if count > 1 else i
