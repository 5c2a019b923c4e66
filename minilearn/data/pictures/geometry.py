"""Geometry in 3 x 3 matrices, and the one resample that carries all of it out.

A matrix maps where a pixel of the result is to where its colour comes from; matrices are multiplied
and only the product is applied to a picture. Points are (x, y, 1), pixel (0, 0) has its centre at
(0.5, 0.5). Inside a view, x and y go from -1 to 1 along its longer side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .reading import resampling

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN = 3  # pixels around what is needed, so that interpolation never meets the end


def scaling(x: float, y: float) -> np.ndarray:
    """Return the matrix that multiplies x and y; scaling(-1, 1) mirrors left to right.

    >>> scaling(-1, 1)[0].tolist()
    [-1.0, 0.0, 0.0]
    """
    return np.diag([x, y, 1.0])


def shift(x: float, y: float) -> np.ndarray:
    """Return the matrix that adds to x and y.

    >>> (shift(2, 3) @ [1, 1, 1]).tolist()
    [3.0, 4.0, 1.0]
    """
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def rotation(degrees: float) -> np.ndarray:
    """Return the matrix that turns the picture against the clock by an angle.

    >>> (rotation(90) @ [1, 0, 1]).round().tolist()  # what is at the right comes from the bottom
    [0.0, 1.0, 1.0]
    """
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def zooming(factor: float, focus: Sequence[float], extent: Sequence[float] = (1, 1)) -> np.ndarray:
    """Return the matrix that enlarges by a factor, looking at one place.

    focus: (x, y), 0 to 1: which of the windows that fit; (0.5, 0.5) is the middle, (0, 0) the
    upper left. extent: half the width and height of the view.

    >>> (zooming(2, (0, 0)) @ [-1, -1, 1]).tolist()
    [-1.0, -1.0, 1.0]
    """
    slack = (1 - 1 / factor) * np.asarray(extent)
    x, y = slack * (2 * np.asarray(focus) - 1)
    return shift(x, y) @ scaling(1 / factor, 1 / factor)


def warping(sides: Sequence[float], extent: Sequence[float] = (1, 1)) -> np.ndarray:
    """Return the perspective of a camera held askew: each side is lengthened about its middle.

    sides: (top, bottom, left, right), fractions of their lengths; below 0 they get shorter.
    extent: half the width and height of the view.
    Source: fast.ai's symmetric_warp.

    >>> np.allclose(warping((0, 0, 0, 0)), np.eye(3))
    True
    """
    top, bottom, left, right = sides
    corners = np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)], dtype=np.float64)
    longer = np.array([(top, left), (top, right), (bottom, left), (bottom, right)])
    return perspective(corners * extent, corners * (1 + longer) * extent)


def perspective(corners: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the matrix that maps four points to four others; both (4, 2).

    With the last entry 1, each point gives two linear equations for the other eight.
    """
    rows = []
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return np.append(np.linalg.solve(np.array(rows), targets.ravel()), 1).reshape(3, 3)


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where a matrix maps points (n, 2), as (n, 2).

    >>> apply(scaling(2, 2), np.array([[1.0, 3.0]])).tolist()
    [[2.0, 6.0]]
    """
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def reflect(places: np.ndarray, length: int) -> np.ndarray:
    """Fold places outside of 0 .. length - 1 back inside, as if mirrors stood at both ends.

    >>> reflect(np.arange(-3, 7), 4).tolist()
    [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]
    """
    places = places % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)


def resample(
    picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int], how: str = "bilinear"
) -> np.ndarray:
    """Return the picture (h, w[, 3]) that has at each place the colour from where the matrix maps.

    matrix: from pixels of the result, of size (h, w), to pixels of the picture. What lies beyond
    the picture's edges is its reflection. how: "bilinear", "bicubic", or "nearest" for masks.
    Where the result is smaller than what it shows, the picture is first averaged down to the same
    scale, as its fine detail would otherwise turn into false patterns (not for "nearest").
    """
    from PIL import Image

    if matrix[0, 0] < 0 and _only_resizes(mirror := matrix @ shift(size[1], 0) @ scaling(-1, 1)):
        return resample(picture, mirror, size, how)[:, ::-1]
    method = resampling("resample", how)
    (height, width), middle = size, np.array([[size[1] / 2, size[0] / 2]])
    ends = apply(matrix, np.array([(0, 0), (width, 0), (0, height), (width, height)], float))
    low, high = ends.min(0), ends.max(0)
    scale = 1.0 if how == "nearest" else max(1.0, _pixels_a_pixel(matrix, middle))
    first, region = _cut(picture, low - MARGIN * scale, high + MARGIN * scale)
    if _only_resizes(matrix):
        box = np.append(low, high) - [*first, *first]
        return np.array(region.resize((width, height), method, tuple(box.tolist())))
    if scale > 1:
        first, region = _shrunk(region, first, low, high, scale, method)
    local = scaling(1 / scale, 1 / scale) @ shift(*-first) @ matrix
    entries = (local / local[2, 2]).ravel()[:8].tolist()
    return np.array(region.transform((width, height), Image.Transform.PERSPECTIVE, entries, method))


def _cut(picture: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, Image]:
    """Cut out what lies between two points, (x, y) each; return its first pixel, and it."""
    from PIL import Image

    first, last = np.floor(low).astype(int), np.ceil(high).astype(int)
    height, width = picture.shape[:2]
    if (first >= 0).all() and last[0] <= width and last[1] <= height:
        part = picture[first[1] : last[1], first[0] : last[0]]
    else:
        rows = reflect(np.arange(first[1], last[1]), height)
        part = picture[rows][:, reflect(np.arange(first[0], last[0]), width)]
    return first, Image.fromarray(np.ascontiguousarray(part))


def _shrunk(
    region: Image, first: np.ndarray, low: np.ndarray, high: np.ndarray, scale: float, method: Any
) -> tuple[np.ndarray, Image]:
    """Shrink a region to the scale of the result; return where its first pixel begins, and it."""
    start = low - (MARGIN - 1) * scale  # whole pixels before the result's first: nothing moves
    count = np.ceil((high - low) / scale).astype(int) + 2 * (MARGIN - 1)
    box = np.append(start - first, start - first + count * scale)
    return start, region.resize(tuple(count.tolist()), method, tuple(box.tolist()))


def _only_resizes(matrix: np.ndarray) -> bool:
    """Say whether a matrix neither turns, nor mirrors, nor distorts."""
    beside = matrix / matrix[2, 2] - np.diag(np.diag(matrix / matrix[2, 2]))
    beside[:2, 2] = 0  # a shift is fine
    return bool((abs(beside) < 1e-12).all() and matrix[0, 0] > 0 and matrix[1, 1] > 0)


def _pixels_a_pixel(matrix: np.ndarray, point: np.ndarray) -> float:
    """Return how many pixels of the picture, along a side, one of the result stands for."""
    x, y = apply(matrix, point)[0]
    depth = float(matrix[2] @ [*point[0], 1])
    jacobian = (matrix[:2, :2] - np.outer((x, y), matrix[2, :2])) / depth
    return float(abs(np.linalg.det(jacobian)) ** 0.5)
